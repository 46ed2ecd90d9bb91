"""Lint and scan, of a release or of a working tree."""
