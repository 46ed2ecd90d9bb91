"""The environment variables that orchestrate was started with."""

from __future__ import annotations

import os


def environment() -> dict[str, str]:
    """A copy, as it is now."""
    return dict(os.environ)
