"""What runs where, what happened when, and whether the record is intact."""
