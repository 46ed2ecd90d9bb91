"""The checks, and the scanners that each is made of. A check's name comes from `model/rules/check_names.py`."""

from __future__ import annotations

from orchestrator.effects.git.repository import Repository
from orchestrator.model.checks.check import CheckReport, FindingFilter
from orchestrator.model.release.release import Release
from orchestrator.model.rules.check_names import Check
from orchestrator.model.text.progress import Progress
from orchestrator.stages.checks.checkov import CheckovScanner
from orchestrator.stages.checks.scanner import CheckDefinition
from orchestrator.stages.checks.subject import CheckContext, CheckTarget
from orchestrator.stages.checks.terraform import TerraformScanner, VariableFilesScanner
from orchestrator.stages.checks.terraform_test import TerraformTestScanner
from orchestrator.stages.checks.tflint import TflintScanner

LINT = CheckDefinition(
    name="lint",
    scanners=(TerraformScanner, VariableFilesScanner, TflintScanner),
    judge=lambda settings, file: FindingFilter.of_lint(settings.lint, file),
)
SCAN = CheckDefinition(
    name="scan",
    scanners=(CheckovScanner,),
    judge=lambda settings, file: FindingFilter.of_scan(settings.scan, file),
)
TEST = CheckDefinition(
    name="test",
    scanners=(TerraformTestScanner,),
    judge=FindingFilter.of_test,
)
TABLE: dict[Check, CheckDefinition] = {definition.name: definition for definition in (LINT, SCAN, TEST)}


def check_release(name: Check, release: Release, repository: Repository, progress: Progress) -> CheckReport:
    """One check of a release. Raises DependencyError where a program is missing or did not do its work."""
    ctx = CheckContext.of_release(release, progress)
    return TABLE[name].run(CheckTarget.of_release(release, repository), ctx)
