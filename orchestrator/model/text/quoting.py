"""How text that may come from an outsider is shown to a person."""

from __future__ import annotations

from collections.abc import Iterable


def quoted(text: str, limit: int = 160) -> str:
    """`text` in quotes, fit for a terminal: control characters and non-ASCII escaped, cut at `limit` characters."""
    shown = text if len(text) <= limit else text[:limit] + "..."
    return f"'{escaped(shown)}'"


def escaped(text: str) -> str:
    """Printable ASCII alone, on one line: nothing in it can move a terminal's cursor or turn its writing round."""
    return text.encode("unicode_escape").decode("ascii")


def did_you_mean(text: str, known: Iterable[str]) -> str | None:
    """A hint naming the known word nearest to `text`, or all of them where none is near and they are few."""
    import difflib

    words = sorted(set(known))
    near = difflib.get_close_matches(text[:200], words, n=1, cutoff=0.6)
    if near:
        return f"Did you mean {near[0]}?"
    return f"Known: {', '.join(words)}." if 0 < len(words) <= 12 else None
