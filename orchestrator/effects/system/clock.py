"""The time."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """UTC, to the second: what is recorded is read by people."""
    return datetime.now(UTC).replace(microsecond=0)
