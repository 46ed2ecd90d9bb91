"""The ledger: its entries, their anchors, and whether the chain is what was written."""
