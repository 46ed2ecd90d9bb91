"""Text for terminals and the logs of pipelines: nothing in it steers what reads it."""

from __future__ import annotations

import re

# Control characters but for tab and line feed, and characters that turn, hide or break the direction of text.
_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)
# GitHub Actions takes a line that begins with `::` for a command, and `##[` anywhere in it; Azure Pipelines `##vso[`
# ("Workflow commands for GitHub Actions"; "Logging commands" of Azure Pipelines).
_LINE_COMMAND = re.compile(r"^([^\S\n]*)::", re.MULTILINE)
_COMMAND = re.compile(r"##(?=\[|vso\[)", re.IGNORECASE)


def inert(text: str) -> str:
    """With what steers a terminal shown as escapes, and no line that a pipeline would take for a command."""
    return commands_defused(_STEERING.sub(_escape, text))


def commands_defused(text: str) -> str:
    return _COMMAND.sub(r"#\\#", _LINE_COMMAND.sub(r"\1\\::", text))


def inert_json(text: str) -> str:
    """The same of JSON text that is well formed: equal to every reader of JSON."""
    return _COMMAND.sub(r"#\\u0023", _STEERING.sub(_json_escape, text))


def is_inert(text: str) -> bool:
    return not (_STEERING.search(text) or _COMMAND.search(text) or _LINE_COMMAND.search(text))


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


def _json_escape(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
