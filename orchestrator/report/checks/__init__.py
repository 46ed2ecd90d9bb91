"""Reports of checks, for people and for other tools."""
