"""Targets as a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from orchestrator.model.rules.target import Target
from orchestrator.report.text.table import columns

_COLUMNS = ("ENVIRONMENT", "SCOPE", "TEAM", "ACCOUNT", "REGION", "ROOT", "STATE")


def facts(target: Target) -> dict[str, object]:
    """One entry of `targets --format json`."""
    return {
        "id": target.id,
        "env": target.env,
        "scope": target.scope,
        "team": target.team,
        "account": target.account,
        "region": target.region,
        "partition": target.partition,
        "root": target.root,
        "backend": asdict(target.backend),
    }


def as_json(targets: Sequence[Target]) -> str:
    return json.dumps({"targets": [facts(target) for target in targets]}, indent=2)


def as_text(targets: Sequence[Target]) -> str:
    return columns([_COLUMNS, *(_row(target) for target in targets)])


def _row(target: Target) -> tuple[str, ...]:
    state = f"s3://{target.backend.bucket}/{target.backend.key}"
    return target.env, target.scope, target.team, target.account, target.region, target.root, state
