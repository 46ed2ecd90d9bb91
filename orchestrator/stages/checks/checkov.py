"""checkov as a scanner: its checks, and the repository's own in policies/."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from orchestrator.effects.checks.checkov import CHECK, Checkov
from orchestrator.effects.checks.tool import ScratchDir
from orchestrator.effects.tools.find import find
from orchestrator.model.checks.check import OWN, Observed
from orchestrator.model.checks.coverage import CONFIGURATION, Coverage
from orchestrator.model.checks.custom_policy import check_policy
from orchestrator.model.checks.finding import Finding
from orchestrator.model.tools.dialect import TERRAFORM
from orchestrator.model.tools.tool import Tool
from orchestrator.stages.checks.subject import POLICIES, CheckContext, CheckTarget, content_digests

_POLICY_FILES = (".py", ".yaml", ".yml", ".json")
_BLOCK = re.compile(
    rb'^\s*(?:resource|data|module|ephemeral)\s+"|"(?:resource|data|module|ephemeral)"\s*:', re.MULTILINE
)


@dataclass(frozen=True)
class CheckovScanner:
    """checkov over the root, its modules and the target's variable files; also over a plan."""

    subject: CheckTarget
    ctx: CheckContext
    name = "checkov"

    @cached_property
    def tool(self) -> Tool:
        return find(self.name, env=self.ctx.env)

    @cached_property
    def coverage(self) -> Coverage:
        return self.subject.coverage(var_files=True)

    @property
    def depends_on(self) -> Mapping[str, Any]:
        run = self.subject.policies
        return {"policies": content_digests(self._policies), "run": run, "var_files": self._var_files}

    def look(self, scratch_dir: ScratchDir) -> Observed:
        found = self._checkov(scratch_dir, self._var_files).of_source()
        notes = (_NOT_RUN,) if self._has_policies and not self.subject.policies else ()
        return Observed((*found, *_overlooked(self.subject, self.coverage)), notes)

    def look_at_plan(self, scratch_dir: ScratchDir, plan: Mapping[str, Any]) -> list[Finding]:
        """As `look`, of a plan's JSON, in an empty scratch folder."""
        return self._checkov(scratch_dir, []).of_plan(plan)

    def _checkov(self, scratch_dir: ScratchDir, var_files: list[str]) -> Checkov:
        return Checkov(self.tool, scratch_dir, _laid(scratch_dir, self._policies), var_files)

    @cached_property
    def _var_files(self) -> list[str]:
        return [path for path in self.subject.var_files if path in self.coverage.files]

    @property
    def _has_policies(self) -> bool:
        prefix = self.subject.in_project(f"{POLICIES}/")
        return self.subject.project is not None and any(
            path.startswith(prefix) and path.endswith(_POLICY_FILES) for path in self.subject.rules.kinds
        )

    @cached_property
    def _policies(self) -> Mapping[str, bytes]:
        """The repository's own checks, by path below policies/. Raises InvalidInput for one that cannot be loaded.

        They are programs: none where nobody has asked for them, nor in a repository that has never heard of this tool.
        """
        if not self.subject.policies or self.subject.project is None:
            return {}
        prefix = self.subject.in_project(f"{POLICIES}/")
        found = {
            path.removeprefix(prefix): self.subject.rules.read(path)
            for path, kind in self.subject.rules.kinds.items()
            if path.startswith(prefix) and kind != "link" and path.endswith(_POLICY_FILES)
        }
        return {path: content for path, content in found.items() if check_policy(f"{prefix}{path}", content)}


_NOT_RUN = "The checks in policies/ were not run, because they are programs of this repository; --policies runs them."


def _overlooked(subject: CheckTarget, coverage: Coverage) -> Iterator[Finding]:
    """A scan that looked at nothing is not a pass, nor is one of files that checkov does not read."""
    code = [origin for path, origin in coverage.files.items() if path.endswith(CONFIGURATION)]
    if not any(_BLOCK.search(subject.files.read(path)) for path in code):
        message = (
            f"there is no resource, data source or module in {subject.shown_root or '.'}: the scan looked at nothing"
        )
        yield Finding(CHECK, OWN, "scan_empty", "error", message)
    for path in code:
        if not path.endswith(TERRAFORM.configuration):
            message = "checkov does not read OpenTofu's own files, so nothing in it has been checked"
            yield Finding(CHECK, OWN, "parse_error", "error", message, file=path)


def _laid(scratch_dir: ScratchDir, policies: Mapping[str, bytes]) -> Path | None:
    """Writes them out; checkov passes over Python in a folder without __init__.py, so each gets one."""
    if not policies:
        return None
    folder = scratch_dir.scratch / POLICIES
    for path, content in policies.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    for inner in [folder, *(path for path in folder.rglob("*") if path.is_dir())]:
        (inner / "__init__.py").touch()
    return folder
