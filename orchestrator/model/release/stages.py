"""The stages of a release, each named here alone: commands, the release, its pipeline and reports follow this table.

The pipeline's Terraform definition (modules/release-pipeline) and the build specifications say the same in their
languages; tests/modules/tooling compares them with it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, TypeAlias

from orchestrator.model.ledger.ledger import Kind
from orchestrator.model.rules.check_names import CHECKS, Check, checks_of_release
from orchestrator.model.rules.tooling import RoleKind

Stage: TypeAlias = Literal[Check, "plan", "approve", "apply", "verify"]


@dataclass(frozen=True)
class StageDefinition:
    """One stage. In the pipeline it is a CodeBuild project, or without a `role` an approval that CodePipeline asks for.

    `records` are the entries of the ledger that tell how it ended. `takes` are the stages whose results it is given,
    `with_report` says that its findings go to a report group. Stages `before_review` are left out where a stored
    plan is gone on with, stages `with_changes` where the plan changes nothing.
    """

    name: Stage
    does: str
    records: tuple[Kind, ...]
    role: RoleKind | None = None
    takes: tuple[Stage, ...] = ()
    with_report: bool = False
    before_review: bool = False
    with_changes: bool = False

    @property
    def action(self) -> str:
        """As CodePipeline calls it."""
        return self.name.capitalize()


def _check(name: Check) -> StageDefinition:
    return StageDefinition(
        name,
        f"Run the check {name} of the tagged commit; hands on {name}.json and {name}.xml.",
        ("checked",),
        role="check",
        with_report=True,
        before_review=True,
    )


STAGES = (
    *(_check(name) for name in CHECKS),
    StageDefinition(
        "plan",
        "Plan; hands on plan.env, which steers the rest of the execution.",
        ("planned", "stopped", "aborted"),
        role="plan",
        takes=CHECKS,
        before_review=True,
    ),
    StageDefinition(
        "approve",
        "Wait until people have approved the plan.",
        ("approved", "rejected", "overridden", "break-glass"),
        with_changes=True,
    ),
    StageDefinition(
        "apply",
        "Apply exactly the plan of the execution's digest.",
        ("applied", "failed"),
        role="apply",
        with_changes=True,
    ),
    StageDefinition(
        "verify",
        "Ask the released address until it answers as it should.",
        ("verified",),
        role="verify",
    ),
)
"""In their order. Of the checks a release has the default ones and those that its environment requires."""

STEPS = tuple(stage for stage in STAGES if stage.role is not None)
"""Those that are builds in the pipeline."""


def stages_of(required: Collection[Check]) -> tuple[StageDefinition, ...]:
    """The stages of a release to an environment that requires these checks."""
    left_out = {check for check in CHECKS if check not in checks_of_release(required)}
    return tuple(stage for stage in STAGES if stage.name not in left_out)
