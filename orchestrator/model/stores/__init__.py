"""The stores of an environment: how they must be."""
