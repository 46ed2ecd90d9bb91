"""What is judged once there is a plan: checkov's view of what modules really produce, and the plan policy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace as with_fields

from orchestrator.effects.system import clock
from orchestrator.model.checks.check import Baseline, CheckReport, FindingFilter, Observed
from orchestrator.model.checks.finding import Finding, clean
from orchestrator.model.policy.iam_policy import planned_documents
from orchestrator.model.policy.policy import PolicyContext, judge
from orchestrator.model.release.release import Release
from orchestrator.model.terraform.planned import read
from orchestrator.model.text.canonical import canonical_json, sha256
from orchestrator.model.text.progress import Progress
from orchestrator.stages.checks.checkov import CheckovScanner
from orchestrator.stages.checks.scanner import observe
from orchestrator.stages.checks.subject import CheckContext, CheckTarget
from orchestrator.stages.checks.table import SCAN

if TYPE_CHECKING:
    from orchestrator.effects.aws.session import Session
    from orchestrator.effects.git.repository import Repository

_INDEX = re.compile(r'\["(?:[^"\\]|\\.)*"\]|\[[0-9]+\]')


def scan_plan(release: Release, repository: Repository, plan: Mapping[str, Any], progress: Progress) -> CheckReport:
    """Scans a plan (`terraform show -json`) as SCAN does the code.

    A skip in the code counts for the resource that it was written on. Nothing of it is
    cached: a plan depends on more than files. Raises DependencyError where checkov did not do its work.
    """
    subject = CheckTarget.of_release(release, repository)
    at = CheckContext.of_release(release, progress)
    checkov = CheckovScanner(subject, at)
    in_code, _ = observe(SCAN.name, checkov, subject, at)
    progress(f"{SCAN.name}: the plan")
    with at.scratch(subject) as scratch_dir:
        found = checkov.look_at_plan(scratch_dir, plan)
    observed = Observed(tuple(clean(f) for f in with_skips(found, in_code.findings)))
    source = sha256(canonical_json(_comparable(plan)))
    return SCAN.report(subject, at, observed, source, [checkov.tool], cached=False)


def _comparable(plan: Mapping[str, Any]) -> dict[str, Any]:
    """What the digest of a plan is taken of; only a digest of it is kept."""
    return {"resource_changes": repr(plan.get("resource_changes")), "outputs": repr(plan.get("output_changes"))}


def with_skips(found: Iterable[Finding], in_code: Iterable[Finding]) -> list[Finding]:
    """Skips by rule and whole address, without the indices of `count` and `for_each`; places by address."""
    known = [finding for finding in in_code if finding.resource is not None]
    skips = {(f.rule, _INDEX.sub("", f.resource or "")): f for f in known if f.state == "skipped"}
    places = {_INDEX.sub("", f.resource or ""): f for f in known}
    result = []
    for finding in found:
        address = _INDEX.sub("", finding.resource or "")
        place, skip = places.get(address), skips.get((finding.rule, address))
        if place is not None:
            finding = with_fields(finding, file=place.file, line=place.line, end_line=place.end_line)
        if skip is not None:
            finding = with_fields(finding, state="skipped", inline=True, reason=skip.reason)
        result.append(finding)
    return result


def judge_plan(
    release: Release, plan: Mapping[str, Any], context: PolicyContext, aws: Session | None = None
) -> CheckReport:
    """The plan policy of the target's environment, and IAM Access Analyzer's opinion where `aws` is given.

    `aws` holds credentials that may call access-analyzer:ValidatePolicy. Raises StageFailed for an incomplete plan.
    """
    policy = release.rules.environments[release.target.env].policy
    found = list(judge(plan, policy, context))
    notes: tuple[str, ...] = ()
    if aws is not None and policy.access_analyzer == "use":
        from orchestrator.effects.aws.access_analyzer import validate

        validated = validate(planned_documents(read(plan).effective), aws, context.region)
        found, notes = [*found, *validated.findings], validated.notes
    return _report(release, plan, found, notes)


def _report(release: Release, plan: Mapping[str, Any], found: list[Finding], notes: tuple[str, ...]) -> CheckReport:
    target = release.target
    file = f"envs/{target.env}.yaml"
    judging = FindingFilter.of_policy(release.rules.environments[target.env].policy, file)
    findings = judging.verdict(found, Baseline(), clock.now().date())
    report = CheckReport("policy", True, sha256(canonical_json(_comparable(plan))), findings, {}, False, notes)
    return replace(report, passed=not report.failing, root=target.root, settings=file)
