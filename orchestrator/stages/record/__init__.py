"""What is written to the ledger beside the stages' own entries."""
