"""Doctor: everything that a release needs of the repository, this machine and AWS, each looked at on its own.

One thing that is wrong keeps nothing else from being looked at, but for what cannot be known without it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TypeAlias

from orchestrator.effects.git.current_rules import current_rules, is_bare
from orchestrator.effects.system.cache import Cache, cache_folder
from orchestrator.errors import InvalidInput, OrchestrateError
from orchestrator.model.doctor.diagnosis import Diagnosis, failed, not_checked, ok
from orchestrator.model.rules.config import TerraformSettings
from orchestrator.model.rules.rules import Rules
from orchestrator.model.rules.target import Target, all_targets
from orchestrator.model.text.quoting import did_you_mean, quoted
from orchestrator.stages.doctor import aws, machine, repository

_AT_ONCE = 8

_Look: TypeAlias = Callable[[], Iterable[Diagnosis]]


@dataclass(frozen=True)
class DoctorOptions:
    """What is examined: the project around `start`, in the surroundings `env`; `envs` is empty for all environments."""

    start: Path
    env: Mapping[str, str]
    rules_ref: str | None = None
    envs: Collection[str] = ()
    apply_roles: bool = False


def examine(options: DoctorOptions) -> tuple[Diagnosis, ...]:
    """Every diagnosis, in an order that is always the same. Raises InvalidInput for an environment there is not."""
    rules, configuration = _configuration(options)
    program = TerraformSettings().program if rules is None else rules.project.terraform.program
    looks: list[_Look] = [
        partial(repository.repository, options.start, options.rules_ref, rules),
        lambda: [configuration],
        *machine.machine(options.env, program),
        *([_unknown] if rules is None else _by_rules(options, rules)),
    ]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return tuple(chain.from_iterable(pool.map(_all, looks)))


def _all(look: _Look) -> list[Diagnosis]:
    """A generator would look in the thread of whoever reads it."""
    return list(look())


def _configuration(options: DoctorOptions) -> tuple[Rules | None, Diagnosis]:
    """The rules of the working tree, where they are valid."""
    name = "configuration"
    try:
        rules, project = current_rules(options.start, options.rules_ref)
    except OrchestrateError as error:
        return None, failed(name, error)
    targets = len(list(all_targets(rules)))
    return rules, ok(name, f"{project}: {len(rules.environments)} environments, {targets} targets")


def _by_rules(options: DoctorOptions, rules: Rules) -> list[_Look]:
    targets = _targets(rules, options.envs)
    lock_files = repository.LockFiles(
        options.start,
        sorted({target.root for target in targets}),
        Cache(cache_folder(options.env)),
        rules.project.terraform.program,
    )
    if is_bare(options.start):
        lock_files = replace(lock_files, roots=())
    return [
        lock_files.diagnoses,
        lambda: machine.providers(options.env, lock_files.providers),
        lambda: aws.tooling_and_workloads(rules, targets, apply_roles=options.apply_roles),
    ]


def _targets(rules: Rules, envs: Collection[str]) -> list[Target]:
    for env in envs:
        if env not in rules.environments:
            hint = did_you_mean(env, rules.environments)
            raise InvalidInput(f"there is no environment {quoted(env)}", hint=hint)
    return [target for target in all_targets(rules) if not envs or target.env in envs]


def _unknown() -> list[Diagnosis]:
    because = "that takes a configuration without errors"
    return [not_checked(name, because) for name in ("lock files", "providers", "AWS")]
