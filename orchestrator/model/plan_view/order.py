"""In which order a plan is read: what can do harm first, outputs last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orchestrator.model.plan_view.view import WIDENS
from orchestrator.model.terraform.plan import Change


@dataclass(frozen=True)
class ChangeGroup:
    """Changes of one kind. What is dangerous is shown whole wherever a plan is shown."""

    title: str
    changes: tuple[Change, ...]
    dangerous: bool


_KINDS = (
    ("destroy", "Destroyed", True),
    ("replace", "Replaced (destroyed and created anew)", True),
    ("forget", "Forgotten (left as it is, and no longer looked after)", True),
    ("widen", "Opened to more than before", True),
    ("change", "Changed", False),
    ("move", "Moved", False),
    ("import", "Imported", False),
    ("add", "Added", False),
    ("output", "Outputs", False),
)


def in_groups(changes: Iterable[Change]) -> tuple[ChangeGroup, ...]:
    """All of them, each in one group; groups without any are left out."""
    kinds: dict[str, list[Change]] = {}
    for change in changes:
        kinds.setdefault(_kind(change), []).append(change)
    return tuple(
        ChangeGroup(title, tuple(kinds[kind]), dangerous) for kind, title, dangerous in _KINDS if kind in kinds
    )


def _kind(change: Change) -> str:
    if change.address.startswith("output."):
        return "output"
    if change.action not in ("destroy", "replace", "forget") and any(
        line.startswith(WIDENS) for line in change.details
    ):
        return "widen"
    return change.action


_LARGE = 20  # changes


def confined_to(changes: Sequence[Change]) -> str | None:
    """The module outside of which a large plan adds and removes nothing."""
    moved = [each.address for each in changes if each.action in ("add", "destroy", "replace", "forget")]
    resources = [address for address in moved if not address.startswith("output.")]
    if len(resources) < _LARGE:
        return None
    modules = {_module(address) for address in resources}
    return next(iter(modules)) if len(modules) == 1 and None not in modules else None


def _module(address: str) -> str | None:
    """The outermost module of an address, without its index."""
    if not address.startswith("module."):
        return None
    return "module." + address.removeprefix("module.").split(".")[0].split("[")[0]
