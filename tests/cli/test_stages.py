"""Whatever runs, reports or commands a stage follows the one table of stages."""

from __future__ import annotations

from itertools import chain
from typing import get_args

import click

from orchestrator.cli.commands.step import step
from orchestrator.cli.main import orchestrate
from orchestrator.model.release.stages import STAGES, STEPS, Stage, stages_of
from orchestrator.model.rules.check_names import CHECKS
from orchestrator.release import GROUPS
from orchestrator.report.release.outcomes import REPORTS
from orchestrator.stages.pipeline.step import RUNS

NAMES = [stage.name for stage in STAGES]


def test_the_table_holds_each_name_once() -> None:
    assert list(get_args(Stage)) == NAMES


def test_a_check_is_a_stage_where_it_is_required() -> None:
    assert [stage.name for stage in stages_of(())] == [name for name in NAMES if name != "test"]
    assert stages_of(CHECKS) == STAGES


def test_a_release_runs_all_stages_in_their_order() -> None:
    assert list(chain.from_iterable(group.stages for group in GROUPS)) == NAMES


def test_what_comes_before_the_review_is_left_out_together() -> None:
    flags = [stage.before_review for stage in STAGES]
    assert flags == sorted(flags, reverse=True), "a stored plan is gone on with from one place"
    assert [group.name for group in GROUPS if group.before_review] == ["checks", "plan"]


def test_every_stage_is_reported_and_is_a_command() -> None:
    assert list(REPORTS) == NAMES
    commands = orchestrate.list_commands(click.Context(orchestrate))
    assert [name for name in commands if name in NAMES] == NAMES


def test_every_build_of_the_pipeline_is_a_step() -> None:
    steps = [stage.name for stage in STEPS]
    assert list(RUNS) == steps
    assert isinstance(step, click.Group)
    assert list(step.commands) == [*steps, "ended"]


def test_a_stage_takes_results_of_those_before_it_alone() -> None:
    for place, stage in enumerate(STAGES):
        assert set(stage.takes) <= set(NAMES[:place])
