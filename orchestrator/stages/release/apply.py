"""The apply stage: applies the very plan that was stored, once, under the apply role."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from orchestrator.effects.ledger.lease import Held, Holder, here
from orchestrator.effects.system import clock
from orchestrator.effects.terraform import artefact
from orchestrator.effects.terraform.terraform import PLAN_FILE
from orchestrator.effects.terraform.workspace import Workspace, opened, suffix
from orchestrator.errors import Locked, OrchestrateError, Refused, StageFailed
from orchestrator.model.approval.approval import Tally
from orchestrator.model.ledger.ledger import Draft, Entry, History, Kind
from orchestrator.model.release import receipt as receipts
from orchestrator.model.release.admission import superseded, withdrawn_reason
from orchestrator.model.release.receipt import PlanReceipt
from orchestrator.model.rules import windows
from orchestrator.model.tools.dialect import DIALECTS
from orchestrator.stages.approval.announcement import announce_apply
from orchestrator.stages.approval.approvals import check_answers, record_answers, tally
from orchestrator.stages.context.context import ReleaseContext
from orchestrator.stages.gates.promotion import PromotedCommit, check_promotion
from orchestrator.stages.gates.receipts import (
    check_same_release,
    newest_receipt,
    place,
    require_pipeline,
    state_version,
)
from orchestrator.stages.record.refusals import recorded
from orchestrator.stages.recovery.interrupted import tell
from orchestrator.stages.recovery.unsaved import STATES, keep_if_possible
from orchestrator.stages.terraform import prepare

# The outputs that the verify stage needs later.
_VERIFIED_OUTPUTS = ("verify_url", "verify_text")


@dataclass(frozen=True)
class ApplyResult:
    """`outputs` never holds sensitive values."""

    receipt: PlanReceipt
    result: Literal["applied", "no changes"]
    outputs: Mapping[str, Any]


@recorded("apply")
def apply(ctx: ReleaseContext) -> ApplyResult:
    """Applies the newest stored plan of the tag; plans nothing itself."""
    by = ctx.identify()
    release = ctx.release
    ctx.ledger.pin(str(release.tag), release.tag_object, release.commit)
    receipt = newest_receipt(ctx)
    if receipt.changes:
        require_pipeline(ctx, by)
    record_answers(ctx, receipt.digest)
    history = ctx.ledger.history(release.target.id)
    tell(ctx, history)
    found = admit(ctx, receipt, history)
    _check_binding(ctx, receipt)
    if not receipt.changes:
        return _nothing_to_do(ctx, receipt, by)
    place = here(ctx.env)
    holder = Holder(by, str(release.tag), place.where, place.build)
    with (
        ctx.leases.held(release.target.id, holder, ctx.progress) as lease,
        opened(_workspace_of(ctx, receipt)) as workspace,
    ):
        root = prepare.export(ctx, workspace)
        files = prepare.read(ctx, root)
        terraform = prepare.terraform(ctx, workspace, root, lease.lost.is_set)
        terraform.init()
        terraform = prepare.complete(ctx, terraform, files).terraform
        _restore(ctx, receipt, workspace)
        told = announce_apply(ctx, receipt, found)
        begun = ctx.ledger.append(release.target.id, lambda history: _begin(ctx, receipt, history, by, told), lease)
        workspace.begun.write_text(begun.id)
        outputs = _run(
            ctx, _ApplyRun(receipt, by, lease, workspace), lambda: terraform.apply(release.target.roles.apply)
        )
    return ApplyResult(receipt, "applied", outputs)


def _check_binding(ctx: ReleaseContext, receipt: PlanReceipt) -> None:
    """What the digest binds must be what this release is now."""
    release = ctx.release
    again = f"Run `orchestrate plan --tag {release.tag}` and review that plan."
    check_same_release(ctx, receipt)
    now = place(release)
    differing = [name for name in now.__struct_fields__ if getattr(now, name) != getattr(receipt.place, name)]
    if differing:
        name = differing[0]
        raise Refused(
            f"the rules have changed since the plan was made: {name} was {getattr(receipt.place, name)}, "
            f"it is {getattr(now, name)} now",
            hint=again,
        )
    untimely_reason = receipt.untimely_reason(clock.now())
    if untimely_reason is not None:
        raise Refused(untimely_reason, hint=again)
    if state_version(ctx) != receipt.state:
        raise Refused("the state has changed since the plan was made: the plan is stale", hint=again)


def admit(ctx: ReleaseContext, receipt: PlanReceipt, history: History) -> Tally:
    """The rules that a plan must meet before it is applied, as of the newest entries of the ledger and all answers."""
    _check_standing(ctx, receipt, history)
    found = tally(ctx, receipt)
    _check_time(ctx, found)
    if receipt.rollback is None:
        check_promotion(PromotedCommit.of(ctx.release, ctx.repository, ctx.aws))
    tag = str(ctx.release.tag)
    environment = ctx.release.rules.environments[ctx.release.tag.env]
    for check in environment.checks.required:
        passed = history.check_passed(check, receipt.commit)
        if not passed:
            state = "has not run on" if passed is None else "failed on"
            raise Refused(
                f"the required check `{check}` {state} commit {receipt.commit[:12]}",
                hint=f"Run `orchestrate {check} --tag {tag}`, then apply again.",
            )
    missing = check_answers(ctx, receipt, found)
    if missing is not None:
        raise Refused(missing, hint=f"`orchestrate approve --tag {tag}` shows the plan and asks.")
    return found


def _check_standing(ctx: ReleaseContext, receipt: PlanReceipt, history: History) -> None:
    """No newer plan, not applied before, no newer version applied."""
    again = f"Run `orchestrate plan --tag {ctx.release.tag}` and review that plan."
    begun = history.newest("applying", "applied", digest=receipt.digest)
    if begun is not None:
        raise Refused(_applied_before(history, begun), hint=again)
    late = superseded(history, ctx.release.tag)
    if late is not None:
        raise Refused(late, hint="To go back, release that commit under a new version: `orchestrate rollback`.")
    gone = withdrawn_reason(history, str(ctx.release.tag), receipt.digest)
    if gone is not None:
        raise Refused(gone, hint=again)


def _check_time(ctx: ReleaseContext, found: Tally) -> None:
    """Who breaks the glass does not wait for a window."""
    environment = ctx.release.rules.environments[ctx.release.tag.env]
    why = windows.closed_reason(environment.windows, environment.freeze, clock.now())
    if why is not None and found.broken is None:
        raise Refused(f"{ctx.release.tag} is not applied now: {why}", hint="The plan stays; apply it when it is open.")


_ENDS = {"applied": "is done", "failed": "failed", "recovered": "was interrupted and has been recovered"}


def _applied_before(history: History, begun: Entry) -> str:
    ended = history.newest("applied", "failed", "recovered", digest=begun.digest)
    what = "did not finish" if ended is None else _ENDS[ended.kind]
    return f"the newest plan of {begun.tag} was applied before, at {begun.at} by {begun.by}; that apply {what}"


def _begin(ctx: ReleaseContext, receipt: PlanReceipt, history: History, by: str, told: dict[str, Any]) -> Draft:
    """Whoever's entry comes first applies; everyone after sees it and stops."""
    admit(ctx, receipt, history)
    return _draft("applying", receipt, by, {**here(ctx.env).detail(), **told})


def _draft(kind: Kind, receipt: PlanReceipt, by: str, detail: dict[str, Any]) -> Draft:
    return Draft(kind, receipt.tag, receipt.commit, by, receipt.digest, {**detail, **receipts.rollback_detail(receipt)})


def _nothing_to_do(ctx: ReleaseContext, receipt: PlanReceipt, by: str) -> ApplyResult:
    """A plan without changes is recorded as the version that runs, and not given to Terraform."""
    before = ctx.ledger.history(ctx.release.target.id).newest("applied")
    kept = before.detail.get("outputs", {}) if before is not None else {}

    def decide(history: History) -> Draft:
        admit(ctx, receipt, history)
        return _draft("applied", receipt, by, _applied(ctx, receipt, "no changes", kept))

    ctx.ledger.append(ctx.release.target.id, decide)
    return ApplyResult(receipt, "no changes", {})


def _applied(ctx: ReleaseContext, receipt: PlanReceipt, result: str, outputs: Mapping[str, Any]) -> dict[str, Any]:
    target = ctx.release.target
    kept = {name: outputs[name] for name in _VERIFIED_OUTPUTS if outputs.get(name) is not None}
    return {
        "result": result,
        "account": target.account,
        "region": target.region,
        "resources_after": receipt.resources_after,
        "outputs": kept,
    }


def _workspace_of(ctx: ReleaseContext, receipt: PlanReceipt) -> Path:
    """The workspace of the plan; its path comes from the store, so only a path of the right shape is taken."""
    path = Path(receipt.workspace)
    if not path.is_absolute() or ".." in path.parts or not receipt.workspace.endswith(f"/{_own_suffix(ctx)}"):
        raise Refused(f"the receipt names the workspace {receipt.workspace}, which does not belong to this target")
    return path


def _own_suffix(ctx: ReleaseContext) -> Path:
    return suffix(ctx.release.rules.project, ctx.release.target)


def _restore(ctx: ReleaseContext, receipt: PlanReceipt, workspace: Workspace) -> None:
    archive = workspace.run / "plan.tar"
    if not ctx.releases.download(receipt.artefact.key, archive):
        raise Refused(f"the stored plan {receipt.artefact.key} is gone", hint="Plan again.")
    artefact.unpack(archive, receipt.artefact.sha256, workspace.run / PLAN_FILE, workspace.source)


@dataclass(frozen=True)
class _ApplyRun:
    """One apply: of what, by whom, under which lock, and where."""

    receipt: PlanReceipt
    by: str
    lease: Held
    workspace: Workspace


def _run(ctx: ReleaseContext, run: _ApplyRun, apply_plan: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Applies and records how it ended, whatever that is."""

    def record(kind: Kind, detail: dict[str, Any]) -> None:
        ctx.ledger.append(ctx.release.target.id, lambda _: _draft(kind, run.receipt, run.by, detail), run.lease)

    try:
        outputs = {name: o["value"] for name, o in apply_plan().items() if not o.get("sensitive") and "value" in o}
    except OrchestrateError as error:
        kept = keep_if_possible(ctx, run.workspace)
        if run.lease.lost.is_set():
            raise _lost(ctx) from None
        record("failed", {"reason": ctx.masker(error.message)[:1000], **({STATES: kept} if kept else {})})
        raise _with_way_on(error, ctx) from None
    record("applied", _applied(ctx, run.receipt, "applied", outputs))
    return outputs


def _lost(ctx: ReleaseContext) -> Locked:
    name = DIALECTS[ctx.release.rules.project.terraform.program].title
    return Locked(
        f"the deployment lock could not be renewed, so {name} was stopped before somebody else could take it over",
        hint=f"{name} saved what it had done. Run `orchestrate plan --tag {ctx.release.tag}`: it shows what is left.",
    )


def _with_way_on(error: OrchestrateError, ctx: ReleaseContext) -> OrchestrateError:
    if isinstance(error, StageFailed) and error.hint is None:
        error.hint = (
            "What was done before the error is in the state. Fix the cause, then run `orchestrate plan --tag "
            f"{ctx.release.tag}`: it shows what is left, and resources that failed half-way as replacements."
        )
    return error
