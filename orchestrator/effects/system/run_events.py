"""What a release tells the `orchestrate` that started it: JSON lines in the file that a variable names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from orchestrator.effects.system.host import EVENTS
from orchestrator.model.release.fleet import RunEvent
from orchestrator.model.text import decoding


def note(env: Mapping[str, str], event: RunEvent) -> None:
    """Adds a line; nothing where nobody has asked for it."""
    if env.get(EVENTS):
        with Path(env[EVENTS]).open("ab") as file:
            file.write(msgspec.json.encode(event) + b"\n")


def noted(file: Path) -> tuple[RunEvent, ...]:
    """What has been told so far; a line that is still being written is not."""
    content = file.read_bytes() if file.exists() else b""
    return tuple(decoding.decode(line, RunEvent) for line in content.split(b"\n")[:-1])
