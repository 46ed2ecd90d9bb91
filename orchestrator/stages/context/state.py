"""The state of a target as it is stored."""

from __future__ import annotations

from orchestrator.effects.aws.objects import Bucket
from orchestrator.effects.aws.session import Session
from orchestrator.model.release.receipt import StateVersion
from orchestrator.model.release.recovery import StateContent
from orchestrator.model.rules.rules import Rules
from orchestrator.model.rules.target import Target
from orchestrator.stages.context.context import ReleaseContext


def stored_state(aws: Session, rules: Rules, target: Target) -> StateContent | None:
    """None where there is none yet; StageFailed where it is none of Terraform's."""
    backend = target.backend
    content = Bucket(aws, backend.bucket, backend.region, rules.project.tooling.account, target.env).get(backend.key)
    return None if content is None else StateContent.read(content, f"the state s3://{backend.bucket}/{backend.key}")


def state_version(ctx: ReleaseContext) -> StateVersion:
    """Lineage and serial of the stored state; raises StageFailed where it is none."""
    state = stored_state(ctx.aws, ctx.release.rules, ctx.release.target)
    return StateVersion(lineage="", serial=0) if state is None else state.version
