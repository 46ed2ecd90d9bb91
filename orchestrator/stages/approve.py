"""The approve stage: a person accepts or rejects the newest plan of a tag, bound to its digest."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.effects import clock
from orchestrator.errors import Refused, WaitingForApproval
from orchestrator.model.admission import withdrawn
from orchestrator.model.ledger import Draft, Entry, History, Kind
from orchestrator.model.receipt import PlanReceipt
from orchestrator.stages.apply import is_approved, newest_receipt
from orchestrator.stages.surroundings import Surroundings
from orchestrator.stages.verdict import require_override


@dataclass(frozen=True)
class Answer:
    """What a person says to a plan."""

    approved: bool
    reason: str


def approve(at: Surroundings, receipt: PlanReceipt, answer: Answer) -> Entry:
    """Records who said what to exactly this plan; Refused where it is no longer the one to decide on."""
    by = at.identify()

    def decide(history: History) -> Draft:
        gone = withdrawn(history, receipt.tag, receipt.digest)
        if gone is not None:
            raise Refused(gone, hint="Review that one.")
        if history.newest("applying", "applied", digest=receipt.digest) is not None:
            raise Refused(f"the plan {receipt.digest[:16]} has been applied already")
        kind: Kind = "approved" if answer.approved else "rejected"
        return Draft(kind, receipt.tag, receipt.commit, by, receipt.digest, {"reason": answer.reason})

    return at.ledger.append(at.release.target.id, decide)


def reviewed(at: Surroundings) -> PlanReceipt:
    """The plan that waits for an answer."""
    receipt = newest_receipt(at)
    if receipt.expired(clock.now()):
        raise Refused(f"the plan {receipt.digest[:16]} expired at {receipt.expires_at}", hint="Plan again.")
    return receipt


def require_approval(at: Surroundings, receipt: PlanReceipt) -> None:
    """Raises WaitingForApproval where the environment asks for one and it is not there yet.

    Refused where the plan touches protected resources and has no override.
    """
    require_override(receipt, at.ledger.history(at.release.target.id))
    if not at.release.rules.environments[at.release.tag.env].approval.required or not receipt.changes:
        return
    history = at.ledger.history(at.release.target.id)
    if not is_approved(history, receipt.digest):
        tag = receipt.tag
        raise WaitingForApproval(
            f"the plan {receipt.digest[:16]} of {tag} waits for an approval: {receipt.summary}",
            hint=f"`orchestrate approve --tag {tag}` approves it, then `orchestrate release --tag {tag}` goes on.",
        )
