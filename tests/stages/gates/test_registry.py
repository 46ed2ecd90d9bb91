"""The registry of gates: all of them, in one order."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from orchestrator.errors import InvalidInput, Refused, WaitingForApproval
from orchestrator.stages.gates import gate as gates
from orchestrator.stages.gates import registry
from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.gate import MOMENTS, Gate, Moment, Reason
from orchestrator.stages.gates.registry import GATES, ask
from orchestrator.stages.tags.resolve import resolve
from tests.support.git_project import GitProject

TOP = Path(__file__).parents[3]
TAG = "dev_us-east-1/research/1.0"


def test_each_module_is_a_gate_of_its_name() -> None:
    modules = {path.stem for path in Path(gates.__file__).parent.glob("*.py")}
    machinery = {"__init__", "gate", "context", "registry"}
    assert {gate.name.replace("-", "_") for gate in GATES} == modules - machinery


def test_no_two_gates_have_the_same_place() -> None:
    orders = [gate.order for gate in GATES]
    assert orders == sorted(set(orders))


def test_every_moment_is_described_and_some_gate_is_asked_then() -> None:
    assert set(get_args(Moment)) == set(MOMENTS)
    assert {moment for gate in GATES for moment in gate.moments} == set(MOMENTS)


def _holds(schema: dict[str, Any], node: dict[str, Any], path: list[str]) -> bool:
    for option in (node, *node.get("anyOf", [])):
        there = schema["$defs"][option["$ref"].rpartition("/")[2]] if "$ref" in option else option
        if not path:
            return True
        name, *rest = path
        child = there.get("properties", {}).get(name) if name != "<name>" else there.get("additionalProperties")
        if child and _holds(schema, child, rest):
            return True
    return False


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.name)
def test_its_settings_are_keys_of_an_environment(gate: Gate) -> None:
    schema = json.loads((TOP / "docs/schemas/environment.json").read_text())
    root = {"$ref": schema["$ref"]} if "$ref" in schema else schema
    assert [key for key in gate.settings if not _holds(schema, root, key.split("."))] == []
    assert not _holds(schema, root, ["approval", "no_such_key"])


def _gate(order: int, moments: tuple[Moment, ...], reason: Reason | None) -> Gate:
    return Gate(order, f"gate-{order}", moments, "it holds", lambda _: reason)


def test_the_first_that_does_not_hold_is_told_of_those_that_are_asked_then(
    git_project: GitProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    git_project.tag(TAG)
    repository = git_project.open()
    asked = GateContext("apply", resolve(repository, TAG, None), repository)
    made = (
        _gate(1, ("plan",), Reason("not now")),
        _gate(2, ("apply", "plan"), None),
        _gate(3, ("apply",), Reason("why", "what to do")),
        _gate(4, ("apply", "wait"), Reason("too late", None, WaitingForApproval)),
    )
    monkeypatch.setattr(registry, "GATES", made)
    with pytest.raises(Refused, match=r"^why\nwhat to do$") as error:
        ask(asked)
    assert error.value.exit_code == 4
    with pytest.raises(WaitingForApproval, match="too late"):
        ask(asked.when("wait"))
    ask(asked.when("review"))


def test_a_fact_is_read_once_also_where_it_cannot_be_read(git_project: GitProject) -> None:
    git_project.tag(TAG)
    repository = git_project.open()
    asked = GateContext("tag", resolve(repository, TAG, None), repository)
    assert asked.ref is asked.when("apply").ref
    git_project.git("tag", "--delete", TAG)
    assert asked.ref.name == TAG
    later = replace(asked, facts={})
    with pytest.raises(InvalidInput):
        assert later.ref
    git_project.tag(TAG)
    with pytest.raises(InvalidInput):
        assert later.when("apply").ref
