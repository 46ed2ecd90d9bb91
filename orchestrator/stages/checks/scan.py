"""Scan: does the code keep checkov's rules, and the repository's own?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.effects.checks.tool import ScratchDir
from orchestrator.effects.tools.find import find
from orchestrator.model.checks.check import CheckReport, FindingFilter, Observed
from orchestrator.model.checks.coverage import CONFIGURATION, Coverage
from orchestrator.model.checks.custom_policy import check_policy
from orchestrator.model.checks.finding import Finding
from orchestrator.model.tools.dialect import TERRAFORM
from orchestrator.model.tools.tool import Tool
from orchestrator.stages.checks.subject import (
    POLICIES,
    CheckContext,
    CheckTarget,
    ResultKey,
    content_digests,
    source_digest,
)

if TYPE_CHECKING:
    from orchestrator.effects.git.repository import Repository
    from orchestrator.model.release.release import Release

_POLICY_FILES = (".py", ".yaml", ".yml", ".json")


def scan(release: Release, repository: Repository, progress: Callable[[str], None]) -> CheckReport:
    """Scans a release: checkov's checks and those in policies/, over its root, local modules and variable files.

    Raises DependencyError where checkov is missing or did not do its work.
    """
    return scan_subject(CheckTarget.of_release(release, repository), CheckContext.of_release(release, progress))


def scan_subject(subject: CheckTarget, ctx: CheckContext) -> CheckReport:
    tool = find("checkov", env=ctx.env)
    observed, cached = observed_source(subject, ctx, tool)
    source = source_digest(subject, subject.coverage(var_files=True))
    return judged(subject, ctx, observed, source, tool, cached)


def observed_source(subject: CheckTarget, ctx: CheckContext, tool: Tool) -> tuple[Observed, bool]:
    """What checkov finds in the code, and whether that was cached."""
    coverage = subject.coverage(var_files=True)
    policies = custom_policies(subject)
    var_files = [path for path in subject.var_files if path in coverage.files]
    settings = {"policies": content_digests(policies), "var_files": var_files}
    key = ResultKey.of("scan", source_digest(subject, coverage), (tool,), settings)
    return ctx.observed(key, partial(_observe, subject, ctx, tool, coverage))


def judged(
    subject: CheckTarget, ctx: CheckContext, observed: Observed, source: str, tool: Tool, cached: bool
) -> CheckReport:
    judge = FindingFilter.of_scan(subject.settings.scan, subject.settings_file)
    findings = judge.verdict(observed.findings, subject.baseline, ctx.today)
    passed = not any(finding.state == "failing" for finding in findings)
    return CheckReport(
        check="scan",
        passed=passed,
        source=source,
        findings=findings,
        tools={tool.name: tool.version},
        cached=cached,
        notes=observed.notes,
        root=subject.shown_root,
        settings=subject.settings_file,
    )


def _observe(subject: CheckTarget, ctx: CheckContext, tool: Tool, coverage: Coverage) -> Observed:
    from orchestrator.effects.checks.checkov import Checkov

    ctx.progress(f"scan: {subject.shown_root or '.'} and {len(coverage.modules) - 1} local modules")
    with ctx.scratch_dir(subject, coverage) as scratch_dir:
        var_files = [path for path in subject.var_files if path in coverage.files]
        found = Checkov(tool, scratch_dir, lay_policies(scratch_dir, custom_policies(subject)), var_files).of_source()
    return Observed((*found, *_empty(subject, coverage)))


_BLOCK = re.compile(
    rb'^\s*(?:resource|data|module|ephemeral)\s+"|"(?:resource|data|module|ephemeral)"\s*:', re.MULTILINE
)


def _empty(subject: CheckTarget, coverage: Coverage) -> Iterator[Finding]:
    """A scan that looked at nothing is not a pass."""
    code = [origin for path, origin in coverage.files.items() if path.endswith(CONFIGURATION)]
    if not any(_BLOCK.search(subject.files.read(path)) for path in code):
        message = (
            f"there is no resource, data source or module in {subject.shown_root or '.'}: the scan looked at nothing"
        )
        yield Finding("scan", "orchestrate", "scan_empty", "error", message)
    for path in code:
        if not path.endswith(TERRAFORM.configuration):
            message = "checkov does not read OpenTofu's own files, so nothing in it has been checked"
            yield Finding("scan", "orchestrate", "parse_error", "error", message, file=path)


# Custom policies ----------------------------------------------------------------------------------------------------


def custom_policies(subject: CheckTarget) -> Mapping[str, bytes]:
    """The repository's own checks, by path below policies/. Raises InvalidInput for one that cannot be loaded.

    They are programs, so those of a repository that has never heard of this tool are left alone.
    """
    if subject.project is None:
        return {}
    prefix = subject.in_project(f"{POLICIES}/")
    found = {
        path.removeprefix(prefix): subject.rules.read(path)
        for path, kind in subject.rules.kinds.items()
        if path.startswith(prefix) and kind != "link" and path.endswith(_POLICY_FILES)
    }
    return {path: content for path, content in found.items() if check_policy(f"{prefix}{path}", content)}


def lay_policies(scratch_dir: ScratchDir, policies: Mapping[str, bytes]) -> Path | None:
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
