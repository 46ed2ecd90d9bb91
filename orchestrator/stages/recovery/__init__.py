"""Interrupted runs: found, explained, finished."""
