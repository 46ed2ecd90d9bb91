"""Releases and their stages."""
