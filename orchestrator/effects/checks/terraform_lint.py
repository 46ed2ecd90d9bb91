"""Terraform's own checks of source: its format (`fmt`), and whether it makes sense (`validate`)."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec.structs import replace

from orchestrator.effects.checks.terraform_in_tree import PrintedDiagnostic, TerraformInTree
from orchestrator.effects.checks.tool import ScratchDir, ToolResult, tail
from orchestrator.model.checks.finding import Finding, is_variable_file
from orchestrator.model.rules.check_names import Check
from orchestrator.model.tools.tool import Tool

CHECK: Check = "lint"
_UNFORMATTED = b"a={\n}\n"
_MOST_DIFFERENCES = 12  # lines
_SYNTAX_ERROR = re.compile(r"^Error: (.+)\n\n  on (\S+) line (\d+)", re.MULTILINE)


@dataclass(frozen=True)
class TerraformLint:
    """Terraform's checks of the files in a scratch folder's tree."""

    terraform: TerraformInTree

    @property
    def tool(self) -> Tool:
        return self.terraform.tool

    @property
    def scratch_dir(self) -> ScratchDir:
        return self.terraform.scratch_dir

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
        said = self.terraform.run(["fmt", "-list=false", "-no-color", "."], copies)
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
                found = self.terraform.finding(CHECK, "fmt", "syntax", "error", summary)
                yield path, replace(found, file=path, line=int(line))

    def _not_formatted(self, path: str, wanted: bytes) -> Finding:
        now = (self.scratch_dir.tree / path).read_bytes()
        old, new = (content.decode(errors="replace").splitlines() for content in (now, wanted))
        pairs = enumerate(zip(old, new, strict=False), 1)
        difference = _lines_alone(old, new) if is_variable_file(path) else _difference(old, new)
        return replace(
            self.terraform.finding(
                CHECK, "fmt", "format", "warning", f"it is not formatted as `{self.tool.name} fmt` does"
            ),
            file=path,
            line=next((n for n, (a, b) in pairs if a != b), min(len(old), len(new)) + 1),
            code=difference,
            remediation=f"Run `{self.tool.name} fmt` on it.",
        )

    # Validation -------------------------------------------------------------------------------------------------

    def invalid(self, root: str) -> list[Finding]:
        """What `terraform validate` says of the root in the folder `root`, after an `init` without a backend.

        Raises DependencyError where providers or modules cannot be had.
        """
        with self.terraform.alone():
            return self.terraform.init(root, CHECK) or self._validate(root)

    def _validate(self, root: str) -> list[Finding]:
        said = self.terraform.run(["validate", "-no-color", "-json"], self.scratch_dir.tree / root)
        if said.returncode not in (0, 1):
            raise said.broken("could not validate the root")
        result = said.decoded(_Validation)
        findings = [self.terraform.diagnosed(CHECK, "validate", found.diagnostic, root) for found in result.diagnostics]
        errors = [finding for finding in findings if finding.severity == "error"]
        if result.valid != (said.returncode == 0) or result.valid == bool(errors):
            raise said.broken("contradicts itself about whether the root is valid")
        return findings


def _difference(old: list[str], new: list[str]) -> str:
    shown = list(difflib.unified_diff(old, new, n=0, lineterm=""))[3 : 3 + _MOST_DIFFERENCES]
    return "\n".join(line for line in shown if not line.startswith("@@"))


def _lines_alone(old: list[str], new: list[str]) -> str:
    """Of a variable file, whose values may be secret, only which lines are meant."""
    changed = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    ranges = [(first + 1, max(first + 1, last)) for kind, first, last, _, _ in changed if kind != "equal"]
    shown = [str(first) if first == last else f"{first}-{last}" for first, last in ranges[:_MOST_DIFFERENCES]]
    return f"lines {', '.join(shown)}{', ...' if len(ranges) > _MOST_DIFFERENCES else ''}"


class _Validation(msgspec.Struct):
    """The answer of `terraform validate -json` (Terraform documentation, "Command: validate")."""

    format_version: str
    valid: bool
    diagnostics: list[PrintedDiagnostic]
