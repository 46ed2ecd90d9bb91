"""Long lists of results, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

Item = TypeVar("Item")


def page_of(items: Sequence[Item], body: dict[str, Any], *, largest: int = 100) -> tuple[list[Item], str | None]:
    """The page that a request with `maxResults` and `nextToken` asks for, and the token of the next one."""
    token = str(body.get("nextToken") or "0")
    start = int(token) if token.isdecimal() else len(items)
    end = start + min(int(body.get("maxResults") or largest), largest)
    return list(items[start:end]), str(end) if end < len(items) else None
