"""The view of a plan as its receipt keeps it: what an apply compares must have gone the same way."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import msgspec

from orchestrator.effects.system import outlet
from orchestrator.model.plan_view.view import PlanView
from orchestrator.model.text import decoding

_Told = TypeVar("_Told")


def kept(view: PlanView) -> PlanView:
    """Without the secrets of the environment, which what is not marked as sensitive may still hold."""
    return replace(
        view,
        changes=_without_secrets(view.changes),
        drift=_without_secrets(view.drift),
        checks=_without_secrets(view.checks),
        warnings=_without_secrets(view.warnings),
    )


def _without_secrets(told: tuple[_Told, ...]) -> tuple[_Told, ...]:
    return tuple(decoding.convert(outlet.kept(msgspec.to_builtins(each)), type(each)) for each in told)
