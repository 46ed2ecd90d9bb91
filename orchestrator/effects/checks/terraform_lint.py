"""Terraform's own checks of source: its format (`fmt`), and whether it makes sense (`validate`)."""

from __future__ import annotations

import contextlib
import difflib
import fcntl
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec.structs import replace

from orchestrator.effects.checks.tool import ScratchDir, ToolResult, answer, tail
from orchestrator.effects.terraform.terraform import environment
from orchestrator.effects.tools.providers import cli_config
from orchestrator.errors import DependencyError, InvalidInput
from orchestrator.model.checks.coverage import LOCK_FILE
from orchestrator.model.checks.finding import Finding, Severity
from orchestrator.model.rules.config import TerraformSettings as Settings
from orchestrator.model.terraform.errors import failure
from orchestrator.model.terraform.events import CommandOutput, Diagnostic
from orchestrator.model.terraform.provider_lock import locked_versions, parse_lock_file
from orchestrator.model.tools.tool import Tool

_UNFORMATTED = b"a={\n}\n"
_MOST_DIFFERENCES = 12  # lines
_SYNTAX_ERROR = re.compile(r"^Error: (.+)\n\n  on (\S+) line (\d+)", re.MULTILINE)


@dataclass(frozen=True)
class TerraformLint:
    """Terraform's checks of the files in a bench's tree."""

    tool: Tool
    scratch_dir: ScratchDir
    settings: Settings
    data: Path
    """Kept from run to run: what `init` installs."""

    # Format -----------------------------------------------------------------------------------------------------

    def unformatted(self) -> list[Finding]:
        """Files that `terraform fmt` would write otherwise, or cannot read.

        It formats copies with names of ours, and the bytes are compared: no output is parsed that a file's name or
        content could imitate. One file of ours that is not well formatted shows that it worked.
        """
        copies = self.scratch_dir.scratch / f"{self.tool.name}-format"
        copies.mkdir()
        originals = dict(self._copied(copies))
        canary = copies / "canary.tf"
        canary.write_bytes(_UNFORMATTED)
        said = self._run(["fmt", "-list=false", "-no-color", "."], copies)
        if said.returncode not in (0, 2) or canary.read_bytes() == _UNFORMATTED:
            raise said.broken("did not format")
        unreadable = dict(self._unreadable(said, originals))
        if said.returncode == 2 and not unreadable:
            raise said.broken("did not say what it could not format")
        changed = [
            self._not_formatted(path, (copies / name).read_bytes())
            for name, path in originals.items()
            if path not in unreadable and (copies / name).read_bytes() != (self.scratch_dir.tree / path).read_bytes()
        ]
        return [*unreadable.values(), *changed]

    def _copied(self, folder: Path) -> Iterator[tuple[str, str]]:
        """Name of the copy, and path in the tree."""
        number = 0
        for base, _, names in os.walk(self.scratch_dir.tree):
            for name in sorted(names):
                suffix = next((end for end in self.tool.dialect.formatted if name.endswith(end)), None)
                if suffix is None:
                    continue
                number += 1
                path = Path(base, name)
                (folder / f"f{number}{suffix}").write_bytes(path.read_bytes())
                yield f"f{number}{suffix}", os.path.relpath(path, self.scratch_dir.tree)

    def _unreadable(self, said: ToolResult, originals: Mapping[str, str]) -> Iterator[tuple[str, Finding]]:
        for summary, name, line in _SYNTAX_ERROR.findall(tail(said.stderr)):
            if name in originals:
                path = originals[name]
                found = self._finding("fmt", "syntax", "error", summary)
                yield path, replace(found, file=path, line=int(line))

    def _not_formatted(self, path: str, wanted: bytes) -> Finding:
        now = (self.scratch_dir.tree / path).read_bytes()
        old, new = (content.decode(errors="replace").splitlines() for content in (now, wanted))
        pairs = enumerate(zip(old, new, strict=False), 1)
        difference = list(difflib.unified_diff(old, new, n=0, lineterm=""))[3 : 3 + _MOST_DIFFERENCES]
        return replace(
            self._finding("fmt", "format", "warning", f"it is not formatted as `{self.tool.name} fmt` does"),
            file=path,
            line=next((n for n, (a, b) in pairs if a != b), min(len(old), len(new)) + 1),
            code="\n".join(line for line in difference if not line.startswith("@@")),
            remediation=f"Run `{self.tool.name} fmt` on it.",
        )

    # Validation -------------------------------------------------------------------------------------------------

    def invalid(self, root: str) -> list[Finding]:
        """What `terraform validate` says of the root in the folder `root`, after an `init` without a backend.

        Raises DependencyError where providers or modules cannot be had.
        """
        folder = self.scratch_dir.tree / root
        locked = (folder / LOCK_FILE).is_file()
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.utime(self.data)
        with _alone(self.data):
            findings = self._init(folder, root, locked)
            return findings or self._validate(folder, root)

    def _init(self, folder: Path, root: str, locked: bool) -> list[Finding]:
        options = ["-backend=false", "-input=false", "-no-color", "-json"]
        shared = Path(self.scratch_dir.env.get("TF_PLUGIN_CACHE_DIR") or self.data)
        with _alone(shared) if shared != self.data and shared.is_dir() else contextlib.nullcontext():
            said = self._run(["init", *options, *(["-lockfile=readonly"] if locked else [])], folder)
        if said.returncode == 0:
            return []
        output = CommandOutput()
        with said.stdout.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                output.take(line.rstrip("\n"))
        error = failure(f"{self.tool.name} init", output, said.returncode, program=self.tool.name)
        if not output.errors or isinstance(error, DependencyError):
            raise error if output.errors else said.broken("could not initialize the root")
        remediation = error.hint if isinstance(error, InvalidInput) else None
        placed = [diagnostic for diagnostic in output.errors if diagnostic.place]  # the others introduce these
        return [self._diagnosed("init", diagnostic, root, remediation) for diagnostic in placed or output.errors]

    def _validate(self, folder: Path, root: str) -> list[Finding]:
        said = self._run(["validate", "-no-color", "-json"], folder)
        if said.returncode not in (0, 1):
            raise said.broken("could not validate the root")
        result = said.decoded(_Validation)
        findings = [self._diagnosed("validate", _diagnostic(found), root, None) for found in result.diagnostics]
        errors = [finding for finding in findings if finding.severity == "error"]
        if result.valid != (said.returncode == 0) or result.valid == bool(errors):
            raise said.broken("contradicts itself about whether the root is valid")
        return findings

    def _diagnosed(self, rule: str, found: Diagnostic, root: str, remediation: str | None) -> Finding:
        file, line = None, None
        if found.place and (match := re.fullmatch(r"(.+):(\d+)", found.place, re.DOTALL)):
            file, line = os.path.normpath(os.path.join(root, match[1])), int(match[2])
        message = " ".join(f"{found.summary}. {found.detail}".split()) if found.detail else found.summary
        # A provider's warning that something is deprecated must not stop every release on the day it appears.
        severity: Severity = "error" if found.severity == "error" else "notice"
        return replace(self._finding(rule, rule, severity, message), file=file, line=line, remediation=remediation)

    def _finding(self, command: str, rule: str, severity: Severity, message: str) -> Finding:
        """The rule is called the same whichever program finds it: skips and baselines name it."""
        return Finding("lint", f"{self.tool.name} {command}", f"terraform_{rule}", severity, message)

    def _run(self, arguments: list[str], folder: Path) -> ToolResult:
        extra = {"TF_DATA_DIR": str(self.data), **self._mirrors(folder)}
        return answer(
            self.tool, arguments, self.scratch_dir, folder, environment(self.scratch_dir.env, self.settings, extra)
        )

    def _mirrors(self, folder: Path) -> dict[str, str]:
        lock_file = folder / LOCK_FILE
        locked = None
        if lock_file.is_file():
            with contextlib.suppress(InvalidInput):  # Terraform itself says it better
                locked = locked_versions(parse_lock_file(lock_file.read_text("utf-8", errors="replace")))
        return cli_config(self.scratch_dir.env, locked=locked)


class _Position(msgspec.Struct):
    line: int


class _ValidateRange(msgspec.Struct):
    filename: str
    start: _Position


class _ValidateDiagnostic(msgspec.Struct):
    severity: str
    summary: str
    detail: str = ""
    range: _ValidateRange | None = None


class _Validation(msgspec.Struct):
    """The answer of `terraform validate -json` (Terraform documentation, "Command: validate")."""

    format_version: str
    valid: bool
    diagnostics: list[_ValidateDiagnostic]


def _diagnostic(found: _ValidateDiagnostic) -> Diagnostic:
    place = f"{found.range.filename}:{found.range.start.line}" if found.range else None
    return Diagnostic(found.severity, found.summary, found.detail, place)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """`init` writes in the folder, and Terraform's plugin cache is not safe for two at once: they take turns."""
    with (folder / ".orchestrate.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
