"""The receipts of plans, as they are stored."""

from __future__ import annotations

from orchestrator.errors import Refused
from orchestrator.model.ledger.ledger import History
from orchestrator.model.release import receipt as receipts
from orchestrator.model.release.receipt import CheckState, PlanReceipt
from orchestrator.stages.context.context import ReleaseContext


def check_state(history: History, check: str, commit: str) -> CheckState:
    passed = history.check_passed(check, commit)
    return "not run" if passed is None else "passed" if passed else "failed"


def receipt_of(ctx: ReleaseContext, digest: str) -> PlanReceipt:
    """Refused where it is gone, or is not the one that was stored."""
    content = ctx.releases.get(receipts.receipt_key(ctx.release.target.id, digest))
    if content is None:
        raise Refused(f"the receipt {digest[:16]} of {ctx.release.tag} is no longer stored", hint="Plan again.")
    return receipts.decode(content, digest)
