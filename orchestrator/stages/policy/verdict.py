"""What speaks against a plan: checkov's view of it and the plan policy."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.errors import StageFailed
from orchestrator.model.checks.check import CheckReport
from orchestrator.model.checks.finding import Finding
from orchestrator.model.policy.policy import OVERRIDABLE, PolicyContext
from orchestrator.stages.context.context import ReleaseContext
from orchestrator.stages.policy.plan_checks import judge_plan, scan_plan
from orchestrator.stages.record.planning import Admission

_SHOWN = 10


@dataclass(frozen=True)
class PolicyResult:
    """`protected` are the resources that the plan would destroy or replace only if somebody overrides that."""

    reports: tuple[CheckReport, ...]
    protected: tuple[str, ...]


def judge(ctx: ReleaseContext, content: bytes, admission: Admission) -> PolicyResult:
    """Judges a plan (`terraform show -json`) that changes something.

    Raises StageFailed for whatever no override can set aside: such a plan is not even stored.
    """
    plan = json.loads(content)
    release = ctx.release
    reports = [judge_plan(release, plan, _context(ctx, admission), ctx.aws)]
    if "scan" in release.rules.environments[release.target.env].checks.required:
        reports.append(scan_plan(release, ctx.repository, plan, ctx.progress))
    return _verdict(ctx, reports)


def judge_preview(ctx: ReleaseContext, content: bytes, admission: Admission) -> PolicyResult:
    """As `judge`, by the plan policy alone: what the other judges say, they say of the plan that is stored."""
    return _verdict(ctx, [judge_plan(ctx.release, json.loads(content), _context(ctx, admission))])


def _verdict(ctx: ReleaseContext, reports: list[CheckReport]) -> PolicyResult:
    for note in (note for report in reports for note in report.notes):
        ctx.progress(f"Note: {note}")
    failing = [finding for report in reports for finding in report.failing]
    final = [finding for finding in failing if finding.rule not in OVERRIDABLE]
    if final:
        raise StageFailed("\n".join([f"the plan of {ctx.release.tag} is refused by {_count(final)}:", *_lines(final)]))
    return PolicyResult(tuple(reports), tuple(sorted({finding.resource or "" for finding in failing})))


def _context(ctx: ReleaseContext, admission: Admission) -> PolicyContext:
    """A target counts as released before when its last apply, or its adoption, left resources."""
    before = admission.history.newest("applied", "adopted")
    left = before is not None and before.detail.get("resources_after", 1) > 0
    target, tooling = ctx.release.target, ctx.release.rules.project.tooling.account
    return PolicyContext(target.account, target.region, left, frozenset({tooling}), rollback=admission.rollback)


def _count(findings: list[Finding]) -> str:
    return "one finding" if len(findings) == 1 else f"{len(findings)} findings"


def _lines(findings: Iterable[Finding]) -> list[str]:
    lines = [f"  {f.resource or f.place}: {f.message} ({f.rule})" for f in findings]
    return lines if len(lines) <= _SHOWN else [*lines[:_SHOWN], f"  and {len(lines) - _SHOWN} more"]
