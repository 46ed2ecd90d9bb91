"""Finds the programs that a release needs, and mirrors of Terraform's providers.

`orchestrator.effects.tools.install` installs what is missing; it is apart because few commands need it.
"""

from orchestrator.effects.tools.find import find
from orchestrator.effects.tools.pinned import load_pins
from orchestrator.effects.tools.providers import cli_config, find_provider_mirrors
from orchestrator.model.tool import Pin, Tool

__all__ = ["Pin", "Tool", "cli_config", "find", "find_provider_mirrors", "load_pins"]
