"""What stands with every plan: whose it is, where it goes, how long it holds."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.model.plan_view.view import PlanView, view_of_receipt
from orchestrator.model.release.receipt import PlanReceipt
from orchestrator.model.terraform.plan import Change


@dataclass(frozen=True)
class ShownPlan:
    """A plan with its head. `whole` is the command that shows all of it, where it is stored."""

    title: str
    view: PlanView
    changes: bool
    facts: tuple[tuple[str, str], ...]
    whole: str | None = None

    @property
    def counts(self) -> str:
        return self.view.summary.words(self.changes)


def shown_receipt(receipt: PlanReceipt, view: PlanView | None = None) -> ShownPlan:
    """A stored plan."""
    place = receipt.place
    facts = [
        ("account", f"{place.account}, Region {place.region}, as {place.plan_role}"),
        ("state", f"s3://{place.bucket}/{place.key} ({place.backend_region})"),
        ("digest", receipt.digest),
        ("checks", ", ".join(f"{check} {state}" for check, state in receipt.checks.items())),
        ("expires", receipt.expires_at),
    ]
    if receipt.rollback is not None:
        facts.insert(0, ("rollback", f"from {receipt.rollback.left} to {receipt.rollback.to}"))
    if receipt.protected:
        facts.append(("protected", ", ".join(receipt.protected)))
    return ShownPlan(
        title=f"Plan of {receipt.tag} ({receipt.commit[:12]})",
        view=view or view_of_receipt(receipt),
        changes=receipt.changes,
        facts=tuple(facts),
        whole=f"orchestrate show --receipt {receipt.digest[:16]} --full",
    )


def notes(view: PlanView) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What stands after the changes, by title."""
    found = (
        ("Changed outside of Terraform since the last apply", tuple(_drift(each) for each in view.drift)),
        ("Checks that did not pass", view.checks),
        ("Warnings", view.warnings),
    )
    return tuple((title, lines) for title, lines in found if lines)


_WORDS = {"destroy": "is gone", "add": "is there again"}


def _drift(change: Change) -> str:
    if change.action in _WORDS:
        return f"{change.address} {_WORDS[change.action]}"
    return "\n".join([change.address, *(f"    {line}" for line in change.details if not line.startswith("!"))])
