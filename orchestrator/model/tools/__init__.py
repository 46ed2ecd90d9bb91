"""The programs that a release needs."""
