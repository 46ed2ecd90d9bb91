"""What the types of the configuration cannot say: names that collide, accounts in two places, Regions of two worlds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from orchestrator.model.rules import backend
from orchestrator.model.rules.config import Environment, Project, State
from orchestrator.model.rules.region import REGIONS, is_known, partition_of, short_name
from orchestrator.model.rules.release_rule_checks import release_problems
from orchestrator.model.rules.yaml_source import Path, Problem, YamlSource
from orchestrator.model.text.quoting import did_you_mean, escaped, quoted


@dataclass(frozen=True)
class Parts:
    """What could be read of the files; `sources` by environment. `project` is None where it is not usable."""

    project: Project | None
    project_source: YamlSource | None
    environments: Mapping[str, Environment]
    sources: Mapping[str, YamlSource]


def problems(parts: Parts) -> Iterator[Problem]:
    yield from _unknown_regions(parts)
    yield from _partitions(parts)
    yield from _team_regions(parts)
    yield from _accounts(parts)
    yield from _names(parts)
    yield from release_problems(parts.environments, parts.sources)


def store_regions(state: State, environment: Environment) -> tuple[str, ...]:
    """The Regions in which the environment needs stores."""
    providers = [environment.global_resource_deploy_from_region, *environment.regions]
    return tuple(dict.fromkeys(backend.store_region(state, region) for region in providers))


def _all_regions(parts: Parts) -> Iterator[tuple[YamlSource, Path, str]]:
    if parts.project is not None and parts.project_source is not None:
        yield parts.project_source, ("state", "region"), parts.project.state.region
    for env, environment in parts.environments.items():
        source = parts.sources[env]
        for index, region in enumerate(environment.regions):
            yield source, ("regions", index), region
        yield source, ("global_resource_deploy_from_region",), environment.global_resource_deploy_from_region


def _unknown_regions(parts: Parts) -> Iterator[Problem]:
    for source, path, region in _all_regions(parts):
        if not is_known(region):
            hint = did_you_mean(region, REGIONS) or ""
            yield source.problem(path, f"there is no AWS Region {quoted(region)}. {hint}".strip())


def _partitions(parts: Parts) -> Iterator[Problem]:
    known = [place for place in _all_regions(parts) if is_known(place[2])]
    for source, path, region in known[1:]:
        home = known[0][2]
        if partition_of(region) != partition_of(home):
            yield source.problem(path, f"{region} is in another partition ({partition_of(region)}) than {home}")


def _team_regions(parts: Parts) -> Iterator[Problem]:
    for env, environment in parts.environments.items():
        source = parts.sources[env]
        yield from _repeated(source, ("regions",), environment.regions)
        for team, regions in _listed_regions(source):
            path: Path = ("teams", team, "regions")
            if not regions:
                yield source.problem(path, "it is empty; leave the key out to use all Regions of the environment")
            yield from _repeated(source, path, regions)
            for index, region in enumerate(regions):
                if region not in environment.regions:
                    hint = did_you_mean(region, environment.regions) or ""
                    message = f"{quoted(region)} is not one of the environment's regions. {hint}"
                    yield source.problem((*path, index), message.strip())


def _listed_regions(source: YamlSource) -> Iterator[tuple[str, list[str]]]:
    """Of each team that lists its own. As written: where anything else of a team is wrong, its type knows no team."""
    teams = source.value.get("teams") if isinstance(source.value, dict) else None
    for team, settings in (teams if isinstance(teams, dict) else {}).items():
        regions = settings.get("regions") if isinstance(settings, dict) else None
        if isinstance(regions, list) and all(isinstance(region, str) for region in regions):
            yield team, regions


def _repeated(source: YamlSource, path: Path, regions: list[str]) -> Iterator[Problem]:
    for index, region in enumerate(regions):
        if region in regions[:index]:
            yield source.problem((*path, index), f"{quoted(region)} stands twice")


def _accounts(parts: Parts) -> Iterator[Problem]:
    users: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for env, environment in parts.environments.items():
        for team, settings in environment.teams.items():
            users[settings.account].append((env, team))
    for account, places in users.items():
        for env, team in places:
            for message in _sharing(parts, account, places, (env, team)):
                yield parts.sources[env].problem(("teams", team, "account"), message)


def _sharing(parts: Parts, account: str, places: list[tuple[str, str]], here: tuple[str, str]) -> Iterator[str]:
    env, team = here
    if parts.project is not None and account == parts.project.tooling.account:
        yield f"account {account} is the tooling account, whose states and record its releases could change"
    others = sorted({other_env for other_env, _ in places} - {env})
    if others:
        files = " and ".join(escaped(parts.sources[other].file) for other in others)
        yield f"account {account} is also in {files}; it may stand in one environment only"
    siblings = [other_team for other_env, other_team in places if other_env == env and other_team != team]
    if siblings and not parts.environments[env].teams[team].shared_account:
        yield f"team {siblings[0]} has the same account; set shared_account: true on both if that is meant"


def _names(parts: Parts) -> Iterator[Problem]:
    if parts.project is None or parts.project_source is None:
        return
    users: dict[str, str] = {}
    for place in _stores(parts.project.state, parts.environments):
        here = f"{place.env} in {place.region}"
        for bucket in (place.state_bucket, place.release_bucket):
            owner = users.setdefault(bucket, here)
            messages = [f"{message} (environment {place.env})" for message in backend.bucket_name_problems(bucket)]
            if owner != here:
                short = short_name(place.region)
                messages.append(f"{owner} and {here} would share the bucket {bucket} (short name {short})")
            for message in messages:
                yield parts.project_source.problem(("state", "prefix"), message)


def _stores(state: State, environments: Mapping[str, Environment]) -> Iterator[backend.Stores]:
    for env, environment in environments.items():
        for region in store_regions(state, environment):
            if is_known(region):
                yield backend.stores(state, env, region)
