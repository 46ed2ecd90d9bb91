"""The ledger table and what goes with it: anchors, leases, answers, evidence on disk."""
