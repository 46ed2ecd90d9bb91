"""A scanner: one program that looks at a copy of the code. A check is made of scanners; the table lists them.

A scanner says what it needs and what its findings depend on; running it, caching, skips and reports are done here and
elsewhere for all of them alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeAlias

from orchestrator.effects.checks.tool import ScratchDir
from orchestrator.model.checks.check import CheckReport, FindingFilter, Observed
from orchestrator.model.checks.coverage import Coverage
from orchestrator.model.rules.check_names import Check
from orchestrator.model.rules.check_settings import Checks
from orchestrator.model.tools.tool import Tool
from orchestrator.stages.checks.subject import CheckContext, CheckTarget, ResultKey, source_digest


class Scanner(Protocol):
    """Made for one root, by a call with the CheckTarget and the CheckContext."""

    @property
    def name(self) -> str:
        """For cache keys and progress; no other scanner of its check has it."""
        ...

    @property
    def tool(self) -> Tool:
        """The program, found and of a known version. Raises DependencyError where there is none that may be used."""
        ...

    @property
    def coverage(self) -> Coverage:
        """The files that it gets a copy of, and nothing else."""
        ...

    @property
    def depends_on(self) -> Mapping[str, Any]:
        """What decides its findings besides files and program, such as settings and plugins; a digest of it is kept."""
        ...

    def look(self, scratch_dir: ScratchDir) -> Observed:
        """What it finds in the copy. Raises DependencyError where the program did not do all of its work."""
        ...


Make: TypeAlias = Callable[[CheckTarget, CheckContext], Scanner]


def observe(check: Check, scanner: Scanner, subject: CheckTarget, ctx: CheckContext) -> tuple[Observed, bool]:
    """What the scanner finds, and whether that was cached."""
    source = source_digest(subject, scanner.coverage)
    key = ResultKey.of(f"{check} {scanner.name}", source, (scanner.tool,), scanner.depends_on)
    return ctx.observed(key, partial(_look, check, scanner, subject, ctx))


def _look(check: Check, scanner: Scanner, subject: CheckTarget, ctx: CheckContext) -> Observed:
    if scanner.coverage.files:
        ctx.progress(f"{check}: {scanner.name}, {subject.shown_root or '.'}")
    with ctx.scratch_dir(subject, scanner.coverage) as scratch_dir:
        return scanner.look(scratch_dir)


@dataclass(frozen=True)
class CheckDefinition:
    """One check: its scanners, and how the environment's settings judge what they find."""

    name: Check
    scanners: tuple[Make, ...]
    judge: Callable[[Checks, str | None], FindingFilter]

    def run(self, subject: CheckTarget, ctx: CheckContext) -> CheckReport:
        """Raises DependencyError where a program is missing or did not do its work."""
        scanners = [make(subject, ctx) for make in self.scanners]
        tools = [scanner.tool for scanner in scanners]  # a missing one is told at once
        ended = [observe(self.name, scanner, subject, ctx) for scanner in scanners]
        source = source_digest(subject, subject.coverage(var_files=True))
        together = Observed.together(observed for observed, _ in ended)
        return self.report(subject, ctx, together, source, tools, cached=all(cached for _, cached in ended))

    def report(
        self,
        subject: CheckTarget,
        ctx: CheckContext,
        observed: Observed,
        source: str,
        tools: Sequence[Tool],
        *,
        cached: bool,
    ) -> CheckReport:
        """What was observed, as the environment's settings judge it."""
        judge = self.judge(subject.settings, subject.settings_file)
        findings = judge.verdict(observed.findings, subject.baseline, ctx.today)
        return CheckReport(
            check=self.name,
            passed=not any(finding.state == "failing" for finding in findings),
            source=source,
            findings=findings,
            tools={tool.name: tool.version for tool in tools},
            cached=cached,
            notes=observed.notes,
            root=subject.shown_root,
            settings=subject.settings_file,
            cases=observed.cases,
        )
