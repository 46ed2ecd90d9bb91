"""Change windows and freezes: may an apply begin now?

All is decided in local time of the window's own time zone. So on the day when clocks go forward, a window within the
hour that is left out never opens; when they go back, a window within the hour that comes twice opens twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, tzinfo
from typing import get_args

from orchestrator.errors import DependencyError
from orchestrator.model.rules.release_settings import Day, Freeze, Window
from orchestrator.model.text.quoting import quoted

_DAYS: tuple[Day, ...] = get_args(Day)


def closed_reason(windows: Sequence[Window] | None, freezes: Sequence[Freeze], now: datetime) -> str | None:
    """Why nothing may be applied at `now` (an aware time); None where it may. No windows means at any time."""
    for freeze in freezes:
        if _holds(freeze, now):
            why = f": {freeze.reason}" if freeze.reason else ""
            return f"changes are frozen from {freeze.start} to {freeze.end} ({freeze.timezone}){why}"
    if windows is None or any(is_open(window, now) for window in windows):
        return None
    return f"the change window is closed; it is open {' and '.join(map(described, windows))}"


def is_open(window: Window, now: datetime) -> bool:
    """From the first minute up to, not including, the last."""
    local = now.astimezone(zone(window.timezone))
    today, yesterday = _DAYS[local.weekday()], _DAYS[local.weekday() - 1]
    minute, start, end = local.hour * 60 + local.minute, minutes(window.start), minutes(window.end)
    if start < end:
        return today in window.days and start <= minute < end
    return (today in window.days and minute >= start) or (yesterday in window.days and minute < end)


def described(window: Window) -> str:
    return f"{', '.join(window.days)} {window.start}-{window.end} ({window.timezone})"


def minutes(time: str) -> int:
    """`"16:30"` as minutes since midnight."""
    hours, _, rest = time.partition(":")
    return int(hours) * 60 + int(rest)


def zone(name: str) -> tzinfo:
    """Raises DependencyError where the machine's time zone database does not know it: no guess is made."""
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise DependencyError(
            f"the time zone {quoted(name)} is not in this machine's time zone database",
            hint="Install the system package tzdata, or fix the name.",
        ) from None


def _holds(freeze: Freeze, now: datetime) -> bool:
    today = now.astimezone(zone(freeze.timezone)).date()
    return date.fromisoformat(freeze.start) <= today <= date.fromisoformat(freeze.end)
