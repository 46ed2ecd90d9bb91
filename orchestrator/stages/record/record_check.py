"""Records how a check of a release ended, so that apply can require it."""

from __future__ import annotations

from orchestrator.model.checks.check import CheckReport
from orchestrator.model.ledger.ledger import Draft, Entry
from orchestrator.stages.context.context import ReleaseContext


def record_check(ctx: ReleaseContext, report: CheckReport) -> Entry:
    """Appends a `checked` entry for the release's commit; Refused where the tag was first seen at another one."""
    release, by = ctx.release, ctx.identify()
    ctx.pin()
    detail = {
        "check": report.check,
        "passed": report.passed,
        "source": report.source,
        "findings": len(report.findings),
        "tools": dict(report.tools),
    }
    draft = Draft("checked", str(release.tag), release.commit, by, None, detail)
    return ctx.chain.append(lambda history: draft)
