"""Doctor: git, the repository, the rules of the protected branch, and the lock files of the root configurations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from orchestrator.effects.git.repository import Repository
from orchestrator.effects.git.version import git_version
from orchestrator.effects.git.worktree import project_folder
from orchestrator.effects.system.cache import Cache
from orchestrator.effects.terraform import hcl
from orchestrator.errors import DependencyError, InvalidInput, OrchestrateError
from orchestrator.model.doctor.diagnosis import Diagnosis, failed, looked, ok, warning
from orchestrator.model.rules.rules import FOLDER, PROJECT_FILE, Rules
from orchestrator.model.terraform.needed_providers import BLOCKS, module_sources, needs_providers
from orchestrator.model.terraform.provider_lock import (
    LOCK_FILE,
    LOCK_PLATFORMS,
    LockedProvider,
    doubts,
    parse_lock_file,
)
from orchestrator.model.tools.dialect import DIALECTS

_OLDEST_GIT = (2, 24)  # the first that knows --end-of-options


def repository(start: Path, rules_ref: str | None, rules: Rules | None) -> Iterator[Diagnosis]:
    """`rules` are those of the working tree, None where they are not valid."""
    yield looked("git", _git)
    try:
        found = Repository.open(start)
    except OrchestrateError as error:
        yield failed("repository", error)
        return
    yield ok("repository", str(found.folder))
    yield looked("history", partial(_history, found))
    yield looked("protected branch", partial(_protected_branch, found, rules_ref, rules))


def _git() -> Diagnosis:
    version = git_version()
    numbers = re.match(r"(\d+)\.(\d+)", version)
    if numbers is None or (int(numbers[1]), int(numbers[2])) < _OLDEST_GIT:
        needed = ".".join(map(str, _OLDEST_GIT))
        raise DependencyError(f"git is {version}, at least {needed} is needed", hint="Install a newer git.")
    return ok("git", version)


def _history(repository: Repository) -> Diagnosis:
    if repository.is_shallow:
        raise DependencyError(
            "this clone is shallow: whether the protected branch contains a tag's commit cannot be known",
            hint="Run `git fetch --unshallow --tags`.",
        )
    return ok("history", "complete")


def _protected_branch(repository: Repository, rules_ref: str | None, ours: Rules | None) -> Diagnosis:
    name = "protected branch"
    commit = repository.rules_commit(rules_ref)
    theirs = repository.rules(commit)
    found = f"commit {commit[:12]}"
    if ours is None:
        return ok(name, f"{found}, whose configuration is valid")
    if different := _different(ours, theirs):
        return warning(
            name,
            f"{found}, where {', '.join(different)} {'differs' if len(different) == 1 else 'differ'} from the working "
            "tree; a release obeys the branch, doctor, targets and bootstrap the working tree",
            "Merge the change into the branch, or bring the working tree up to date.",
        )
    return ok(name, f"{found}, with the configuration of the working tree")


def _different(ours: Rules, theirs: Rules) -> list[str]:
    """The files that mean something else."""
    envs = sorted(ours.environments.keys() | theirs.environments.keys())
    project = [] if ours.project == theirs.project else [PROJECT_FILE]
    changed = [env for env in envs if ours.environments.get(env) != theirs.environments.get(env)]
    return [*project, *(f"{FOLDER}/{env}.yaml" for env in changed)]


@dataclass(frozen=True)
class LockFiles:
    """The provider lock files of these roots of the working tree, relative to the project's folder.

    `program` is the project's `terraform.program`, which makes them.
    """

    start: Path
    roots: Sequence[str]
    cache: Cache
    program: str

    def diagnoses(self) -> Iterator[Diagnosis]:
        for root in self.roots:
            name = f"lock file of {root}"
            yield looked(name, partial(self._diagnosis, name, root))

    @property
    def providers(self) -> list[LockedProvider]:
        """Of all lock files that can be read."""
        found: list[LockedProvider] = []
        for root in self.roots:
            try:
                found += parse_lock_file(self._path(root).read_text("utf-8"))
            except (OSError, UnicodeDecodeError, InvalidInput):
                continue
        return found

    @cached_property
    def _project(self) -> Path:
        return project_folder(self.start)

    def _path(self, root: str) -> Path:
        return self._project / root / LOCK_FILE

    def _diagnosis(self, name: str, root: str) -> Diagnosis:
        path = self._path(root)
        if not path.parent.is_dir():
            raise InvalidInput(
                f"there is no folder {root}, which {FOLDER}/ names as a root configuration",
                hint="Correct workload.root, or the team's root, or create the folder.",
            )
        if not path.is_file():
            if not self._needs_one(path.parent):
                return ok(name, "there is none, and no provider that it would fix")
            make = f"Run `{self.program} init` and `{self.program} {LOCK_PLATFORMS}` there, and commit it."
            return warning(name, f"{root} has none, so no provider can be installed for a release", make)
        providers = parse_lock_file(path.read_text("utf-8"))
        if problem := self._uncommitted(root):
            return warning(name, problem, f"Commit it; .gitignore must not name {LOCK_FILE}.")
        if doubtful := doubts(providers, self.program):
            return warning(
                name, "\n".join(text.partition(". ")[0] for text in doubtful), doubtful[0].partition(". ")[2]
            )
        return ok(name, ", ".join(f"{provider.address} {provider.version}" for provider in providers) or "no providers")

    def _needs_one(self, root: Path) -> bool:
        """Only what can be seen to take no provider needs none: a module from elsewhere may take any."""
        waiting, seen = [root.resolve()], set()
        while waiting:
            module = waiting.pop()
            seen.add(module)
            try:
                bodies = list(hcl.read_root(module, self.cache, dialect=DIALECTS[self.program], names=BLOCKS).values())
            except (InvalidInput, OSError):
                return True
            sources = list(module_sources(bodies))
            if needs_providers(bodies) or not all(source.startswith(("./", "../")) for source in sources):
                return True
            waiting += {(module / source).resolve() for source in sources} - seen
        return False

    def _uncommitted(self, root: str) -> str | None:
        repository = Repository.open(self.start)
        path = f"{root}/{LOCK_FILE}"
        if repository.ignored_or_untracked(repository.commit("HEAD"), [path]):
            return f"{path} stands in the working tree but not in the commit: it is not part of a release"
        return None
