"""The checks of code, each named here alone: settings, commands, reports and the pipeline's steps follow this list."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, TypeAlias, get_args

Check: TypeAlias = Literal["lint", "scan", "test"]
CHECKS: tuple[Check, ...] = get_args(Check)
DOES: dict[Check, str] = {
    "lint": "Lint a release: terraform fmt and validate, and tflint.",
    "scan": "Scan a release with checkov and the checks in policies/.",
    "test": "Test a release: terraform test of its root and of the local modules it uses, without credentials.",
}
"""For the help of the commands."""
DEFAULT_CHECKS: tuple[Check, ...] = ("lint", "scan")


def checks_of_release(required: Collection[Check]) -> tuple[Check, ...]:
    """The checks that every release runs: the default ones, and what its environment requires besides."""
    return tuple(check for check in CHECKS if check in DEFAULT_CHECKS or check in required)
