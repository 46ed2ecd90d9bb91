"""What a receipt is compared with before anything follows from it: the release, its place, its state."""

from __future__ import annotations

from orchestrator.errors import Refused
from orchestrator.model.ledger.ledger import History
from orchestrator.model.release import receipt as receipts
from orchestrator.model.release.receipt import CheckState, Place, PlanReceipt, StateVersion
from orchestrator.model.release.release import Release
from orchestrator.model.rules import tooling
from orchestrator.stages.context.context import ReleaseContext
from orchestrator.stages.recovery.interrupted import stored_state

CHECKS = ("lint", "scan")


def state_version(ctx: ReleaseContext) -> StateVersion:
    """Lineage and serial of the stored state; raises StageFailed where it is none."""
    state = stored_state(ctx.aws, ctx.release.rules, ctx.release.target)
    return StateVersion(lineage="", serial=0) if state is None else state.version


def place(release: Release) -> Place:
    """The part of a receipt that the rules alone decide."""
    target = release.target
    return Place(
        target=target.id,
        account=target.account,
        region=target.region,
        partition=target.partition,
        root=target.root,
        bucket=target.backend.bucket,
        key=target.backend.key,
        backend_region=target.backend.region,
        plan_role=target.roles.plan,
        apply_role=target.roles.apply,
    )


def check_state(history: History, check: str, commit: str) -> CheckState:
    passed = history.check_passed(check, commit)
    return "not run" if passed is None else "passed" if passed else "failed"


def require_pipeline(ctx: ReleaseContext, by: str) -> None:
    """Raises Refused where only the pipeline may apply and `by` is not a session of its apply step's role.

    IAM refuses the same: such an environment's build roles trust that role alone.
    """
    release = ctx.release
    if release.rules.environments[release.tag.env].apply_from != "pipeline":
        return
    pipeline = tooling.pipeline(release.rules, release.tag.env, release.target.stores.region)
    if not tooling.is_session_of(by, pipeline.role_arn("apply")):
        raise Refused(
            f"environment {release.tag.env} is applied from its pipeline alone (apply_from: pipeline), not by {by}",
            hint=f"Push the tag, or start its pipeline: `orchestrate submit --tag {release.tag}`.",
        )


def newest_receipt(ctx: ReleaseContext) -> PlanReceipt:
    """The receipt of the newest plan of this tag; Refused where there is none or it is not the stored one."""
    tag = str(ctx.release.tag)
    planned = ctx.ledger.history(ctx.release.target.id).newest("planned", tag=tag)
    if planned is None or planned.digest is None:
        raise Refused(f"there is no plan of {tag}", hint=f"Run `orchestrate plan --tag {tag}` first.")
    content = ctx.releases.get(receipts.receipt_key(ctx.release.target.id, planned.digest))
    if content is None:
        raise Refused(f"the receipt {planned.digest[:16]} of {tag} is no longer stored", hint="Plan again.")
    return receipts.decode(content, planned.digest)


def check_same_release(ctx: ReleaseContext, receipt: PlanReceipt) -> None:
    """Refused where the tag is not what it was when the plan was made."""
    release = ctx.release
    if (receipt.tag, receipt.tag_object, receipt.commit) != (str(release.tag), release.tag_object, release.commit):
        raise Refused(
            f"the plan {receipt.digest[:16]} was made of commit {receipt.commit[:12]} (tag object "
            f"{receipt.tag_object[:12]}), but {release.tag} is {release.commit[:12]} ({release.tag_object[:12]}) now",
            hint="Was the tag moved? Make a new version instead.",
        )
