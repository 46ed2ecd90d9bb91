"""Where only the pipeline may apply, everybody else is refused. IAM refuses the same: it trusts that role alone."""

from __future__ import annotations

from orchestrator.model.rules import tooling
from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.gate import Gate, NotAsked, Reason


def check(asked: GateContext) -> Reason | None:
    release, env = asked.release, asked.release.tag.env
    if asked.environment.apply_from != "pipeline" or not _changes(asked):
        return None
    pipeline = tooling.pipeline(release.rules, env, release.target.stores.region)
    if tooling.is_session_of(asked.by, pipeline.role_arn("apply")):
        return None
    return Reason(
        f"environment {env} is applied from its pipeline alone (apply_from: pipeline), not by {asked.by}",
        f"Push the tag, or start its pipeline: `orchestrate submit --tag {release.tag}`.",
    )


def _changes(asked: GateContext) -> bool:
    """A plan without changes is only recorded, wherever that is done. Before there is a plan, nobody knows."""
    try:
        return asked.receipt.changes
    except NotAsked:
        return True


GATE = Gate(
    220, "apply-from", ("apply",), "the one who applies is the pipeline, where it alone may", check, ("apply_from",)
)
