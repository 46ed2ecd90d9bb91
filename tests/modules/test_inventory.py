"""Data tests: each file of `inventories/` holds inputs of the workload and the resources that they must give.

The files also plan every partition that AWS has customers in; no plan may name another partition than its own.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.model.rules.region import partition_of
from orchestrator.model.rules.rules import Rules
from orchestrator.model.rules.target import Target, all_targets
from tests.support.modules import cases
from tests.support.modules.runs import ModuleRun

PlanOf = Callable[[str], ModuleRun]


def test_there_are_inventories() -> None:
    assert len(cases.INVENTORIES) >= 7


@pytest.mark.parametrize("text", ["variables: {}\ninventory: {}\n", "variables: {}\n", "variables: {}\ninventory:\n"])
def test_empty_inventory_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="the inventory is empty"):
        cases.inventory(text)


@pytest.mark.slow
@pytest.mark.parametrize("path", cases.INVENTORIES, ids=lambda path: path.stem)
def test_inputs_give_the_inventory(path: Path, plan_of: PlanOf) -> None:
    wanted, plan = cases.inventory(path.read_text()), plan_of(path.stem)
    assert (plan.status, plan.said) == ("pass", [])
    assert Counter(plan.types) == wanted.inventory
    for address, values in wanted.values.items():
        assert {name: plan.resources[address][name] for name in values} == values
    assert _partitions(plan) == {partition_of(wanted.variables["region"])}


def _partitions(plan: ModuleRun) -> set[str]:
    return set(re.findall(r"arn:(aws[a-z-]*):", json.dumps(plan.resources)))


US, CANADA = ("dev", "research", "us-east-1"), ("dev", "research", "ca-central-1")
ENVS = Path(__file__).parents[2] / "envs"
REGIONS = "regions: [us-east-1, eu-central-1, ap-southeast-1]\n"


def _targets(dev: str) -> dict[tuple[str, str, str], Target]:
    """By environment, team and scope, of the repository's own configuration with another envs/dev.yaml."""
    files = {f"envs/{file.name}": file.read_text() for file in ENVS.glob("*.yaml")}
    rules = Rules.parse({**files, "envs/dev.yaml": dev})
    return {(target.env, target.team, target.scope): target for target in all_targets(rules)}


def _variables(target: Target) -> dict[str, str]:
    names = ("region", "env", "team", "scope")
    return {name: getattr(target, name) for name in names} | {"account": cases.ACCOUNT, "release": "1.0"}


@pytest.mark.slow
def test_new_region_is_one_line_of_configuration(plan_of: PlanOf) -> None:
    dev = (ENVS / "dev.yaml").read_text()
    before, after = _targets(dev), _targets(dev.replace(REGIONS, REGIONS.replace("]", ", ca-central-1]")))
    assert set(after) - set(before) == {CANADA}
    assert {target: after[target] for target in before} == before
    known, new = cases.read()["regional"], cases.read()["regional-new"]
    assert (known.variables, new.variables) == (_variables(before[US]), _variables(after[CANADA]))
    assert set(plan_of("regional-new").types) == set(plan_of("regional").types)
