"""Many releases at once."""
