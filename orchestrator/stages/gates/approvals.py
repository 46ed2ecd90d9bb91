"""A plan waits for the people whom the environment asks for."""

from __future__ import annotations

from orchestrator.errors import WaitingForApproval
from orchestrator.model.approval.approval import Tally
from orchestrator.model.release.receipt import PlanReceipt
from orchestrator.model.rules.release_settings import Approval
from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.gate import Gate, Reason


def check(asked: GateContext) -> Reason | None:
    """A release waits for them (exit 7); an apply does not."""
    missing = missing_approvals(asked.environment.approval, asked.receipt, asked.tally)
    if missing is None:
        return None
    approve = f"`orchestrate approve --tag {asked.tag}`"
    if asked.moment != "wait":
        return Reason(missing, f"{approve} shows the plan and asks.")
    return Reason(
        f"{missing}; it would do this: {asked.receipt.summary}",
        f"{approve} approves it, then `orchestrate release --tag {asked.tag}` goes on.",
        WaitingForApproval,
    )


def missing_approvals(policy: Approval, receipt: PlanReceipt, found: Tally) -> str | None:
    """In words, with what does not count and why; None where enough have approved or nobody needs to."""
    if not policy.required or not receipt.changes or not found.missing:
        return None
    ignored = "".join(f"\n  not counted: {why}" for why in found.set_aside.values())
    plan = f"the plan {receipt.digest[:16]} of {receipt.tag}"
    if policy.count == 1:
        return f"{plan} has not been approved{ignored}"
    return f"{plan} has {len(found.approved)} of {policy.count} approvals{ignored}"


GATE = Gate(
    440,
    "approvals",
    ("wait", "apply", "begin"),
    "as many people as are asked for have approved the plan",
    check,
    ("approval.required", "approval.count", "approval.by", "approval.separation_of_duties", "approval.console"),
)
