"""Each check is named once: everything else that lists checks follows."""

from __future__ import annotations

import re
from pathlib import Path

from orchestrator.cli.commands.checks import checks as commands
from orchestrator.cli.commands.step import step
from orchestrator.cli.main import orchestrate
from orchestrator.model.rules.check_names import CHECKS, DEFAULT_CHECKS, DOES, checks_of_release
from orchestrator.model.rules.check_settings import Checks
from orchestrator.stages.checks.table import TABLE

PIPELINE = Path(__file__).parents[3] / "modules/release-pipeline/builds.tf"


def test_every_check_has_scanners_settings_help_and_commands() -> None:
    assert tuple(TABLE) == CHECKS
    assert all(name == definition.name and definition.scanners for name, definition in TABLE.items())
    assert set(CHECKS) == DOES.keys() == commands.keys()
    assert set(CHECKS) <= set(Checks.__struct_fields__)
    assert set(CHECKS) <= step.commands.keys()
    assert all(orchestrate.get_command(None, name) is commands[name] for name in CHECKS)  # type: ignore[arg-type]


def test_a_check_judges_its_own_findings_alone() -> None:
    judges = {name: definition.judge(Checks(), None).check for name, definition in TABLE.items()}
    assert judges == {name: name for name in CHECKS}


def test_a_release_runs_the_default_checks_and_what_is_required() -> None:
    assert checks_of_release([]) == DEFAULT_CHECKS
    assert checks_of_release(["test"]) == ("lint", "scan", "test")


def test_the_pipeline_of_terraform_has_the_default_checks() -> None:
    (listed,) = re.findall(r"^  checks += distinct\(concat\(\[(.*?)\]", PIPELINE.read_text(), re.MULTILINE)
    assert tuple(re.findall(r'"(\w+)"', listed)) == DEFAULT_CHECKS
