"""The rules: the project and all its environments, read and checked as a whole.

Every error of every file is reported at once, with file, line and key.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, cast

import msgspec

from orchestrator.errors import InvalidInput
from orchestrator.model import backend, yaml_source
from orchestrator.model.config import Environment, Project, State
from orchestrator.model.region import REGIONS, is_known, partition_of, short_name
from orchestrator.model.tag import ENV_PATTERN
from orchestrator.model.text import did_you_mean, quoted
from orchestrator.model.yaml_source import Path, Problem, Source

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

FOLDER = "envs"
PROJECT_FILE = f"{FOLDER}/orchestrate.yaml"

_Config = TypeVar("_Config", Project, Environment)


@dataclass(frozen=True)
class Rules:
    """The checked configuration; `environments` by name."""

    project: Project
    environments: Mapping[str, Environment]

    @staticmethod
    def parse(files: Mapping[str, str]) -> Rules:
        """From the texts of `envs/*.yaml` by path; raises InvalidInput with every problem of all of them."""
        sources = {name: yaml_source.parse(name, text) for name, text in sorted(files.items())}
        problems = [*_file_problems(sources), *(p for source in sources.values() for p in source.problems)]
        project, environments = _convert_all(sources, problems)
        if project is not None:
            by_env = {env_of(name): source for name, source in sources.items()}
            problems.extend(_Checker(Rules(project, environments), sources[PROJECT_FILE], by_env).problems())
        if problems or project is None:
            raise _invalid(problems)
        return Rules(project, environments)


def _convert_all(
    sources: Mapping[str, Source], problems: list[Problem]
) -> tuple[Project | None, dict[str, Environment]]:
    project: Project | None = None
    environments: dict[str, Environment] = {}
    for name, source in sources.items():
        if source.value is None:
            continue
        if name == PROJECT_FILE:
            project = _convert(source, Project, problems)
        elif (environment := _convert(source, Environment, problems)) is not None:
            environments[env_of(name)] = environment
    return project, environments


def env_of(file: str) -> str:
    """`envs/dev.yaml` is the environment `dev`."""
    return file.removeprefix(f"{FOLDER}/").removesuffix(".yaml")


def store_regions(state: State, environment: Environment) -> tuple[str, ...]:
    """The Regions in which the environment needs stores."""
    providers = [environment.global_resource_deploy_from_region, *environment.regions]
    return tuple(dict.fromkeys(backend.store_region(state, region) for region in providers))


def _invalid(problems: Iterable[Problem]) -> InvalidInput:
    first = {(problem.file, problem.line, problem.key): problem for problem in reversed(list(problems))}
    found = sorted(first.values())
    head = "the configuration has an error" if len(found) == 1 else f"the configuration has {len(found)} errors"
    return InvalidInput("\n".join([head, *(f"  {problem}" for problem in found)]))


def _file_problems(sources: Mapping[str, Source]) -> Iterator[Problem]:
    if PROJECT_FILE not in sources:
        yield Problem(PROJECT_FILE, 1, "", "this file is missing: it holds the project's settings")
    if not set(sources) - {PROJECT_FILE}:
        yield Problem(f"{FOLDER}/", 1, "", "there is no environment: an environment is a file envs/<env>.yaml")
    for name in set(sources) - {PROJECT_FILE}:
        env = env_of(name)
        if re.fullmatch(ENV_PATTERN, env) is None:
            rule = "at most 16 of a-z, 0-9 and -, a letter first, no - last"
            yield Problem(name, 1, "", f"{quoted(env)} is not a name for an environment ({rule})")
        if env.startswith(backend.RESERVED_ENV_PREFIXES):
            yield Problem(
                name, 1, "", f"an environment may not begin with {env.split('-')[0]}-: store names would collide"
            )


def _convert(source: Source, kind: type[_Config], problems: list[Problem]) -> _Config | None:
    try:
        return msgspec.convert(source.value, kind)
    except msgspec.ValidationError as error:
        explained = list(_explain(source, kind)) or [source.problem((), str(error))]
        problems.extend(explained)
        return None


def _explain(source: Source, kind: type[_Config]) -> Iterator[Problem]:
    """All that is wrong with one file, not just the first thing, in terms of the schema."""
    from jsonschema import Draft202012Validator

    for error in Draft202012Validator(msgspec.json.schema(kind)).iter_errors(source.value):
        yield from _schema_problems(source, _innermost(error))


def _innermost(error: ValidationError) -> ValidationError:
    """Of a value that may be null, the error about what it may be otherwise."""
    while error.validator == "anyOf" and error.context:
        error = max(error.context, key=lambda inner: (len(inner.absolute_path), inner.validator != "type"))
    return error


def _schema_problems(source: Source, error: ValidationError) -> Iterator[Problem]:
    path: Path = tuple(error.absolute_path)
    schema = cast("dict[str, object]", error.schema)
    if error.validator == "additionalProperties":
        known = cast("dict[str, object]", schema["properties"])
        for key in sorted(set(cast("dict[str, object]", error.instance)) - set(known)):
            yield source.problem((*path, key), f"unknown key. {did_you_mean(key, known) or ''}".strip())
    elif "propertyNames" in error.absolute_schema_path:
        yield source.problem((*path, str(error.instance)), f"{quoted(str(error.instance))} is not a valid name here")
    elif error.validator == "pattern":
        described = schema.get("description", f"It must match {error.validator_value}")
        yield source.problem(path, f"{quoted(str(error.instance))} is not valid. {described}")
    elif error.validator == "type":
        described = schema.get("description", "")
        yield source.problem(path, f"it must be of type {error.validator_value}. {described}".strip())
    elif error.validator == "required":
        missing = sorted(set(cast("list[str]", error.validator_value)) - set(cast("dict[str, object]", error.instance)))
        for key in missing:
            yield source.problem((*path, key), "this key is missing")
    else:
        yield source.problem(path, error.message)


@dataclass(frozen=True)
class _Checker:
    """What types alone cannot say."""

    rules: Rules
    project: Source
    sources: Mapping[str, Source]

    def problems(self) -> Iterator[Problem]:
        yield from self._regions()
        if any(True for _ in self._regions()):
            return
        yield from self._partitions()
        yield from self._team_regions()
        yield from self._accounts()
        yield from self._names()

    def _regions(self) -> Iterator[Problem]:
        for source, path, region in self._all_regions():
            if not is_known(region):
                hint = did_you_mean(region, REGIONS) or ""
                yield source.problem(path, f"there is no AWS Region {quoted(region)}. {hint}".strip())

    def _all_regions(self) -> Iterator[tuple[Source, Path, str]]:
        yield self.project, ("state", "region"), self.rules.project.state.region
        for name, environment in self.rules.environments.items():
            source = self.sources[name]
            for index, region in enumerate(environment.regions):
                yield source, ("regions", index), region
            yield source, ("global_resource_deploy_from_region",), environment.global_resource_deploy_from_region

    def _partitions(self) -> Iterator[Problem]:
        home = self.rules.project.state.region
        for source, path, region in self._all_regions():
            if partition_of(region) != partition_of(home):
                partition = partition_of(home)
                yield source.problem(path, f"{region} is not in the partition {partition} of state.region {home}")

    def _team_regions(self) -> Iterator[Problem]:
        for name, environment in self.rules.environments.items():
            source = self.sources[name]
            yield from _repeated(source, ("regions",), environment.regions)
            for team, settings in environment.teams.items():
                path = ("teams", team, "regions")
                if settings.regions is not None and not settings.regions:
                    yield source.problem(path, "it is empty; leave the key out to use all Regions of the environment")
                yield from _repeated(source, path, settings.regions or [])
                for region in set(settings.regions or []) - set(environment.regions):
                    yield source.problem(path, f"{region} is not one of the environment's regions")

    def _accounts(self) -> Iterator[Problem]:
        users: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for name, environment in self.rules.environments.items():
            for team, settings in environment.teams.items():
                users[settings.account].append((name, team))
        for account, places in users.items():
            yield from self._shared_account(account, places)

    def _shared_account(self, account: str, places: list[tuple[str, str]]) -> Iterator[Problem]:
        for env, team in places:
            path: Path = ("teams", team, "account")
            for other in sorted({other_env for other_env, _ in places} - {env}):
                message = f"account {account} is also in envs/{other}.yaml; it may stand in one environment only"
                yield self.sources[env].problem(path, message)
            siblings = [other for other_env, other in places if other_env == env and other != team]
            if siblings and not self.rules.environments[env].teams[team].shared_account:
                message = f"team {siblings[0]} has the same account; set shared_account: true on both if that is meant"
                yield self.sources[env].problem(path, message)

    def _names(self) -> Iterator[Problem]:
        state = self.rules.project.state
        users: dict[str, str] = {}
        for env, environment in self.rules.environments.items():
            for region in store_regions(state, environment):
                place = backend.stores(state, env, region)
                for bucket in (place.state_bucket, place.release_bucket):
                    owner = users.setdefault(bucket, f"{env}/{region}")
                    if owner != f"{env}/{region}":
                        yield self.project.problem(("state", "prefix"), self._collision(bucket, owner, env, region))
                    for message in backend.bucket_name_problems(bucket):
                        yield self.project.problem(("state", "prefix"), f"{message} (environment {env})")

    @staticmethod
    def _collision(bucket: str, owner: str, env: str, region: str) -> str:
        return f"{owner} and {env}/{region} would share the bucket {bucket} (short name {short_name(region)})"


def _repeated(source: Source, path: Path, regions: list[str]) -> Iterator[Problem]:
    for index, region in enumerate(regions):
        if region in regions[:index]:
            yield source.problem((*path, index), f"{region} stands twice")
