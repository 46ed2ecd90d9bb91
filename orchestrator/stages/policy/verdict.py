"""What speaks against a plan: checkov's view of it and the plan policy."""

from __future__ import annotations

import json
from dataclasses import replace

from orchestrator.errors import StageFailed
from orchestrator.model.checks.check import CheckReport
from orchestrator.model.plan_view.refusal import PlanRefused
from orchestrator.model.policy.policy import PolicyContext
from orchestrator.model.policy.result import PolicyResult
from orchestrator.stages.checks.table import SCAN
from orchestrator.stages.context.context import ReleaseContext
from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.registry import ask
from orchestrator.stages.policy.plan_checks import judge_plan, scan_plan
from orchestrator.stages.record.planning import Admission


def judge(ctx: ReleaseContext, content: bytes, admission: Admission) -> PolicyResult:
    """Judges a plan (`terraform show -json`) that changes something.

    Raises PlanRefused for whatever no override can set aside: such a plan is not even stored.
    """
    plan = json.loads(content)
    release = ctx.release
    reports = [judge_plan(release, plan, _context(ctx, admission), ctx.aws)]
    if SCAN.name in release.rules.environments[release.target.env].checks.required:
        reports.append(scan_plan(release, ctx.repository, plan, ctx.progress))
    return _verdict(ctx, reports)


def judge_preview(ctx: ReleaseContext, content: bytes, admission: Admission) -> PolicyResult:
    """As `judge`, by the plan policy alone: what the other judges say, they say of the plan that is stored."""
    return _verdict(ctx, [judge_plan(ctx.release, json.loads(content), _context(ctx, admission))])


def _verdict(ctx: ReleaseContext, reports: list[CheckReport]) -> PolicyResult:
    for note in (note for report in reports for note in report.notes):
        ctx.progress(f"Note: {note}")
    result = PolicyResult(tuple(reports))
    try:
        ask(replace(GateContext.of(ctx, "judge"), judged=result))
    except StageFailed as error:
        raise PlanRefused(error.message, result.final) from None
    return result


def _context(ctx: ReleaseContext, admission: Admission) -> PolicyContext:
    """A target counts as released before when its last apply, or its adoption, left resources."""
    before = admission.history.newest("applied", "adopted")
    left = before is not None and before.detail.get("resources_after", 1) > 0
    target, tooling = ctx.release.target, ctx.release.rules.project.tooling.account
    return PolicyContext(target.account, target.region, left, frozenset({tooling}), rollback=admission.rollback)
