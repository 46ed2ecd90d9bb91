"""The rules: the project and all its environments, read and checked as a whole.

Every error of every file is reported at once, with file, line and key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from orchestrator.errors import InvalidInput
from orchestrator.model.rules import backend, rule_checks, yaml_source
from orchestrator.model.rules.config import Environment, Project
from orchestrator.model.rules.conversion import convert
from orchestrator.model.rules.rule_checks import Parts, store_regions
from orchestrator.model.rules.tag import ENV_PATTERN, ENV_RULE
from orchestrator.model.rules.yaml_source import Problem, YamlSource
from orchestrator.model.text.quoting import quoted

__all__ = ["FOLDER", "PROJECT_FILE", "Rules", "env_of", "store_regions"]

FOLDER = "envs"
PROJECT_FILE = f"{FOLDER}/orchestrate.yaml"


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
        parts = _parts(sources, problems)
        problems.extend(rule_checks.problems(parts))
        if problems or parts.project is None:
            raise _invalid(problems)
        return Rules(parts.project, parts.environments)


def env_of(file: str) -> str:
    """`envs/dev.yaml` is the environment `dev`."""
    return file.removeprefix(f"{FOLDER}/").removesuffix(".yaml")


def _parts(sources: Mapping[str, YamlSource], problems: list[Problem]) -> Parts:
    """All that can be read; what is wrong goes to `problems`."""
    project: Project | None = None
    environments: dict[str, Environment] = {}
    for name, source in sources.items():
        if name == PROJECT_FILE:
            project, found = convert(source, Project)
        else:
            environment, found = convert(source, Environment)
            if environment is not None:
                environments[env_of(name)] = environment
        problems.extend(found)
    by_env = {env_of(name): source for name, source in sources.items()}
    return Parts(project, sources.get(PROJECT_FILE), environments, by_env)


def _file_problems(sources: Mapping[str, YamlSource]) -> Iterator[Problem]:
    if PROJECT_FILE not in sources:
        yield Problem(PROJECT_FILE, 1, "", "this file is missing: it holds the project's settings")
    if not set(sources) - {PROJECT_FILE}:
        yield Problem(f"{FOLDER}/", 1, "", "there is no environment: an environment is a file envs/<env>.yaml")
    for name in set(sources) - {PROJECT_FILE}:
        for message in _file_name_problems(name):
            yield Problem(name, 1, "", message)


def _file_name_problems(name: str) -> Iterator[str]:
    env = env_of(name)
    if not name.endswith(".yaml"):
        yield "the name of a rules file ends in .yaml: rename it"
    elif re.fullmatch(ENV_PATTERN, env) is None:
        yield f"{quoted(env)} is not a name for an environment ({ENV_RULE})"
    if env == backend.TOOLING:
        yield "an environment may not be called tooling: the tooling's own stores have that name"
    if env.startswith(backend.RESERVED_ENV_PREFIXES):
        yield f"an environment may not begin with {env.split('-')[0]}-: names of stores would collide"


def _invalid(problems: Iterable[Problem]) -> InvalidInput:
    """One problem a place: what the text says comes before what follows from it."""
    first = {(problem.file, problem.line, problem.key): problem for problem in reversed(list(problems))}
    found = sorted(first.values())
    head = "the configuration has an error" if len(found) == 1 else f"the configuration has {len(found)} errors"
    return InvalidInput("\n".join([head, *(f"  {problem}" for problem in found)]))
