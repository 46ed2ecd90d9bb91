"""The buckets, tables and keys that hold state, locks, plans and the ledger: read, made and fixed, never deleted."""
