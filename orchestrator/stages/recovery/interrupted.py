"""Runs of a target whose beginning is recorded and whose end is not: what is known of them, without a change."""

from __future__ import annotations

from orchestrator.effects.aws.session import Session
from orchestrator.effects.ledger.lease import Leases
from orchestrator.effects.state.locks import StateLocks
from orchestrator.model.ledger.ledger import Entry, History
from orchestrator.model.release.recovery import Leftovers, interrupted
from orchestrator.model.rules.rules import Rules
from orchestrator.model.rules.target import Target
from orchestrator.stages.context.context import ReleaseContext
from orchestrator.stages.context.state import stored_state


def leftovers(aws: Session, rules: Rules, target: Target, history: History) -> Leftovers | None:
    """What interrupted runs have left; None, without asking AWS, where none is on record."""
    runs = interrupted(history)
    return look(aws, rules, target, runs) if runs else None


def look(aws: Session, rules: Rules, target: Target, runs: tuple[Entry, ...]) -> Leftovers:
    """Locks, lease and state as they are now."""
    stores, state = target.stores, stored_state(aws, rules, target)
    return Leftovers(
        runs=runs,
        locks=state_locks(aws, rules, target).found(),
        lease=Leases(aws, stores.ledger_table, stores.region, stores.env).holder(target.id),
        state=None if state is None else state.version,
    )


def state_locks(aws: Session, rules: Rules, target: Target) -> StateLocks:
    return StateLocks(aws, target.backend, rules.project.tooling.account, target.env)


def tell(ctx: ReleaseContext, history: History) -> None:
    """Warns of interrupted runs of the release's target."""
    found = leftovers(ctx.aws, ctx.release.rules, ctx.release.target, history)
    if found is not None:
        ctx.progress("Warning: " + "\n".join(found.lines))
