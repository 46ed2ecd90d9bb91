"""Custom checks in policies/: is this file one that checkov will load?

checkov passes over a YAML or JSON file that lacks a field with a mere warning; a check that does not run is refused
here instead. Source: checkov's documentation, "YAML Custom Policies".
"""

from __future__ import annotations

from typing import Any

from orchestrator.errors import InvalidInput
from orchestrator.model.text.quoting import quoted

_METADATA = ("id", "name", "category")


def check_policy(path: str, content: bytes) -> bool:
    """Whether the file is a policy; False for YAML or JSON about something else.

    Raises InvalidInput for one that is meant to be a policy, but would not be loaded.
    """
    if path.endswith(".py"):
        return True
    document = _parsed(path, content)
    if not isinstance(document, dict) or not {"metadata", "definition"} & document.keys():
        return False
    metadata = document.get("metadata")
    missing = [f"metadata.{name}" for name in _METADATA if not isinstance(metadata, dict) or not metadata.get(name)]
    if not isinstance(document.get("definition"), dict | list):
        missing.append("definition")
    if missing:
        raise InvalidInput(
            f"the policy {quoted(path)} lacks {', '.join(missing)}, so checkov would not load it",
            hint="docs/checks.md shows a complete one.",
        )
    return True


def _parsed(path: str, content: bytes) -> Any:
    if path.endswith(".json"):
        import json

        try:
            return json.loads(content)
        except ValueError as error:
            raise InvalidInput(f"{quoted(path)} is not JSON: {error}") from None
    import yaml

    try:
        return yaml.safe_load(content)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark else ""
        raise InvalidInput(f"{quoted(path)} is not YAML{place}") from None
