"""The plan policy: what a plan may do."""
