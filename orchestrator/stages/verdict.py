"""What speaks against a plan: checkov's view of it and the plan policy; and the override of a protection."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.errors import Refused, StageFailed, UsageError
from orchestrator.model.check import CheckReport
from orchestrator.model.finding import Finding
from orchestrator.model.ledger import Draft, Entry, History
from orchestrator.model.policy import PROTECTED, PolicyContext
from orchestrator.model.receipt import PlanReceipt
from orchestrator.stages.plan_checks import judge_plan, scan_plan
from orchestrator.stages.surroundings import Surroundings

_SHOWN = 10


@dataclass(frozen=True)
class Verdict:
    """`protected` are the resources that the plan would destroy or replace although they are protected."""

    reports: tuple[CheckReport, ...]
    protected: tuple[str, ...]


def judge(at: Surroundings, content: bytes, history: History) -> Verdict:
    """Judges a plan (`terraform show -json`) that changes something.

    Raises StageFailed for whatever no override can set aside: such a plan is not even stored.
    """
    plan = json.loads(content)
    release = at.release
    reports = [judge_plan(release, plan, _context(at, history), at.aws)]
    if "scan" in release.rules.environments[release.target.env].checks.required:
        reports.append(scan_plan(release, at.repository, plan, at.progress))
    for note in (note for report in reports for note in report.notes):
        at.progress(f"Note: {note}")
    failing = [finding for report in reports for finding in report.failing]
    final = [finding for finding in failing if finding.rule != PROTECTED]
    if final:
        raise StageFailed("\n".join([f"the plan of {release.tag} is refused by {_count(final)}:", *_lines(final)]))
    return Verdict(tuple(reports), tuple(sorted(finding.resource or "" for finding in failing)))


def _context(at: Surroundings, history: History) -> PolicyContext:
    """A target counts as released before when its last apply left resources."""
    applied = history.newest("applied")
    left = applied is not None and applied.detail.get("resources_after", 1) > 0
    target, tooling = at.release.target, at.release.rules.project.tooling.account
    return PolicyContext(target.account, target.region, left, frozenset({tooling}))


def _count(findings: list[Finding]) -> str:
    return "one finding" if len(findings) == 1 else f"{len(findings)} findings"


def _lines(findings: Iterable[Finding]) -> list[str]:
    lines = [f"  {f.resource or f.place}: {f.message} ({f.rule})" for f in findings]
    return lines if len(lines) <= _SHOWN else [*lines[:_SHOWN], f"  and {len(lines) - _SHOWN} more"]


def require_override(receipt: PlanReceipt, history: History) -> None:
    """Refused where the plan touches protected resources and nobody has set that aside for exactly this plan."""
    if not receipt.protected or history.newest("overridden", digest=receipt.digest) is not None:
        return
    raise Refused(
        f"the plan {receipt.digest[:16]} of {receipt.tag} would destroy or replace what is protected: "
        + ", ".join(receipt.protected[:_SHOWN]),
        hint=f'If that is meant: `orchestrate approve --tag {receipt.tag} --override --reason "..."`; it is recorded.',
    )


def override(at: Surroundings, receipt: PlanReceipt, reason: str) -> Entry:
    """Records that somebody gives up the protection for this plan; the reason is required."""
    if not reason.strip():
        raise UsageError("an override needs a reason", hint='Give it with --reason "...".')
    if not receipt.protected:
        raise Refused(f"the plan {receipt.digest[:16]} touches nothing that is protected", hint="Leave out --override.")
    by = at.identify()
    detail = {"reason": reason, "protected": list(receipt.protected)}
    draft = Draft("overridden", receipt.tag, receipt.commit, by, receipt.digest, detail)
    return at.ledger.append(at.release.target.id, lambda history: draft)
