"""Results of the plan, approve, apply and verify stages as text and as the fields of their JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestrator.model.plan_view.values import shown_json
from orchestrator.report.plan.fields import view_fields

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.model.approval.approval import Answer
    from orchestrator.stages.approval.approve import Answered, Approved
    from orchestrator.stages.release.apply import ApplyResult
    from orchestrator.stages.release.plan import PlanResult
    from orchestrator.stages.release.verify import Verified


def plan_fields(result: PlanResult) -> dict[str, Any]:
    """The fields of `plan --format json`."""
    receipt = result.receipt
    return {
        "tag": receipt.tag,
        "commit": receipt.commit,
        "target": receipt.place.target,
        "digest": receipt.digest,
        **view_fields(result.view, receipt.changes),
        "checks": receipt.checks,
        "protected": list(receipt.protected),
        "expires_at": receipt.expires_at,
        "receipt": result.url,
    }


def answer_fields(given: Answered) -> dict[str, Any]:
    """The fields of `approve --format json`; `missing` is null where the plan can be applied."""
    answer = given.answer
    return {
        "tag": answer.tag,
        "commit": answer.commit,
        "digest": answer.digest,
        "result": answer.kind,
        "by": answer.by,
        "at": answer.at,
        "missing": given.missing,
        **({"notified": answer.notified} if answer.notified else {}),
    }


def answer_text(given: Answered) -> str:
    answer = given.answer
    text = f"{answer.tag}: plan {answer.digest[:16]} {answer.kind} by {answer.by}"
    lines = [text, f"BREAK-GLASS: told: {answer.notified}" if answer.kind == "break-glass" else "", given.missing or ""]
    return "\n".join(filter(None, lines))


def follow_up_fields(given: Sequence[Answer]) -> dict[str, Any]:
    """The fields of `follow-up --format json`."""
    return {"follow_ups": [{"tag": a.tag, "digest": a.digest, "by": a.by, "at": a.at, "note": a.reason} for a in given]}


def follow_up_text(given: Sequence[Answer]) -> str:
    return "\n".join(f"{answer.tag}: plan {answer.digest[:16]} followed up by {answer.by}" for answer in given)


def approved_fields(approved: Approved) -> dict[str, Any]:
    broken = approved.broken
    return {
        "result": "nothing missing" if broken is None else "break-glass",
        "digest": approved.receipt.digest,
        "break_glass": None if broken is None else {"by": broken.by, "at": broken.at, "reason": broken.reason},
    }


def approved_text(approved: Approved) -> str:
    receipt, broken = approved.receipt, approved.broken
    if broken is None:
        return f"{receipt.tag}: no approval is missing for plan {receipt.digest[:16]}"
    plan = f"{receipt.tag}: plan {receipt.digest[:16]}"
    return f"BREAK-GLASS: {plan} goes on because {broken.by} acts alone: {broken.said}"


def apply_fields(result: ApplyResult) -> dict[str, Any]:
    """The fields of `apply --format json`."""
    receipt = result.receipt
    return {
        "tag": receipt.tag,
        "commit": receipt.commit,
        "digest": receipt.digest,
        "result": result.result,
        "outputs": dict(result.outputs),
    }


def apply_text(result: ApplyResult) -> str:
    receipt = result.receipt
    if result.result == "no changes":
        return f"{receipt.tag}: nothing to apply, the target is already as this version wants it"
    outputs = [f"  {name} = {shown_json(value)}" for name, value in sorted(result.outputs.items())]
    return "\n".join(
        [f"{receipt.tag}: applied ({receipt.summary.words(receipt.changes)}), plan {receipt.digest[:16]}", *outputs]
    )


def verify_fields(result: Verified) -> dict[str, Any]:
    return {"tag": result.tag, "result": result.result, "url": result.url}


def verify_text(result: Verified) -> str:
    if result.url is None:
        return f"{result.tag}: nothing to verify (the root has no output verify_url)"
    return f"{result.tag}: {result.url} answers as it should"
