"""Data tests: each file of `inventories/` holds inputs of the workload and the resources that they must give.

The files also plan every partition that AWS has customers in; no plan may name another partition than its own.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator.model.region import partition_of
from orchestrator.model.rules import Rules
from orchestrator.model.target import Target, all_targets
from orchestrator.sandbox.clients import client
from orchestrator.sandbox.process import Sandbox

INVENTORIES = sorted((Path(__file__).parent / "inventories").glob("*.yaml"))
ACCOUNT = "000000000000"


@dataclass(frozen=True)
class Case:
    """`values` are attributes that a resource must have, by its address."""

    variables: dict[str, Any]
    inventory: dict[str, int]
    values: dict[str, dict[str, Any]]


def read(text: str) -> Case:
    """Raises ValueError for an inventory that is missing or empty: it would hold for anything."""
    data = yaml.safe_load(text)
    if not data.get("inventory"):
        raise ValueError("the inventory is empty: list the resources that the inputs must give")
    return Case(data["variables"], data["inventory"], data.get("values", {}))


def test_there_are_inventories() -> None:
    assert len(INVENTORIES) >= 6


@pytest.mark.parametrize("text", ["variables: {}\ninventory: {}\n", "variables: {}\n", "variables: {}\ninventory:\n"])
def test_empty_inventory_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="the inventory is empty"):
        read(text)


def _resources(module: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from (resource for resource in module.get("resources", []) if resource["mode"] == "managed")
    for child in module.get("child_modules", []):
        yield from _resources(child)


def _planned(plan: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {resource["address"]: resource for resource in _resources(plan["planned_values"]["root_module"])}


@pytest.fixture(scope="module")
def workload(root: Callable[..., Any]) -> Any:
    return root("workload")


@pytest.fixture(scope="module")
def planned_once(workload: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The plan of an empty state; the same variables are planned once."""
    plans: dict[str, dict[str, Any]] = {}

    def plan(variables: dict[str, Any]) -> dict[str, Any]:
        key = json.dumps(variables, sort_keys=True)
        if key not in plans:
            plans[key] = workload.with_state("none").plan(variables)
        return plans[key]

    return plan


@pytest.fixture(scope="module")
def with_role(emulated: Sandbox) -> Iterator[Callable[[str, str], None]]:
    """Makes the role that a regional scope looks for, in the partition of its Region."""
    made: set[tuple[str, str]] = set()

    def make(region: str, name: str) -> None:
        if (partition_of(region), name) not in {(partition_of(where), what) for where, what in made}:
            client(emulated, "iam", region=region).create_role(RoleName=name, AssumeRolePolicyDocument="{}")
            made.add((region, name))

    yield make
    for region, name in made:
        client(emulated, "iam", region=region).delete_role(RoleName=name)


@pytest.mark.slow
@pytest.mark.parametrize("path", INVENTORIES, ids=lambda path: path.stem)
def test_inputs_give_the_inventory(
    path: Path, planned_once: Callable[[dict[str, Any]], dict[str, Any]], with_role: Callable[[str, str], None]
) -> None:
    case = read(path.read_text())
    variables = {"account": ACCOUNT, "release": "1.0", **case.variables}
    if variables["scope"] != "global":
        with_role(variables["region"], f"{variables['env']}-{variables['team']}-flow-logs")
    plan = planned_once(variables)
    planned = _planned(plan)
    assert Counter(resource["type"] for resource in planned.values()) == case.inventory
    for address, values in case.values.items():
        assert {name: planned[address]["values"][name] for name in values} == values
    assert _partitions(plan) == {partition_of(variables["region"])}


def _partitions(plan: dict[str, Any]) -> set[str]:
    return set(re.findall(r"arn:(aws[a-z-]*):", json.dumps([plan["planned_values"], plan["prior_state"]])))


US = ("dev", "research", "us-east-1")
ENVS = Path(__file__).parents[2] / "envs"
REGIONS = "regions: [us-east-1, eu-central-1, ap-southeast-1]\n"


def _targets(dev: str) -> dict[tuple[str, str, str], Target]:
    """By environment, team and scope, of the repository's own configuration with another envs/dev.yaml."""
    files = {f"envs/{file.name}": file.read_text() for file in ENVS.glob("*.yaml")}
    rules = Rules.parse({**files, "envs/dev.yaml": dev})
    return {(target.env, target.team, target.scope): target for target in all_targets(rules)}


def _variables(target: Target) -> dict[str, str]:
    names = ("region", "env", "team", "scope")
    return {name: getattr(target, name) for name in names} | {"account": ACCOUNT, "release": "1.0"}


@pytest.mark.slow
def test_new_region_is_one_line_of_configuration(
    workload: Any, planned_once: Callable[[dict[str, Any]], dict[str, Any]], with_role: Callable[[str, str], None]
) -> None:
    with_role("us-east-1", "dev-research-flow-logs")
    dev = (ENVS / "dev.yaml").read_text()
    before, after = _targets(dev), _targets(dev.replace(REGIONS, REGIONS.replace("]", ", ca-central-1]")))
    assert set(after) - set(before) == {("dev", "research", "ca-central-1")}
    assert {target: after[target] for target in before} == before
    old = _planned(planned_once(_variables(before[US])))
    assert _planned(workload.with_state("none").plan(_variables(after[US]))) == old != {}
    new = _planned(planned_once(_variables(after["dev", "research", "ca-central-1"])))
    assert {resource["type"] for resource in new.values()} == {resource["type"] for resource in old.values()}
