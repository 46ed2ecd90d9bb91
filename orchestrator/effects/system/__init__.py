"""This machine: processes, the clock, the cache, the network."""
