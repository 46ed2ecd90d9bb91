"""All checks of a working tree, before anything is tagged."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from orchestrator.effects.git.current_rules import is_bare
from orchestrator.effects.git.files import FolderFiles
from orchestrator.effects.git.worktree import find_project, read_worktree_rules
from orchestrator.errors import InvalidInput, OrchestrateError
from orchestrator.model.checks.check import BASELINE_FILE, Baseline, CheckReport, Failure
from orchestrator.model.checks.coverage import CONFIGURATION, roots_below
from orchestrator.model.rules.rules import FOLDER, Rules
from orchestrator.model.rules.tag import Tag
from orchestrator.model.rules.target import Target, all_targets, locate
from orchestrator.model.text.quoting import quoted
from orchestrator.stages.checks.subject import CheckContext, CheckTarget, top_path
from orchestrator.stages.checks.table import TABLE


def check(subjects: Sequence[CheckTarget], ctx: CheckContext) -> tuple[list[CheckReport], list[Failure]]:
    """All checks of all subjects, two checks at a time; one that fails takes nothing from the others.

    Ctrl-C stops the tools that are running.
    """
    stop = threading.Event()
    here = replace(ctx, cancelled=lambda: stop.is_set() or ctx.cancelled())
    with ThreadPoolExecutor(max_workers=2) as pool:
        running = [
            (name, subject, pool.submit(definition.run, subject, here))
            for subject in subjects
            for name, definition in TABLE.items()
        ]
        try:
            ended = [(name, subject, _end(future)) for name, subject, future in running]
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    reports = [end for _, _, end in ended if isinstance(end, CheckReport)]
    failures = [Failure(name, s.shown_root, end) for name, s, end in ended if isinstance(end, OrchestrateError)]
    return reports, failures


def _end(future: Future[CheckReport]) -> CheckReport | OrchestrateError:
    try:
        return future.result()
    except OrchestrateError as error:
        return error


# Working trees ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Worktree:
    """A folder's repository as it stands on disk; `rules` is None where it has never heard of this tool.

    `folder` and `project` are relative to the top of the repository.
    """

    files: FolderFiles
    folder: str
    project: str | None
    rules: Rules | None

    @staticmethod
    def around(folder: Path) -> Worktree:
        """Raises InvalidInput where the configuration in `envs/` is wrong."""
        folder = folder.resolve()
        if is_bare(folder):
            raise InvalidInput(
                f"{folder} is a bare repository: there is no working tree to check",
                hint="Check a tag with `orchestrate lint` and `orchestrate scan`, or a clone of the repository.",
            )
        files = FolderFiles.around(folder)
        top = files.top.resolve()
        project = find_project(folder)
        return Worktree(
            files=files,
            folder=top_path(folder.relative_to(top).as_posix()),
            project=top_path(project.relative_to(top).as_posix()) if project else None,
            rules=read_worktree_rules(project) if project else None,
        )

    def of_tag(self, name: str) -> list[CheckTarget]:
        """What a tag of that name would release from here; it need not exist."""
        if self.rules is None:
            raise InvalidInput(
                "a tag means something only in a repository with envs/orchestrate.yaml",
                hint="Name a folder instead, or give no option to check every root configuration.",
            )
        return [self._of_target(locate(Tag.parse(name), self.rules), self.rules)]

    def everything(self) -> list[CheckTarget]:
        """Every target's root; where there are no targets, every root configuration there is."""
        if self.rules is None:
            return self._roots("")
        return _distinct(self._of_target(target, self.rules) for target in all_targets(self.rules))

    def here(self) -> list[CheckTarget]:
        """The root in the folder, or those below it; in the project's own folder, every target's."""
        own = any(path.rpartition("/")[0] == self.folder for path in self._code())
        if self.rules is not None and self.folder == self.project and not own:
            return self.everything()
        return self._root(self.folder) if own else self._roots(self.folder)

    def _code(self) -> Iterator[str]:
        return (path for path in self.files.kinds if path.endswith(CONFIGURATION))

    def _roots(self, folder: str) -> list[CheckTarget]:
        roots = roots_below(self.files.kinds, self.files.read, folder)
        if not roots:
            raise InvalidInput(
                f"there is no Terraform configuration in {quoted(folder or '.')} or below it",
                hint="Name the folder of a root configuration: one that holds *.tf files.",
            )
        return [subject for root in roots for subject in self._root(root)]

    def _root(self, root: str) -> list[CheckTarget]:
        """One root as each environment judges it; by the defaults where no target uses it."""
        targets = [] if self.rules is None else list(all_targets(self.rules))
        used = [self._of_target(t, self.rules) for t in targets if self.rules and self._in_project(t.root) == root]
        return _distinct(used) or [CheckTarget(self.files, self.files, root, project=self.project)]

    def _of_target(self, target: Target, rules: Rules) -> CheckTarget:
        candidates = [self._in_project(path) for path in target.var_file_candidates]
        for path in candidates:
            if self.files.kinds.get(path) == "link":
                raise InvalidInput(f"{path} is a symbolic link; write the variables out")
        return CheckTarget(
            files=self.files,
            rules=self.files,
            root=self._in_project(target.root),
            var_files=tuple(path for path in candidates if path in self.files.kinds),
            project=self.project,
            settings=rules.environments[target.env].checks,
            terraform=rules.project.terraform,
            settings_file=self._in_project(f"{FOLDER}/{target.env}.yaml"),
            module_sources=tuple(rules.environments[target.env].policy.module_sources),
        )

    def _in_project(self, path: str) -> str:
        return f"{self.project}/{path}" if self.project else path

    def write_baseline(self, reports: Iterable[CheckReport]) -> Path:
        """Writes what fails now as known; returns the file."""
        path = self.files.top / (self.project or "") / BASELINE_FILE
        path.write_bytes(Baseline.of(finding for report in reports for finding in report.findings).encode())
        return path


def _distinct(subjects: Iterable[CheckTarget]) -> list[CheckTarget]:
    """Targets that share root, variable files and settings are checked once."""
    return list({(s.root, s.var_files, s.settings_file): s for s in subjects}.values())
