"""Configuration, accounts, stores, tools."""
