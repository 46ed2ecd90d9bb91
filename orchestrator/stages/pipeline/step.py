"""The steps of the pipeline: the stages of a release, with what they are told by and hand on to the execution."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from orchestrator.effects.git.repository import Repository
from orchestrator.effects.pipeline.pipelines import Pipelines
from orchestrator.effects.pipeline.source_archive import CLONE
from orchestrator.errors import Refused
from orchestrator.model.approval.approval import Answer
from orchestrator.model.checks.check import CheckReport
from orchestrator.model.ledger.ledger import Draft, History, Kind
from orchestrator.model.pipeline import execution as executions
from orchestrator.model.pipeline.execution import CheckResult, StepExecution
from orchestrator.model.release.receipt import PlanReceipt, receipt_key
from orchestrator.model.release.stages import Stage
from orchestrator.model.rules.check_names import CHECKS, Check, checks_of_release
from orchestrator.model.text.progress import Progress
from orchestrator.stages.checks.table import check_release
from orchestrator.stages.context.answers import judge_of
from orchestrator.stages.context.context import ReleaseContext
from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.registry import ask
from orchestrator.stages.record import refusals
from orchestrator.stages.record.refusals import recorded
from orchestrator.stages.release.apply import ApplyResult, apply
from orchestrator.stages.release.plan import PlanResult, plan
from orchestrator.stages.release.verify import Verified, verify
from orchestrator.stages.tags.resolve import resolve

_VERIFY_SECONDS = 600.0


@dataclass(frozen=True)
class Step:
    """A step under way; files are written to `folder`, the build's current one."""

    execution: StepExecution
    ctx: ReleaseContext
    env: Mapping[str, str]
    folder: Path


def opened(env: Mapping[str, str], tell: Progress, folder: Path) -> Step:
    """Resolves the tag again in the bundle; Refused where it is not what the execution says."""
    execution = StepExecution.of(env)
    repository = Repository.open(Path(execution.source, CLONE))
    with refusals.of_tag(repository, execution.tag, execution.rules_ref, tell):
        release = resolve(repository, execution.tag, execution.rules_ref)
        ask(replace(GateContext("step", release, repository), execution=execution))
    return Step(execution, ReleaseContext(release, repository, env, tell), env, folder)


def check(step: Step, name: Check) -> CheckReport:
    """One check; the result goes to `<name>.json`, because this step may not write to the ledger."""
    ctx = step.ctx
    report = check_release(name, ctx.release, ctx.repository, ctx.progress)
    tag, commit = str(ctx.release.tag), ctx.release.commit
    found = len(report.findings)
    result = CheckResult(name, tag, commit, report.passed, report.source, found, dict(report.tools))
    (step.folder / f"{name}.json").write_bytes(msgspec.json.encode(result))
    return report


def plan_it(step: Step) -> PlanResult:
    """Records the checks, plans, and ties the plan's digest to the execution; the rest of it reads `plan.env`."""
    ctx = step.ctx
    for name in checks_of_release(ctx.release.rules.environments[ctx.release.tag.env].checks.required):
        _record_check(step, name)
    result = plan(ctx)
    receipt = result.receipt
    _append(ctx, "submitted", receipt.digest, {"execution": step.execution.id, "pipeline": step.execution.pipeline})
    (step.folder / "plan.env").write_text(executions.shell_lines(_variables(ctx, receipt)))
    if not receipt.changes:
        apply(ctx)  # there is nothing to apply: this records the version that runs
    return result


def _variables(ctx: ReleaseContext, receipt: PlanReceipt) -> dict[str, str]:
    place = receipt.place
    key = receipt_key(place.target, receipt.digest)
    return {
        "CHANGES": "true" if receipt.changes else "false",
        "DIGEST": receipt.digest,
        "MESSAGE": executions.message(receipt),
        "RECEIPT_URL": executions.receipt_address(ctx.releases.region, place.partition, ctx.releases.name, key),
    }


def _record_check(step: Step, name: str) -> None:
    """Results of the checks lie in the artefacts that CodeBuild puts beside the source."""
    folder = step.env.get(f"CODEBUILD_SRC_DIR_{name}")
    file = Path(folder, f"{name}.json") if folder else None
    if file is None or not file.is_file():
        raise Refused(
            f"the step {name} passed no result on",
            hint="Start the execution again. `orchestrate tooling apply` gives a pipeline a step for each check.",
        )
    result = executions.handed_on(file.read_bytes(), name, step.ctx.release)
    detail = {key: getattr(result, key) for key in ("check", "passed", "source", "findings", "tools")}
    _append(step.ctx, "checked", None, detail)


def apply_it(step: Step) -> ApplyResult:
    """Applies the plan of that digest alone; who answered in the pipeline is judged as everybody else who answered."""
    receipt = _own_plan(step.ctx, step.execution)
    return apply(replace(step.ctx, vouched=_answers(step, receipt)))


@recorded("apply")
def _own_plan(ctx: ReleaseContext, execution: StepExecution) -> PlanReceipt:
    asked = replace(GateContext.of(ctx, "apply step"), execution=execution)
    ask(asked)
    return asked.receipt


def _answers(step: Step, receipt: PlanReceipt) -> tuple[Answer, ...]:
    """What CodePipeline says about its approvals: it knows the caller's ARN, and nobody else can write it there."""
    pipelines = Pipelines(step.ctx.aws, step.ctx.release.target.stores.region, step.execution.env)
    given = pipelines.approvals(step.execution.pipeline, step.execution.id)
    judge = judge_of(step.ctx, receipt)
    return tuple(
        Answer(
            version=1,
            kind="approved" if each.approved else "rejected",
            target=receipt.place.target,
            tag=receipt.tag,
            commit=receipt.commit,
            digest=receipt.digest,
            by=each.by,
            user_id="",
            at=each.at,
            reason=each.comment,
        )
        for each in given
        if each.by and judge.heeds_pipeline(approved=each.approved)
    )


def verify_it(step: Step) -> Verified:
    return verify(step.ctx, _VERIFY_SECONDS)


RUNS: dict[Stage, Callable[[Step], Any]] = {
    **{name: partial(check, name=name) for name in CHECKS},
    "plan": plan_it,
    "apply": apply_it,
    "verify": verify_it,
}
"""What the build of each stage does; the results are those of the stages themselves."""


def ended(step: Step) -> bool:
    """Whether the step succeeded; if not, that is recorded."""
    if step.execution.succeeding:
        return True
    digest = step.execution.digest or None
    _append(step.ctx, "stopped", digest, {"execution": step.execution.id, "pipeline": step.execution.pipeline})
    return False


def _append(ctx: ReleaseContext, kind: Kind, digest: str | None, detail: dict[str, object]) -> None:
    draft = Draft(kind, str(ctx.release.tag), ctx.release.commit, ctx.identify(), digest, detail)
    ctx.chain.append(partial(_always, draft))


def _always(draft: Draft, history: History) -> Draft:
    return draft
