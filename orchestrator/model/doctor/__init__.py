"""What `orchestrate doctor` says."""
