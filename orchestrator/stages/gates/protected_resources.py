"""What holds data is destroyed or replaced only where somebody has set its protection aside for exactly this plan."""

from __future__ import annotations

from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.gate import Gate, Reason

_SHOWN = 10


def check(asked: GateContext) -> Reason | None:
    receipt = asked.receipt
    if not receipt.protected or (asked.moment != "planned" and asked.tally.overridden is not None):
        return None
    back = receipt.rollback
    what = "what is protected" if back is None else f"what {back.left} has and {back.to} had not, or had otherwise"
    return Reason(
        f"{asked.plan} would destroy or replace {what}: {', '.join(receipt.protected[:_SHOWN])}",
        f'If that is meant: `orchestrate approve --tag {receipt.tag} --override --reason "..."` records it.',
    )


GATE = Gate(
    430,
    "protected-resources",
    ("wait", "apply", "begin", "planned"),
    "the plan destroys and replaces nothing that is protected, or somebody has overridden that",
    check,
    ("policy.protected_types", "policy.unprotected_types", "policy.protected_addresses"),
)
