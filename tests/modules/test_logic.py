"""`terraform test` of every module, with a mocked provider; and that every rule a module has is broken by some run."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hcl2
import pytest

from tests.support.modules import examples
from tests.support.modules.root import DrivenRoot
from tests.support.modules.runs import RunsOutcome

pytestmark = pytest.mark.slow

MODULES = Path(__file__).parents[2] / "modules"
NAMES = sorted(path.parent.name for path in MODULES.glob("*/main.tf"))
_RUN = re.compile(r'^run "([a-z0-9_]+)" \{$', re.MULTILINE)
_REJECTION = re.compile(r'^run "(?P<run>[a-z0-9_]+)" \{(?P<body>.*?)^\}', re.MULTILINE | re.DOTALL)
_EXPECTED = re.compile(r"expect_failures = \[(?P<objects>[^]]*)\]")


@pytest.mark.parametrize("name", NAMES)
def test_module_passes_its_own_tests(name: str, own_tests: RunsOutcome) -> None:
    found = own_tests.of(name)
    assert {run: outcome.said for run, outcome in found.items() if outcome.status != "pass"} == {}
    assert list(found) == _RUN.findall(_own_tests(name)) != []


def test_load_balancer_waits_for_the_way_to_the_internet(root: Callable[..., DrivenRoot]) -> None:
    """AWS makes no external one in a VPC without an internet gateway, and gives none up while addresses are in use."""
    edges = set(re.findall(r'^  "([^"]+)" -> "([^"]+)";$', root("regional").graph(), re.MULTILINE))
    assert ("module.web_entry.aws_lb.this", "module.network.aws_route.internet") in edges
    assert ("module.network.aws_route.internet", "module.network.aws_internet_gateway.this") in edges


def _own_tests(name: str) -> str:
    return "".join(file.read_text() for file in (MODULES / name / "tests").glob("*.tftest.hcl"))


@functools.cache
def _parsed(file: Path) -> dict[str, Any]:
    parsed: dict[str, Any] = hcl2.loads(file.read_text())
    return parsed


def _blocks(name: str, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """(address, body) of every block of a kind in a module: `variable`, `resource` or `data`."""
    prefix = {"variable": "var.", "resource": "", "data": "data."}[kind]
    for file in sorted((MODULES / name).glob("*.tf")):
        for block in _parsed(file).get(kind, []):
            yield from (
                (prefix + ".".join(label.strip('"') for label in labels), body)
                for labels, body in _labelled(block, kind)
            )


def _labelled(block: dict[str, Any], kind: str) -> Iterator[tuple[list[str], dict[str, Any]]]:
    for first, inner in block.items():
        if kind == "variable":
            yield [first], inner
        else:
            yield from (([first, second], body) for second, body in inner.items())


def _rules(name: str) -> Counter[str]:
    """How many rules each variable, resource and data source of a module has."""
    rules: Counter[str] = Counter()
    for address, body in _blocks(name, "variable"):
        rules[address] += len(body.get("validation", []))
    for kind in ("resource", "data"):
        for address, body in _blocks(name, kind):
            for lifecycle in body.get("lifecycle", []):
                rules[address] += len(lifecycle.get("precondition", [])) + len(lifecycle.get("postcondition", []))
    return +rules


def _rejections(name: str) -> Counter[str]:
    """How often a `reject_*` run expects each of them to refuse."""
    found: Counter[str] = Counter()
    for run in _REJECTION.finditer(_own_tests(name)):
        expected = _EXPECTED.search(run["body"])
        assert run["run"].startswith("reject_") == bool(expected), f"{name}: {run['run']}"
        objects = expected["objects"].split(",") if expected else []
        found.update(part.strip() for part in objects if part.strip())
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_of_a_module_has_a_run_that_breaks_it(name: str) -> None:
    rejections = _rejections(name)
    unbroken = {address for address, count in _rules(name).items() if rejections[address] < count}
    # The folder `envs` of the tooling has to be there, or fileset() ends Terraform before any rule is asked.
    assert unbroken == ({"var.envs"} if name == "tooling" else set())


def test_there_are_rules_to_break() -> None:
    assert all(_rules(name) for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_variable_is_typed_and_described_and_every_output_described(name: str) -> None:
    for address, body in _blocks(name, "variable"):
        assert body.get("description"), address
        assert "any" not in str(body.get("type", "any")), address


@pytest.mark.parametrize("name", examples.NAMES)
def test_a_variable_takes_null_only_where_null_means_something(name: str) -> None:
    """Where it does not, Terraform itself refuses null or takes the default, instead of a function failing on it."""
    for address, body in _blocks(name, "variable"):
        assert body.get("nullable") is False or re.search("[Nn]ull", body["description"]), address
