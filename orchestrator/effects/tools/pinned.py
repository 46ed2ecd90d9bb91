"""Reads the pins that ship with the package."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from orchestrator import pins
from orchestrator.errors import InvalidInput
from orchestrator.model.text import decoding
from orchestrator.model.tools.tool import Platform, ToolPin, platform_name

PINS = pins.FOLDER / "tools.toml"


def load_pins(path: Path = PINS) -> Mapping[str, ToolPin]:
    """The pin of each program. Raises InvalidInput for whatever the file should not hold."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
        return decoding.convert(document, dict[str, ToolPin])
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise InvalidInput(f"{path}: {error}", hint="This file is part of orchestrate: install it again.") from None


def this_platform() -> Platform:
    system = os.uname()
    return platform_name(system.sysname, system.machine)
