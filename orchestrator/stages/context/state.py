"""The state of a target as it is stored."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.effects.aws.objects import Bucket
from orchestrator.effects.aws.session import Session
from orchestrator.effects.tools.find import find
from orchestrator.model.release.receipt import StateVersion
from orchestrator.model.release.recovery import StateContent
from orchestrator.model.rules.rules import Rules
from orchestrator.model.rules.target import Target
from orchestrator.model.terraform.provider_lock import LOCK_FILE, locked_versions, parse_lock_file
from orchestrator.model.terraform.state_file import StateFile, check_state
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


def locked_by(ctx: ReleaseContext) -> Mapping[str, str]:
    """The providers that the commit's lock file fixes."""
    lock_file = ctx.repository.read(ctx.release.commit, f"{ctx.release.target.root}/{LOCK_FILE}") or b""
    return locked_versions(parse_lock_file(lock_file.decode(errors="replace")))


def check_usable(ctx: ReleaseContext, state: StateFile) -> None:
    """Raises Refused where the commit's code cannot work with a state."""
    check_state(state, locked_by(ctx), find(ctx.release.rules.project.terraform.program, env=ctx.env).version)
