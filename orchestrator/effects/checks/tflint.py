"""tflint: its rules over a root configuration and the local modules it calls, with settings that we generate.

A settings file may name programs for tflint to start, so none of the checked files is one: they are removed from the
copy that it looks at.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from orchestrator.effects.checks.tool import ScratchDir, ToolResult, answer
from orchestrator.model.checks.finding import Finding, Severity
from orchestrator.model.checks.tflint_config import GENERATED, NAMES, TflintConfig, default_config
from orchestrator.model.rules.check_names import Check
from orchestrator.model.tools.tool import Tool

CHECK: Check = "lint"
# A folder of ours among those that are linted, with something that tflint's bundled rules always find: an answer
# without it is not an answer.
_CANARY = "orchestrate-canary"
_CANARY_RULE = "terraform_unused_declarations"
_CANARY_FILES = {
    "main.tf": b'variable "canary" {\n  type = string\n}\n',
    GENERATED: default_config(None).content,
}
_DONE = (0, 1, 2)  # nothing found, errors, issues found
_PLUGIN_PROBLEM = re.compile(r"Failed to initialize plugins|Plugin \"|Failed to (?:launch|instantiate)", re.IGNORECASE)
_PLACE = re.compile(r"(?P<file>[^;:\n]+\.tf(?:\.json)?):(?P<line>\d+),[\d,-]+: (?P<what>[^;\n]+)")


class _Point(msgspec.Struct):
    line: int


class _IssueRange(msgspec.Struct):
    filename: str
    start: _Point
    end: _Point


class _Rule(msgspec.Struct):
    name: str
    severity: Literal["error", "warning", "notice", "info"]
    link: str = ""


class _Issue(msgspec.Struct):
    rule: _Rule
    message: str
    range: _IssueRange


class _Error(msgspec.Struct):
    message: str
    range: _IssueRange | None = None


class _TflintReport(msgspec.Struct):
    """The answer of `tflint --format=json`."""

    issues: list[_Issue]
    errors: list[_Error]


@dataclass(frozen=True)
class Tflint:
    """tflint in a bench's tree, with plugins from one folder of ours."""

    tool: Tool
    scratch_dir: ScratchDir
    plugins: Path

    def findings(self, configs: Mapping[str, TflintConfig]) -> list[Finding]:
        """Issues of the folders that `configs` names, each linted with its own settings.

        Raises DependencyError where tflint did not look at them all.
        """
        tree = self.scratch_dir.scratch / "tflint"
        shutil.copytree(self.scratch_dir.tree, tree, symlinks=True)
        _remove_settings(tree)
        for folder, config in configs.items():
            (tree / folder / GENERATED).write_bytes(config.content)
        _lay(tree / _CANARY)
        env = self.scratch_dir.plain_env(
            TFLINT_PLUGIN_DIR=str(self.plugins), TF_DATA_DIR=str(self.scratch_dir.scratch / "none")
        )
        said = answer(self.tool, ["--recursive", "--format=json", "--no-color"], self.scratch_dir, tree, env)
        if said.returncode not in _DONE:
            raise said.broken("ended before its work was done")
        report = said.decoded(_TflintReport)
        self._check_complete(said, report)
        return [*map(_finding, _of_folders(report.issues, configs)), *(_failed(error) for error in report.errors)]

    def _check_complete(self, said: ToolResult, report: _TflintReport) -> None:
        if (said.returncode == 1) != bool(report.errors) or (said.returncode == 0 and report.issues):
            raise said.broken("contradicts itself about what it found")
        plugin = next((error for error in report.errors if _PLUGIN_PROBLEM.search(error.message)), None)
        if plugin is not None:
            raise said.broken(f"could not use a plugin: {' '.join(plugin.message.split())[:300]}")
        if not any(issue.rule.name == _CANARY_RULE and _in_canary(issue) for issue in report.issues):
            raise said.broken("did not find what it finds in any working installation")


def _remove_settings(tree: Path) -> None:
    """In whatever case: file systems may not tell `.TFLINT.hcl` from `.tflint.hcl`."""
    for base, folders, names in os.walk(tree):
        for name in (*folders, *names):
            if name.lower() in NAMES:
                path = Path(base, name)
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _lay(folder: Path) -> None:
    folder.mkdir()
    for name, content in _CANARY_FILES.items():
        (folder / name).write_bytes(content)


def _in_canary(issue: _Issue) -> bool:
    return issue.range.filename.startswith(f"{_CANARY}/")


def _of_folders(issues: Iterable[_Issue], configs: Mapping[str, TflintConfig]) -> list[_Issue]:
    """Those of modules that are checked: a module's test fixtures are linted along with it, but are not its code."""
    return [issue for issue in issues if os.path.dirname(os.path.normpath(issue.range.filename)) in configs]


_SEVERITIES: Mapping[str, Severity] = {"error": "error", "warning": "warning", "notice": "notice", "info": "notice"}


def _finding(issue: _Issue) -> Finding:
    return Finding(
        check=CHECK,
        tool="tflint",
        rule=issue.rule.name,
        severity=_SEVERITIES[issue.rule.severity],
        message=issue.message,
        file=os.path.normpath(issue.range.filename),
        line=issue.range.start.line,
        end_line=issue.range.end.line,
        remediation=f"`# tflint-ignore: {issue.rule.name}` above the line ignores it." if not issue.rule.link else None,
        link=issue.rule.link or None,
    )


def _failed(error: _Error) -> Finding:
    """tflint could not read a folder; Terraform's own check usually says why."""
    place = _PLACE.search(error.message)
    return Finding(
        check=CHECK,
        tool="tflint",
        rule="tflint_error",
        severity="error",
        message=" ".join((place["what"] if place else error.message).split()),
        file=os.path.normpath(place["file"].strip()) if place else None,
        line=int(place["line"]) if place else None,
    )
