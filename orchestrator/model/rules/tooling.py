"""The tooling in the tooling account: its names, by convention alone, so that Terraform's modules need not be asked.

`modules/tooling` makes the same names; tests/modules/tooling compares them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from orchestrator.errors import InvalidInput
from orchestrator.model.rules.backend import TOOLING, Backend, Stores, stem, store_region, stores
from orchestrator.model.rules.config import Environment
from orchestrator.model.rules.region import partition_of
from orchestrator.model.rules.rules import Rules, store_regions

RoleKind: TypeAlias = Literal["submit", "check", "plan", "apply", "verify", "runner", "events", "people", "deploy"]

STATE_KEY = f"_{TOOLING}/terraform.tfstate"
"""No team's name begins with `_`, so no target has this key."""

ASKED = "Release asked for"
"""The detail type of the event by which somebody asks for the release of a tag that is there already."""


def asked(tag: str, attempt: str, rounds: int = 0) -> dict[str, str]:
    """The detail of that event. EventBridge's input transformer needs every field, `rounds` of waiting included."""
    return {"tag": tag, "attempt": attempt, "rounds": str(rounds)}


# IAM, "IAM and AWS STS quotas": role names; the longest of ours ends in `-` and six letters, as rules' names do.
_LONGEST_NAME = 64
_LONGEST_ENDING = 1 + max(len(kind) for kind in get_args(RoleKind))


@dataclass(frozen=True)
class EnvironmentPipeline:
    """The pipeline of one environment in one tooling Region."""

    name: str
    env: str
    region: str
    account: str

    @property
    def submit_project(self) -> str:
        return f"{self.name}-submit"

    @property
    def asked_source(self) -> str:
        """The source of these events; it names the pipeline, so that leave to ask can be given for one alone."""
        return f"orchestrate.{self.name}"

    def role_name(self, kind: RoleKind) -> str:
        return f"{self.name}-{kind}"

    def role_arn(self, kind: RoleKind) -> str:
        return role_arn(self.region, self.account, self.role_name(kind))


def is_session_of(caller: str, role: str) -> bool:
    """Whether the caller (an ARN as STS tells it) is a session of the role of this ARN."""
    account, _, name = role.partition(":role/")
    session = account.replace(":iam:", ":sts:") + f":assumed-role/{name}/"
    return caller.startswith(session)


def role_arn(region: str, account: str, name: str) -> str:
    """A role in the partition of that Region."""
    return f"arn:{partition_of(region)}:iam::{account}:role/{name}"


def pipeline(rules: Rules, env: str, region: str) -> EnvironmentPipeline:
    """The pipeline of `env` whose stores are in `region`; InvalidInput where AWS would refuse its names."""
    name = f"{stem(rules.project.state, region)}-{env}"
    if len(name) + _LONGEST_ENDING > _LONGEST_NAME:
        raise InvalidInput(
            f"the names of the tooling of environment {env} would begin with {name}, which has {len(name)} characters; "
            f"at most {_LONGEST_NAME - _LONGEST_ENDING} are possible",
            hint="Shorten state.prefix in envs/orchestrate.yaml, or the environment's name.",
        )
    return EnvironmentPipeline(name, env, region, rules.project.tooling.account)


def tooling_regions(rules: Rules) -> tuple[str, ...]:
    """Where the tooling is applied: the tooling Region, or with layout regional each Region that has stores.

    The Region of `state.region` comes first: the repository is written to there.
    """
    home = rules.project.state.region
    used = {region for env in rules.environments.values() for region in store_regions(rules.project.state, env)}
    return (home, *sorted(used - {home}))


def pipelines(rules: Rules, region: str) -> Iterator[EnvironmentPipeline]:
    """The pipelines in one tooling Region."""
    for env, environment in sorted(rules.environments.items()):
        if region in store_regions(rules.project.state, environment):
            yield pipeline(rules, env, region)


def regions_of_team(rules: Rules, environment: Environment, team: str) -> tuple[str, ...]:
    """The tooling Regions whose pipelines release that team."""
    own = environment.teams[team].regions
    regions = [environment.global_resource_deploy_from_region, *(environment.regions if own is None else own)]
    return tuple(dict.fromkeys(store_region(rules.project.state, region) for region in regions))


def own_stores(rules: Rules, region: str) -> Stores:
    """The stores of the tooling itself; of these only the state bucket, the lock table and the key are made."""
    return stores(rules.project.state, TOOLING, region)


def backend(place: Stores, key: str, *, locking: str) -> Backend:
    """The backend of a root that is not a target: the tooling's, or an account's roles."""
    return Backend(place.state_bucket, key, place.region, place.lock_table, use_lockfile=locking != "dynamodb")


def regions_of_environment(rules: Rules, env: str) -> tuple[str, ...]:
    """Where the environment has pipelines; that of its global resources first."""
    return store_regions(rules.project.state, rules.environments[env])
