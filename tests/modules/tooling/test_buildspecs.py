"""The build specifications that the projects of the pipelines have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator.model.release.stages import STEPS, StageDefinition

REPOSITORY = Path(__file__).parents[3]


def test_build_specifications_are_short_and_pinned() -> None:
    found = sorted((REPOSITORY / "buildspecs").glob("*.yml"))
    assert [file.stem for file in found] == ["apply", "check", "copy", "plan", "submit", "verify"]
    for file in found:
        lines = file.read_text().splitlines()
        assert len(lines) <= 30, file
        assert file.stem == "copy" or any("--require-hashes" in line for line in lines), file


@pytest.mark.parametrize("stage", STEPS, ids=lambda stage: stage.name)
def test_the_build_of_a_stage_is_as_the_table_has_it(stage: StageDefinition) -> None:
    file = REPOSITORY / "buildspecs" / f"{'check' if stage.role == 'check' else stage.name}.yml"
    found: dict[str, Any] = yaml.safe_load(file.read_text().replace("${check}", stage.name))
    build = found["phases"]["build"]
    assert build["commands"][0] == f"orchestrate step {stage.name}"
    # A check may not write to the ledger; its result is handed on to a stage that may.
    handed_on = any(stage.name in other.takes for other in STEPS)
    assert ("finally" in build) == (not handed_on)
    assert found.get("artifacts", {}).get("files", []) == ([f"{stage.name}.json"] if handed_on else [])
    assert ("reports" in found) == stage.with_report
    if stage.with_report:
        assert found["reports"]["junit"]["files"] == [f"{stage.name}.xml"]
