"""Terraform's own checks as scanners: format and validity of the code, format of the variable files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from orchestrator.effects.checks.tool import ScratchDir
from orchestrator.effects.tools.find import find
from orchestrator.model.checks.check import Observed
from orchestrator.model.checks.coverage import Coverage
from orchestrator.model.tools.tool import Tool
from orchestrator.stages.checks.subject import CheckContext, CheckTarget, terraform_in_tree


@dataclass(frozen=True)
class OfTerraform:
    """What the scanners share that are the program itself."""

    subject: CheckTarget
    ctx: CheckContext

    @cached_property
    def tool(self) -> Tool:
        return find(self.subject.terraform.program, env=self.ctx.env)

    @cached_property
    def coverage(self) -> Coverage:
        return self.subject.coverage(var_files=False)


@dataclass(frozen=True)
class TerraformScanner(OfTerraform):
    """`fmt` and `validate` of the root and its modules: what targets with other variable files share."""

    name = "terraform"

    @property
    def depends_on(self) -> Mapping[str, Any]:
        unlocked = self.subject.unlocked(self.coverage, self.ctx.today)
        return {"root": self.subject.root, "unlocked": unlocked, **self.subject.allows}

    def look(self, scratch_dir: ScratchDir) -> Observed:
        from orchestrator.effects.checks.terraform_lint import TerraformLint

        terraform = TerraformLint(terraform_in_tree(self.subject, self.ctx, self.tool, scratch_dir))
        unformatted = terraform.unformatted()
        invalid = terraform.invalid(self.subject.root)
        told = {finding.file for finding in invalid if finding.severity == "error"}
        new = [finding for finding in unformatted if finding.rule != "terraform_syntax" or finding.file not in told]
        return Observed((*new, *invalid))


@dataclass(frozen=True)
class VariableFilesScanner(OfTerraform):
    """`fmt` of the target's variable files."""

    name = "terraform fmt of variable files"

    @cached_property
    def coverage(self) -> Coverage:
        whole = self.subject.coverage(var_files=True)
        files = {path: origin for path, origin in whole.files.items() if path in self.subject.var_files}
        return Coverage(files, {}, ())

    @property
    def depends_on(self) -> Mapping[str, Any]:
        return {}

    def look(self, scratch_dir: ScratchDir) -> Observed:
        from orchestrator.effects.checks.terraform_lint import TerraformLint

        if not self.coverage.files:
            return Observed(())
        terraform = terraform_in_tree(self.subject, self.ctx, self.tool, scratch_dir)
        return Observed(tuple(TerraformLint(terraform).unformatted()))
