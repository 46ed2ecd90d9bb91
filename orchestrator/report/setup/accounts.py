"""The roles of the workload accounts, as text and as values for JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from orchestrator.errors import OrchestrateError
from orchestrator.model.rules.accounts import Account
from orchestrator.report.setup.tooling import done_fields, done_text
from orchestrator.stages.pipeline.accounts import AccountResult


def account_fields(account: Account) -> dict[str, Any]:
    """What modules/deploy-roles is given for the account, and where its state is."""
    return {
        "account": account.number,
        "env": account.env,
        "teams": list(account.teams),
        "state": f"s3://{account.backend.bucket}/{account.backend.key}",
        "variables": account.variables,
    }


def account_text(account: Account) -> str:
    lines = [f"{account.number}  {account.env}  {', '.join(account.teams)}"]
    return "\n".join([*lines, *(f"  {name} = {json.dumps(value)}" for name, value in account.variables.items())])


def outcome_fields(outcome: AccountResult) -> dict[str, Any]:
    ended = {"error": str(outcome.error)} if outcome.done is None else done_fields(outcome.done)
    return {**account_fields(outcome.account), **ended}


def outcome_text(outcome: AccountResult) -> str:
    ended = f"failed: {outcome.error}" if outcome.done is None else done_text(outcome.done)
    return f"{outcome.account.number}  {outcome.account.env}  {', '.join(outcome.account.teams)}\n{ended}"


def failure(outcomes: Sequence[AccountResult]) -> OrchestrateError | None:
    """All failures as one error, of the kind of the first."""
    failed = [(outcome.account.number, outcome.error) for outcome in outcomes if outcome.error is not None]
    if not failed:
        return None
    first = failed[0][1]
    message = "\n".join(f"account {number}: {error.message}" for number, error in failed)
    return type(first)(message, hint=first.hint)
