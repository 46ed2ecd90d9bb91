"""The apply stage: applies the very plan that was stored, once, under the apply role."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from orchestrator.effects.ledger.lease import Held, Holder, here
from orchestrator.effects.terraform import artefact
from orchestrator.effects.terraform.terraform import PLAN_FILE
from orchestrator.effects.terraform.workspace import Workspace, opened
from orchestrator.errors import Locked, OrchestrateError, Refused, StageFailed
from orchestrator.model.ledger.ledger import Draft, History, Kind
from orchestrator.model.release import receipt as receipts
from orchestrator.model.release.receipt import PlanReceipt
from orchestrator.model.tools.dialect import DIALECTS
from orchestrator.stages.approval.announcement import announce_apply
from orchestrator.stages.context.context import ReleaseContext
from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.registry import ask
from orchestrator.stages.record.planning import Admission
from orchestrator.stages.record.refusals import recorded
from orchestrator.stages.recovery.interrupted import tell
from orchestrator.stages.recovery.unsaved import STATES, keep_if_possible
from orchestrator.stages.release import stored_plan
from orchestrator.stages.terraform import prepare
from orchestrator.stages.terraform.credentials import narrowed

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
    release, asked = ctx.release, GateContext.of(ctx, "apply", acts=True)
    tell(ctx, asked.history)
    ask(asked)
    by, receipt = asked.by, asked.receipt
    if not receipt.changes:
        return _nothing_to_do(ctx, receipt, by)
    place = here(ctx.env)
    holder = Holder(by, str(release.tag), place.where, place.build)
    with (
        ctx.leases.held(release.target.id, holder, ctx.progress) as lease,
        opened(Path(receipt.workspace)) as workspace,
        ExitStack() as until_applied,
    ):
        root = prepare.export(ctx, workspace)
        files = prepare.read(ctx, root)
        started = prepare.terraform(ctx, workspace, root, lease.lost.is_set)
        terraform = until_applied.enter_context(narrowed(ctx, started, apply=True))
        terraform.init()
        prepared = prepare.complete(ctx, terraform, files)
        _check_modules(ctx, receipt, prepared)
        terraform = prepared.terraform
        _restore(ctx, receipt, workspace)
        stored_plan.check(ctx, prepared, receipt, Admission(asked.history, by, asked.rollback))
        told = announce_apply(ctx, receipt, asked.tally)
        begun = ctx.chain.append(lambda history: _begin(ctx, receipt, history, by, told), lease)
        workspace.begun.write_text(begun.id)
        outputs = _run(
            ctx, _ApplyRun(receipt, by, lease, workspace), lambda: terraform.apply(release.target.roles.apply)
        )
    return ApplyResult(receipt, "applied", outputs)


def _check_modules(ctx: ReleaseContext, receipt: PlanReceipt, prepared: prepare.Prepared) -> None:
    """The plan holds the configuration that it was made of, but what a module reads at apply may be another file."""
    if dict(prepared.modules) != receipt.modules:
        names = sorted(key for key, _ in prepared.modules.items() ^ receipt.modules.items())
        raise Refused(
            f"{names[0]}, which comes from outside the commit, is not what it was when the plan was made",
            hint=f"Find out who changed it; then run `orchestrate plan --tag {ctx.release.tag}`.",
        )


def _begin(ctx: ReleaseContext, receipt: PlanReceipt, history: History, by: str, told: dict[str, Any]) -> Draft:
    """Whoever's entry comes first applies; everyone after sees it and stops."""
    ask(GateContext.of(ctx, "begin", history=history, receipt=receipt))
    return _draft("applying", receipt, by, {**here(ctx.env).detail(), **told})


def _draft(kind: Kind, receipt: PlanReceipt, by: str, detail: dict[str, Any]) -> Draft:
    return Draft(kind, receipt.tag, receipt.commit, by, receipt.digest, {**detail, **receipts.rollback_detail(receipt)})


def _nothing_to_do(ctx: ReleaseContext, receipt: PlanReceipt, by: str) -> ApplyResult:
    """A plan without changes is recorded as the version that runs, and not given to Terraform."""

    def decide(history: History) -> Draft:
        ask(GateContext.of(ctx, "begin", history=history, receipt=receipt))
        before = history.newest("applied")
        kept = before.detail.get("outputs", {}) if before is not None else {}
        return _draft("applied", receipt, by, _applied(ctx, receipt, "no changes", kept))

    ctx.chain.append(decide)
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
        ctx.chain.append(lambda _: _draft(kind, run.receipt, run.by, detail), run.lease)

    try:
        outputs = {name: o["value"] for name, o in apply_plan().items() if not o.get("sensitive") and "value" in o}
    except Exception as error:
        kept = keep_if_possible(ctx, run.workspace)
        if run.lease.lost.is_set():
            raise _lost(ctx) from None
        record("failed", {"reason": _reason(ctx, error), **({STATES: kept} if kept else {})})
        raise _with_way_on(error, ctx) from None
    record("applied", _applied(ctx, run.receipt, "applied", outputs))
    return outputs


def _reason(ctx: ReleaseContext, error: Exception) -> str:
    """For the record. The message of a fault of our own may hold anything."""
    if isinstance(error, OrchestrateError):
        return ctx.masker(error.message)[:1000]
    return f"orchestrate itself failed ({type(error).__name__})"


def _lost(ctx: ReleaseContext) -> Locked:
    name = DIALECTS[ctx.release.rules.project.terraform.program].title
    return Locked(
        f"the deployment lock could not be renewed, so {name} was stopped before somebody else could take it over",
        hint=f"{name} saved what it had done. Run `orchestrate plan --tag {ctx.release.tag}`: it shows what is left.",
    )


def _with_way_on(error: Exception, ctx: ReleaseContext) -> Exception:
    if isinstance(error, StageFailed) and error.hint is None:
        error.hint = (
            "What was done before the error is in the state. Fix the cause, then run `orchestrate plan --tag "
            f"{ctx.release.tag}`: it shows what is left, and resources that failed half-way as replacements."
        )
    return error
