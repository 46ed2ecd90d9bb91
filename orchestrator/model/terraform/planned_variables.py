"""Whether a plan was made with the values that the commit and the rules give to its variables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

# What a text means is Terraform's to say where it holds a template or an escape.
_NOT_PLAIN = re.compile(r"[$%\\\n]")


def different(planned: Mapping[str, Any], layers: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Names of variables whose value in the plan is not the one of the last layer that has them.

    `planned` is `variables` of a plan's JSON, the layers are defaults and variable files as we read them. Only single
    values are compared: Terraform completes and converts lists and objects by their type.
    """
    given: dict[str, Any] = {}
    for layer in layers:
        given |= layer
    for name, found in planned.items():
        wanted, value = _text(given.get(name)), _text(found.get("value"))
        if wanted is not None and value is not None and wanted != value:
            yield name


def _text(value: Any) -> str | None:
    """As a string variable has it; None for what is not compared."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return value if isinstance(value, str) and not _NOT_PLAIN.search(value) else None
