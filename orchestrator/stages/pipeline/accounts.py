"""The roles of the workload accounts, planned or made in each by way of a role that the account has already."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orchestrator.effects.aws.roles import RoleRequest, assume
from orchestrator.errors import OrchestrateError
from orchestrator.model.rules.accounts import Account
from orchestrator.model.rules.tooling import role_arn
from orchestrator.model.terraform.override import GENERATED_FILE, ProviderIdentity
from orchestrator.model.terraform.root import ROLE_VARIABLE, Json
from orchestrator.stages.terraform.bundled_root import CommandContext, Done, OwnRoot, run

ORGANIZATION_ROLE = "OrganizationAccountAccessRole"
_MODULE = "deploy-roles"
_SESSION = "orchestrate-accounts"


@dataclass(frozen=True)
class AccountResult:
    """What became of one account: exactly one of `done` and `error` is there."""

    account: Account
    done: Done | None
    error: OrchestrateError | None = None


def keep(ctx: CommandContext, accounts: Sequence[Account], role: str, *, apply: bool) -> Iterator[AccountResult]:
    """Plans, or with `apply` makes, the roles of each account; one account's failure does not stop the others.

    `role` is one of the workload accounts that the tooling account may assume and that may manage IAM there; where it
    may not, Terraform need not start to say so. Raises DependencyError before anything is done where the credentials
    are not the tooling account's.
    """
    ctx.identify()
    for account in accounts:
        ctx.progress(f"== account {account.number}: {account.env}, {', '.join(account.teams)}")
        root = _root(account, role)
        try:
            assume(ctx.aws, RoleRequest(root.role, _SESSION, None, {}))
            yield AccountResult(account, run(ctx, root, apply=apply))
        except OrchestrateError as error:
            yield AccountResult(account, None, error)


def _root(account: Account, role: str) -> OwnRoot:
    return OwnRoot(
        name=f"_accounts/{account.number}",
        module=_MODULE,
        backend=account.backend,
        region=account.region,
        role=role_arn(account.region, account.number, role),
        variables=account.variables,
        files={GENERATED_FILE: _provider(account)},
    )


def _provider(account: Account) -> Json:
    """No session tags: the role that AWS Organizations makes trusts nobody with sts:TagSession."""
    identity = ProviderIdentity(account.number, account.region, _SESSION, None, {})
    block = {
        "region": account.region,
        "allowed_account_ids": [account.number],
        "assume_role": [identity.assume_role()],
    }
    return {
        "variable": {ROLE_VARIABLE: {"type": "string", "ephemeral": True, "description": "Who does it."}},
        "provider": {"aws": [block]},
    }
