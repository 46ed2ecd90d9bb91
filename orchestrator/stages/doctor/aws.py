"""Doctor: the credentials of the tooling account, the stores of the environments, the roles of workload accounts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain, groupby

from orchestrator.effects.aws.roles import RoleRequest, assume
from orchestrator.effects.aws.session import Session
from orchestrator.errors import DependencyError, OrchestrateError
from orchestrator.model.doctor.diagnosis import Diagnosis, failed, looked, not_checked, ok
from orchestrator.model.rules.config import Workload
from orchestrator.model.rules.rules import Rules
from orchestrator.model.rules.target import Target
from orchestrator.stages.stores.bootstrap import StoreResult, bootstrap, stores_of

_AT_ONCE = 8
_ATTEMPTS = 2  # who asks a doctor wants an answer soon


def tooling_and_workloads(rules: Rules, targets: Sequence[Target], *, apply_roles: bool) -> Iterator[Diagnosis]:
    """Without credentials of the tooling account nothing behind them can be looked at."""
    aws = Session(rules.project.state.region, attempts=_ATTEMPTS)
    try:
        identity = aws.require_account(rules.project.tooling.account)
    except OrchestrateError as error:
        yield failed("AWS credentials", error)
        because = f"that takes credentials of the tooling account {rules.project.tooling.account}"
        yield from (not_checked(name, because) for name in ("stores", "roles"))
        return
    yield ok("AWS credentials", f"{identity.arn} of account {identity.account}, at {aws.host}")
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        of_stores = pool.submit(_stores, aws, rules, sorted({target.env for target in targets}))
        of_roles = pool.map(partial(_role, aws), _roles(targets, rules.project.workload, apply_roles=apply_roles))
        yield from chain(of_stores.result(), of_roles)


# Stores -------------------------------------------------------------------------------------------------------------


def _stores(aws: Session, rules: Rules, envs: Sequence[str]) -> list[Diagnosis]:
    outcomes = bootstrap(aws, stores_of(rules, envs), check=True, tell=lambda outcome: None)
    groups = groupby(outcomes, lambda outcome: (outcome.store.env, outcome.store.region))
    return [_of_place(env, region, list(group)) for (env, region), group in groups]


def _of_place(env: str, region: str, outcomes: Sequence[StoreResult]) -> Diagnosis:
    name = f"stores of {env} in {region}"
    wrong = [outcome for outcome in outcomes if outcome.state != "ok"]
    if not wrong:
        return ok(name, ", ".join(outcome.store.name for outcome in outcomes))
    hints = [outcome.error.hint for outcome in wrong if outcome.error is not None and outcome.error.hint]
    remediation = hints[0] if hints else f"Run `orchestrate bootstrap --env {env}`."
    return failed(name, DependencyError("\n".join(_said(outcome) for outcome in wrong), hint=remediation))


def _said(outcome: StoreResult) -> str:
    if outcome.error is not None:
        return outcome.error.message
    if outcome.state == "missing":
        return f"{outcome.store} is missing"
    return f"{outcome.store} differs in {', '.join(difference.setting for difference in outcome.differences)}"


# Roles --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Role:
    """A role that is tried, or not: `request` is then None."""

    name: str
    account: str
    request: RoleRequest


def _roles(targets: Iterable[Target], workload: Workload, *, apply_roles: bool) -> list[_Role]:
    """Each role once; all scopes of a team share its roles."""
    found: dict[str, _Role] = {}
    for target in targets:
        arns = {"plan": target.roles.plan, **({"apply": target.roles.apply} if apply_roles else {})}
        for use, arn in arns.items():
            name = f"{use} role of {target.env}/{target.team}"
            found.setdefault(arn, _Role(name, target.account, _request(arn, target, workload)))
    return list(found.values())


def _request(arn: str, target: Target, workload: Workload) -> RoleRequest:
    """With the session tags of a release, because they take a permission of their own; no release has this tag."""
    tag = f"{target.env}_{target.scope}/{target.team}/doctor"
    tags = {"env": target.env, "team": target.team, "scope": target.scope, "tag": tag}
    return RoleRequest(arn, workload.session_name, workload.external_id, tags)


def _role(aws: Session, role: _Role) -> Diagnosis:
    return looked(role.name, partial(_assumed, aws, role))


def _assumed(aws: Session, role: _Role) -> Diagnosis:
    identity = assume(aws, role.request)
    if identity.account != role.account:
        raise DependencyError(
            f"{role.request.arn} led to account {identity.account} ({identity.arn}), not to {role.account}",
            hint="Something answers in the place of AWS: check AWS_ENDPOINT_URL and the proxy settings.",
        )
    return ok(role.name, identity.arn)
