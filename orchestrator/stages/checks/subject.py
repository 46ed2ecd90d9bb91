"""What is checked, by which rules, and with what.

The code comes from the tagged commit; the settings that judge it (thresholds, skips, tflint's settings, custom
policies, the baseline) come from the protected branch, so that a release cannot switch off what judges it. In a
working tree both are the working tree's.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.effects.checks.cache import CheckCache, prune
from orchestrator.effects.checks.tool import ScratchDir
from orchestrator.effects.git.files import CommitFiles, Files, digest, write_out
from orchestrator.effects.system import clock, interruption
from orchestrator.effects.system.cache import Cache, cache_folder
from orchestrator.effects.system.host import environment
from orchestrator.effects.terraform import declared_secrets
from orchestrator.effects.tools.private import private_folder
from orchestrator.model.checks.check import BASELINE_FILE, Baseline, Observed
from orchestrator.model.checks.coverage import LOCK_FILE, Coverage, cover
from orchestrator.model.checks.finding import printable
from orchestrator.model.rules.check_settings import Checks, ModuleSource
from orchestrator.model.rules.config import TerraformSettings
from orchestrator.model.rules.rules import FOLDER
from orchestrator.model.terraform.checked_providers import CheckedProviders
from orchestrator.model.terraform.provider_lock import locked_versions, parse_lock_file
from orchestrator.model.text.canonical import canonical_json, sha256
from orchestrator.model.text.progress import Progress
from orchestrator.model.tools.tool import Tool

if TYPE_CHECKING:
    from orchestrator.effects.checks.terraform_in_tree import TerraformInTree
    from orchestrator.effects.git.repository import Repository
    from orchestrator.model.release.release import Release


POLICIES = "policies"
_FORMAT = 2  # of what is cached; another number forgets all of it


@dataclass(frozen=True)
class CheckTarget:
    """One root with one target's variable files and settings. Paths are from the top of the repository.

    `project` is the folder that holds `envs/`, None in a repository that knows nothing of this tool.
    """

    files: Files
    rules: Files
    root: str
    var_files: tuple[str, ...] = ()
    project: str | None = None
    settings: Checks = field(default_factory=Checks)
    terraform: TerraformSettings = field(default_factory=TerraformSettings)
    settings_file: str | None = None
    module_sources: tuple[ModuleSource, ...] = ()
    """Modules from outside the commit that the rules allow."""
    policies: bool = False
    """Whether the checks in policies/ run: they are programs of whoever wrote `rules`."""
    providers: CheckedProviders | None = field(default_factory=CheckedProviders)
    """Those that may run; None where `rules` are the protected branch's, which say it themselves."""

    @staticmethod
    def of_release(release: Release, repository: Repository) -> CheckTarget:
        """The tagged commit, judged by the rules of the protected branch."""
        env = release.target.env
        return CheckTarget(
            files=CommitFiles.of(repository, release.commit),
            rules=CommitFiles.of(repository, release.rules_commit),
            policies=True,
            providers=None,
            root=top_path(repository.in_project(release.target.root)),
            var_files=tuple(repository.in_project(path) for path in release.var_files),
            project=top_path(repository.prefix.as_posix()),
            settings=release.rules.environments[env].checks,
            terraform=release.rules.project.terraform,
            settings_file=repository.in_project(f"{FOLDER}/{env}.yaml"),
            module_sources=tuple(release.rules.environments[env].policy.module_sources),
        )

    @property
    def shown_root(self) -> str:
        """The root, fit for a terminal; empty where it is the top."""
        return printable(self.root, 500)

    def coverage(self, *, var_files: bool) -> Coverage:
        """What a check covers; raises InvalidInput as `cover` does."""
        return _cover(self.files, self.root, self.var_files if var_files else (), self._not_code)

    @property
    def _not_code(self) -> tuple[str, ...]:
        return () if self.project is None else (self.in_project(FOLDER), self.in_project(POLICIES))

    @cached_property
    def protected(self) -> tuple[str, ...]:
        """Addresses of the providers that the rules' own lock file of the root names."""
        content = self.rule_file(f"{self.root}/{LOCK_FILE}" if self.root else LOCK_FILE) or b""
        return tuple(sorted(locked_versions(parse_lock_file(content.decode(errors="replace")))))

    def in_project(self, path: str) -> str:
        return f"{self.project}/{path}" if self.project else path

    def rule_file(self, path: str) -> bytes | None:
        """The content of a file of the rules, None where it is missing; a link is never followed."""
        return self.rules.read(path) if self.rules.kinds.get(path) in ("file", "executable") else None

    @property
    def allows(self) -> Mapping[str, Any]:
        """Which providers and modules may be installed."""
        return {
            "checked": self.providers.patterns if self.providers else None,
            "providers": [self.terraform.providers, self.protected],
            "module sources": sorted(f"{rule.source} {rule.sha256}" for rule in self.module_sources),
        }

    def unlocked(self, coverage: Coverage, today: date) -> str:
        """Without a lock file the newest providers are taken, so what was found holds for a day at most."""
        path = f"{self.root}/{LOCK_FILE}" if self.root else LOCK_FILE
        return "" if path in coverage.files else today.isoformat()

    @cached_property
    def baseline(self) -> Baseline:
        content = self.rule_file(self.in_project(BASELINE_FILE))
        return Baseline() if content is None else Baseline.parse(content)


@lru_cache(maxsize=1000)
def _cover(files: Files, root: str, extra: tuple[str, ...], leave_out: tuple[str, ...]) -> Coverage:
    return cover(files.kinds, files.read, root, extra, leave_out=leave_out)


def top_path(path: str) -> str:
    """The top of the repository is the empty path here, not `.`."""
    return "" if path == "." else path


@dataclass(frozen=True)
class CheckContext:
    """What checks work with, besides the subject. `today` decides which skips have expired."""

    env: Mapping[str, str]
    cache: CheckCache
    today: date
    progress: Progress
    cancelled: Callable[[], bool] = interruption.here
    under_way: defaultdict[str, threading.Lock] = field(default_factory=lambda: defaultdict(threading.Lock))
    """By key: two targets with the same source wait for one run of the tools instead of starting two."""

    @staticmethod
    def here(env: Mapping[str, str], progress: Progress) -> CheckContext:
        """With the cache of this machine alone."""
        return CheckContext(env, CheckCache(Cache(cache_folder(env))), clock.now().date(), progress)

    @staticmethod
    def of_release(release: Release, progress: Progress) -> CheckContext:
        """Also with what others found and left in the release bucket, where AWS can be reached."""
        from orchestrator.effects.aws.objects import Bucket
        from orchestrator.effects.aws.session import Session

        here = CheckContext.here(environment(), progress)
        project, stores = release.rules.project, release.target.stores
        aws = Session(project.state.region)
        return replace(here, cache=replace(here.cache, shared=Bucket.of_releases(aws, stores, project)))

    @contextlib.contextmanager
    def scratch(self, subject: CheckTarget) -> Iterator[ScratchDir]:
        """A bench with an empty tree; its folder is removed at the end."""
        base = private_folder(cache_folder(self.env))
        folder = Path(os.path.realpath(tempfile.mkdtemp(prefix="check-", dir=base)))
        try:
            with tempfile.TemporaryDirectory(prefix="orchestrate-") as sockets:
                scratch_dir = ScratchDir(
                    folder, Path(sockets), self.env, subject.settings.timeout_seconds, self.cancelled
                )
                scratch_dir.tree.mkdir()
                yield scratch_dir
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def scratch_dir(self, subject: CheckTarget, coverage: Coverage) -> Iterator[ScratchDir]:
        """A bench with what is covered in its tree."""
        with self.scratch(subject) as scratch_dir:
            write_out(subject.files, coverage, scratch_dir.tree)
            _remove_plugins(scratch_dir.tree / subject.root)
            declared_secrets.learn(scratch_dir.tree, self.env)
            yield scratch_dir

    def observed(self, key: ResultKey, observe: Callable[[], Observed]) -> tuple[Observed, bool]:
        """What is cached under the key (True), or else what `observe` finds, which is then cached."""
        with self.under_way[key.local]:
            found = self.cache.get(key.shared, key.local)
            if found is not None:
                return found, True
            new = observe().clean()
            self.cache.put(key.shared, key.local, new)
            prune(cache_folder(self.env))
            return new, False


def _remove_plugins(root: Path) -> None:
    """Terraform starts the providers that it finds in the current folder's `terraform.d` ("Implied Local Mirrors")."""
    for path in root.iterdir() if root.is_dir() else ():
        if path.name.lower() == "terraform.d":
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


@dataclass(frozen=True)
class ResultKey:
    """Everything that a result depends on, as a digest; on this machine the tools' very files as well."""

    shared: str
    local: str

    @staticmethod
    def of(check: str, source: str, tools: tuple[Tool, ...], settings: Mapping[str, Any]) -> ResultKey:
        versions = {tool.name: tool.version for tool in tools}
        shared = sha256(
            canonical_json(
                {"format": _FORMAT, "check": check, "source": source, "tools": versions, "settings": dict(settings)}
            )
        )
        return ResultKey(shared, sha256(canonical_json([shared, *(_identity(tool.path) for tool in tools)])))


def _identity(path: Path) -> list[str | int]:
    """A program that was replaced by another one that calls itself the same is still another one."""
    status = path.stat()
    return [str(path.resolve()), status.st_size, status.st_mtime_ns, status.st_ino]


def source_digest(subject: CheckTarget, coverage: Coverage) -> str:
    return digest(subject.files, coverage)


def content_digests(contents: Mapping[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}


def terraform_in_tree(subject: CheckTarget, ctx: CheckContext, tool: Tool, scratch_dir: ScratchDir) -> TerraformInTree:
    """Terraform in that tree; a root and its modules share what `init` installs."""
    from orchestrator.effects.checks.terraform_in_tree import TerraformInTree

    lock_file = scratch_dir.tree / subject.root / LOCK_FILE
    locked = lock_file.read_bytes() if lock_file.is_file() else b""
    checked = subject.providers
    place = [subject.root, tool.name, *(checked.patterns if checked else ["by the rules"])]
    data = cache_folder(ctx.env) / "lint" / sha256(locked + os.fsencode("\0".join(place)))[:16]
    sources, protected = subject.module_sources, subject.protected
    return TerraformInTree(tool, scratch_dir, subject.terraform, data, sources, protected, checked)
