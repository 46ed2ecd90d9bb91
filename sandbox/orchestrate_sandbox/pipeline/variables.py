"""Variables in the configuration of actions and rules: `#{namespace.name}`. Pure.

Source: "Variables reference" (CodePipeline user guide).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

Namespaces = Mapping[str, Mapping[str, str]]

_REFERENCE = re.compile(r"#\{(?P<namespace>[A-Za-z0-9@_-]+)\.(?P<name>[A-Za-z0-9@_-]+)\}")


class Unresolved(Exception):
    """A variable that nothing has set."""


def resolved(text: str, known: Namespaces) -> str:
    """Values are put in as they are, whatever the text is; raises Unresolved."""

    def value(found: re.Match[str]) -> str:
        try:
            return known[found["namespace"]][found["name"]]
        except KeyError:
            raise Unresolved(f"the variable {found[0]} is not set") from None

    return _REFERENCE.sub(value, text)
