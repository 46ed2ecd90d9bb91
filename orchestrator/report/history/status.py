"""Status of targets as a table and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from orchestrator.model.approval.approval import shown
from orchestrator.model.release.recovery import Leftovers, stage_of
from orchestrator.report.text.table import table
from orchestrator.stages.history.bootstrapped import NotBootstrapped
from orchestrator.stages.history.status import Statuses, TargetStatus


def status_text(statuses: Statuses) -> str:
    head, found = ("ENV", "TEAM", "SCOPE", "VERSION", "COMMIT", "SINCE", "STATE"), statuses.found
    left = [line for status in found if status.interrupted is not None for line in ("", *status.interrupted.lines)]
    lines = [table(head, (_row(status) for status in found)), *left, *_due(found)]
    return "\n".join([*lines, *not_bootstrapped_lines(statuses.not_bootstrapped)])


def not_bootstrapped_lines(places: Sequence[NotBootstrapped]) -> list[str]:
    """One for each, below an empty one."""
    lines = [f"{place}: not bootstrapped; run `{place.command}`" for place in places]
    return ["", *lines] if lines else []


def _due(found: Sequence[TargetStatus]) -> list[str]:
    """Every broken glass that somebody must still follow up."""
    return [
        f"BREAK-GLASS {broken.tag}, {broken.at}, {broken.by}: {shown(broken.reason)}\n"
        f"  told: {broken.notified}\n"
        f"  follow-up due: orchestrate follow-up --tag {broken.tag} --note ..."
        for status in found
        for broken in status.follow_ups
    ]


def _row(status: TargetStatus) -> tuple[str, ...]:
    target, runs = status.target, status.runs
    state: str = status.state
    if status.newest is not None and status.newest is not runs:
        state += f" ({status.newest.tag.rpartition('/')[2]}, {status.newest.at})"
    since = (status.version or "-", runs.commit[:12], runs.at) if runs else ("-", "-", "-")
    return (target.env, target.team, target.scope, *since, state)


def status_fields(statuses: Statuses) -> dict[str, Any]:
    """Targets of an environment that is not bootstrapped are not among the `targets`."""
    return {
        "targets": [_fields(status) for status in statuses.found],
        "not_bootstrapped": not_bootstrapped_fields(statuses.not_bootstrapped),
    }


def not_bootstrapped_fields(places: Sequence[NotBootstrapped]) -> list[dict[str, Any]]:
    """`region` is null where the environment has one set of stores for all Regions."""
    return [{"env": place.env, "region": place.region, "command": place.command} for place in places]


def _fields(status: TargetStatus) -> dict[str, Any]:
    target, runs = status.target, status.runs
    return {
        "env": target.env,
        "team": target.team,
        "scope": target.scope,
        "target": target.id,
        "tag": runs.tag if runs else None,
        "version": status.version,
        "commit": runs.commit if runs else None,
        "digest": runs.digest if runs else None,
        "applied_at": runs.at if runs else None,
        "applied_by": runs.by if runs else None,
        "state": status.state,
        "follow_ups": msgspec.to_builtins(status.follow_ups),
        "interrupted": None if status.interrupted is None else _interrupted(status.interrupted),
    }


def _interrupted(left: Leftovers) -> dict[str, Any]:
    """`locks` are Terraform's, `lease` our own; `state` is what is stored now."""
    return {
        "runs": [{"kind": stage_of(run), "tag": run.tag, "at": run.at, "by": run.by} for run in left.runs],
        "locks": [{"kept": lock.kept, "id": lock.id, "who": lock.who, "since": lock.created} for lock in left.locks],
        "lease": left.lease,
        "state": None if left.state is None else msgspec.to_builtins(left.state),
    }
