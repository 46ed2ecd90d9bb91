"""From a tag and the rules to the target: account, Region, backend and roles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.errors import InvalidInput
from orchestrator.model.rules import backend as backends
from orchestrator.model.rules.backend import Backend, Stores
from orchestrator.model.rules.config import Environment, Team
from orchestrator.model.rules.region import is_known, partition_of
from orchestrator.model.rules.rules import FOLDER, Rules
from orchestrator.model.rules.tag import GLOBAL, Tag
from orchestrator.model.text.quoting import did_you_mean, quoted


@dataclass(frozen=True)
class RoleArns:
    """The roles of the workload account that plan and apply assume."""

    plan: str
    apply: str


@dataclass(frozen=True)
class Target:
    """The owner of exactly one Terraform state, with all that follows from the rules."""

    env: str
    scope: str
    team: str
    account: str
    region: str
    partition: str
    root: str
    backend: Backend
    stores: Stores
    roles: RoleArns

    @property
    def id(self) -> str:
        """Unique among all targets: `research/dev-us-east-1`."""
        return f"{self.team}/{self.env}-{self.scope}"

    @property
    def var_file_candidates(self) -> tuple[str, ...]:
        """The variable files, from the weakest to the strongest; each may be missing."""
        return (
            f"{FOLDER}/{self.env}.tfvars",
            f"{FOLDER}/{self.env}/{self.team}.tfvars",
            f"{FOLDER}/{self.env}/{self.team}/{self.scope}.tfvars",
        )


def locate(tag: Tag, rules: Rules) -> Target:
    """The target that a tag names; raises InvalidInput where the rules do not list it."""
    environment = rules.environments.get(tag.env)
    if environment is None:
        raise _unknown(f"there is no environment {quoted(tag.env)}", did_you_mean(tag.env, rules.environments))
    team = environment.teams.get(tag.team)
    if team is None:
        message = f"there is no team {quoted(tag.team)} in environment {tag.env}"
        raise _unknown(message, did_you_mean(tag.team, environment.teams))
    allowed = scopes(environment, team)
    if tag.scope not in allowed:
        raise _unknown(_bad_scope(tag), did_you_mean(tag.scope, allowed))
    return _target(rules, environment, team, tag.env, tag.team, tag.scope)


def all_targets(rules: Rules) -> Iterator[Target]:
    """Every target, ordered by environment and team, global before the Regions."""
    for env, environment in sorted(rules.environments.items()):
        for name, team in sorted(environment.teams.items()):
            for scope in scopes(environment, team):
                yield _target(rules, environment, team, env, name, scope)


def scopes(environment: Environment, team: Team) -> tuple[str, ...]:
    return (GLOBAL, *(environment.regions if team.regions is None else team.regions))


def _unknown(message: str, hint: str | None) -> InvalidInput:
    return InvalidInput(message, hint=hint or "`orchestrate targets` lists what can be released.")


def _bad_scope(tag: Tag) -> str:
    if is_known(tag.scope):
        return f"{tag.scope} is not a Region of team {tag.team} in environment {tag.env}"
    return f"there is no AWS Region {quoted(tag.scope)}"


def _target(rules: Rules, environment: Environment, team: Team, env: str, name: str, scope: str) -> Target:
    state, workload = rules.project.state, rules.project.workload
    region = environment.global_resource_deploy_from_region if scope == GLOBAL else scope
    place = backends.stores(state, env, backends.store_region(state, region))
    partition = partition_of(region)
    role = f"arn:{partition}:iam::{team.account}:role/"
    return Target(
        env=env,
        scope=scope,
        team=name,
        account=team.account,
        region=region,
        partition=partition,
        root=team.root or workload.root,
        backend=backends.backend(state, place, name, scope),
        stores=place,
        roles=RoleArns(plan=role + workload.roles.plan, apply=role + workload.roles.apply),
    )
