"""Data that ships with the package: which versions of which programs, and their hashes (tools.toml)."""

from pathlib import Path

FOLDER = Path(__file__).parent
