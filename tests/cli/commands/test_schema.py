"""`orchestrate schema`, and the files made with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from orchestrator.cli.main import main

TOP = Path(__file__).parents[3]


def output(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["schema", *arguments]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("name", ["project", "environment"])
def test_the_committed_schemas_are_current(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    made = (TOP / "docs/schemas" / f"{name}.json").read_text()
    assert made == output([name], capsys), f"run `orchestrate schema {name} > docs/schemas/{name}.json`"


def test_the_committed_schema_of_receipts_is_current_and_named_by_its_version(
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = output(["receipt"], capsys)
    version = json.loads(made)["$defs"]["PlanReceipt"]["properties"]["version"]["enum"][0]
    file = TOP / "docs/schemas" / f"receipt-{version}.json"
    assert file.read_text() == made, f"run `orchestrate schema receipt > docs/schemas/{file.name}`"


def test_the_committed_schemas_of_the_record_are_current(capsys: pytest.CaptureFixture[str]) -> None:
    for name, file in (("entry", "entry.json"), ("evidence", "evidence-1.json")):
        made = (TOP / "docs/schemas" / file).read_text()
        assert made == output([name], capsys), f"run `orchestrate schema {name} > docs/schemas/{file}`"
        Draft202012Validator.check_schema(json.loads(made))


def test_the_committed_reference_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    made = (TOP / "docs/configuration.md").read_text()
    assert made == output(["--markdown"], capsys), "run `orchestrate schema --markdown > docs/configuration.md`"


def test_the_reference_names_every_key_with_a_meaning(capsys: pytest.CaptureFixture[str]) -> None:
    page = output(["--markdown"], capsys)
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| `")]
    assert len(rows) > 30
    assert all(len(row) >= 4 and row[-1].removesuffix(" |").strip() for row in rows)
    assert "### `teams.<name>`" in page
    assert '| `required` | list of `lint`, `scan`, `test` | `["lint", "scan"]` |' in page


def test_this_repositorys_rules_follow_their_schemas_and_name_them(capsys: pytest.CaptureFixture[str]) -> None:
    files = sorted((TOP / "envs").glob("*.yaml"))
    assert len(files) >= 3
    for file in files:
        name = "project" if file.name == "orchestrate.yaml" else "environment"
        schema = json.loads(output([name], capsys))
        assert list(Draft202012Validator(schema).iter_errors(yaml.safe_load(file.read_text()))) == []
        assert f"# yaml-language-server: $schema=../docs/schemas/{name}.json\n" in file.read_text()
