"""The order of the stages of a release."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias

from orchestrator.effects.system import clock
from orchestrator.errors import OrchestrateError, StageFailed
from orchestrator.model.checks.check import CheckReport
from orchestrator.model.ledger.ledger import History
from orchestrator.model.release.admission import unapplied, withdrawn_reason
from orchestrator.model.release.stages import STAGES, Stage
from orchestrator.model.rules.check_names import CHECKS, checks_of_release
from orchestrator.stages.approval.approve import Approved, require_approval
from orchestrator.stages.checks.table import check_release
from orchestrator.stages.context.context import ReleaseContext
from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.registry import ask
from orchestrator.stages.record.record_check import record_check
from orchestrator.stages.release.apply import ApplyResult, apply
from orchestrator.stages.release.plan import PlanResult, plan
from orchestrator.stages.release.verify import Verified, verify

Result: TypeAlias = CheckReport | PlanResult | Approved | ApplyResult | Verified


@dataclass(frozen=True)
class StageResult:
    """What a stage has ended with."""

    stage: Stage
    value: Result


@dataclass(frozen=True)
class StageGroup:
    """Stages that run together: `run` ends them, each with a result of its own."""

    name: str
    stages: tuple[Stage, ...]
    run: Callable[[ReleaseContext], Iterator[StageResult]]

    @property
    def before_review(self) -> bool:
        """Left out where a stored plan is gone on with."""
        return all(stage.before_review for stage in STAGES if stage.name in self.stages)


def _checks(ctx: ReleaseContext) -> Iterator[StageResult]:
    """All checks of the release, two at a time; all results are kept even where one fails."""
    ctx.identify()
    names = checks_of_release(ctx.release.rules.environments[ctx.release.tag.env].checks.required)
    with ThreadPoolExecutor(max_workers=2) as pool:
        running = {name: pool.submit(check_release, name, ctx.release, ctx.repository, ctx.progress) for name in names}
        errors = [error for check in running.values() if (error := check.exception()) is not None]
    reports = {name: check.result() for name, check in running.items() if check.exception() is None}
    for name, report in reports.items():
        record_check(ctx, report)
        yield StageResult(name, report)
    if errors:
        raise errors[0]
    failed = [name for name, report in reports.items() if not report.passed]
    if failed:
        raise StageFailed(f"{' and '.join(failed)} did not pass for {ctx.release.tag}")


def _plan(ctx: ReleaseContext) -> Iterator[StageResult]:
    yield StageResult("plan", plan(ctx))


def _approve(ctx: ReleaseContext) -> Iterator[StageResult]:
    yield StageResult("approve", require_approval(ctx))


def _apply(ctx: ReleaseContext) -> Iterator[StageResult]:
    yield StageResult("apply", apply(ctx))


def _verify(ctx: ReleaseContext) -> Iterator[StageResult]:
    yield StageResult("verify", verify(ctx, _VERIFY_SECONDS))


_VERIFY_SECONDS = 300.0

GROUPS = (
    StageGroup("checks", CHECKS, _checks),
    StageGroup("plan", ("plan",), _plan),
    StageGroup("approve", ("approve",), _approve),
    StageGroup("apply", ("apply",), _apply),
    StageGroup("verify", ("verify",), _verify),
)
"""How the stages (`model.release.stages`) run here."""


def release(ctx: ReleaseContext, began: Callable[[str], None]) -> Iterator[StageResult]:
    """Runs the stages in order and yields each result as it comes; `began` is told which stages begin.

    Where a plan of this tag waits for an approval or has it, the release goes on from there instead of planning
    anew: what was reviewed is what is applied. Refused where that plan was rejected: planning anew is then for a
    person to decide. Raises what the stage that stops it raises.
    """
    history = ctx.chain.history
    ask(GateContext.of(ctx, "release", history=history))
    goes_on = _plan_is_open(ctx, history)
    for group in GROUPS:
        if not (goes_on and group.before_review):
            began(group.name)
            yield from group.run(ctx)


def _plan_is_open(ctx: ReleaseContext, history: History) -> bool:
    """A stored plan of this very commit that is neither applied, withdrawn nor expired, and needs somebody's word."""
    tag = str(ctx.release.tag)
    digest = unapplied(history, tag)
    if digest is None or withdrawn_reason(history, tag, digest) is not None:
        return False
    try:
        receipt = GateContext.of(ctx, "release", history=history).receipt
    except OrchestrateError:
        return False
    needs_word = ctx.release.rules.environments[ctx.release.tag.env].approval.required or bool(receipt.protected)
    is_open = receipt.commit == ctx.release.commit and receipt.untimely_reason(clock.now()) is None
    return receipt.changes and needs_word and is_open
