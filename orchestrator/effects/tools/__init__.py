"""Finds the programs that a release needs, installs what is missing, and finds mirrors of Terraform's providers."""

from orchestrator.effects.tools.find import find
from orchestrator.effects.tools.install import ensure
from orchestrator.effects.tools.pinned import load_pins
from orchestrator.effects.tools.providers import cli_config, find_provider_mirrors
from orchestrator.model.tool import Pin, Tool

__all__ = ["Pin", "Tool", "cli_config", "ensure", "find", "find_provider_mirrors", "load_pins"]
