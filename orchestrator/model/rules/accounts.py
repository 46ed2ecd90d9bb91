"""The roles in the workload accounts: which accounts there are, and what `modules/deploy-roles` is given for each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from orchestrator.errors import InvalidInput
from orchestrator.model.rules import tooling
from orchestrator.model.rules.backend import Backend, store_region, stores
from orchestrator.model.rules.config import Environment
from orchestrator.model.rules.rules import Rules
from orchestrator.model.rules.tooling import RoleKind
from orchestrator.model.text.quoting import did_you_mean, quoted


@dataclass(frozen=True)
class Account:
    """A workload account; several teams share it only where the configuration says so."""

    number: str
    env: str
    teams: tuple[str, ...]
    region: str
    backend: Backend
    variables: dict[str, Any]


def accounts(rules: Rules, envs: Collection[str], teams: Collection[str]) -> tuple[Account, ...]:
    """The accounts of these environments and teams, of all where none is named; InvalidInput for an unknown name.

    Every account carries all its teams, whichever were asked for: its roles serve all of them.
    """
    known = {team for environment in rules.environments.values() for team in environment.teams}
    _check_known("environment", envs, rules.environments)
    _check_known("team", teams, known)
    found = [account for env in sorted(rules.environments) if env in (envs or [env]) for account in _of(rules, env)]
    chosen = tuple(account for account in found if not teams or set(teams) & set(account.teams))
    if not chosen:
        raise InvalidInput(f"no environment of {', '.join(envs)} has a team of {', '.join(teams)}")
    return chosen


def _check_known(what: str, names: Collection[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            raise InvalidInput(f"there is no {what} {quoted(name)}", hint=did_you_mean(name, known))


def _of(rules: Rules, env: str) -> Iterator[Account]:
    environment = rules.environments[env]
    teams: dict[str, list[str]] = defaultdict(list)
    for name, team in environment.teams.items():
        teams[team.account].append(name)
    for number, names in sorted(teams.items()):
        yield _account(rules, env, number, tuple(sorted(names)))


def _account(rules: Rules, env: str, number: str, teams: tuple[str, ...]) -> Account:
    """IAM is global: the state lies where the environment's global resources have theirs."""
    state, environment = rules.project.state, rules.environments[env]
    region = environment.global_resource_deploy_from_region
    place = stores(state, env, store_region(state, region))
    backend = tooling.backend(place, f"_accounts/{number}/terraform.tfstate", locking=state.locking)
    return Account(number, env, teams, region, backend, _variables(rules, env, number, teams))


def _variables(rules: Rules, env: str, number: str, teams: tuple[str, ...]) -> dict[str, Any]:
    """What modules/deploy-roles is given; what is not configured keeps the module's default."""
    workload, environment = rules.project.workload, rules.environments[env]
    planning, applying = _trusted(rules, environment)
    variables: dict[str, Any] = {
        "account": number,
        "tooling_account": rules.project.tooling.account,
        "plan_trusted_role_arns": sorted({*_roles(rules, env, teams, planning[0]), *_named(rules, planning[1])}),
        "build_trusted_role_arns": sorted({*_roles(rules, env, teams, applying[0]), *_named(rules, applying[1])}),
        "managed_names": [f"{env}-{team}-*" for team in teams],
        "plan_role_name": workload.roles.plan,
        "build_role_name": workload.roles.apply,
    }
    if workload.external_id is not None:
        variables["external_id"] = workload.external_id
    if workload.services is not None:
        variables["services"] = sorted(workload.services)
    return variables


_Trusted = tuple[tuple[RoleKind, ...], list[str]]


def _trusted(rules: Rules, environment: Environment) -> tuple[_Trusted, _Trusted]:
    """Who may plan and who may apply: kinds of pipeline roles, and names of others.

    With `apply_from: pipeline` the build roles trust the apply step alone.
    """
    others = rules.project.tooling.trusted_roles
    planning = [*others.plan, *others.apply]
    if environment.apply_from == "pipeline":
        return (("plan", "people"), planning), (("apply",), [])
    return (("plan", "people", "deploy"), planning), (("apply", "deploy"), others.apply)


def _roles(rules: Rules, env: str, teams: tuple[str, ...], kinds: tuple[RoleKind, ...]) -> Iterator[str]:
    environment = rules.environments[env]
    regions = dict.fromkeys(r for team in teams for r in tooling.regions_of_team(rules, environment, team))
    for region in regions:
        for kind in kinds:
            yield tooling.pipeline(rules, env, region).role_arn(kind)


def _named(rules: Rules, names: list[str]) -> Iterator[str]:
    for name in names:
        yield tooling.role_arn(rules.project.state.region, rules.project.tooling.account, name)
