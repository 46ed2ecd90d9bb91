"""From what the tools found to a verdict: thresholds, skips, the baseline.

The verdict is not part of what is cached: a skip expires without any file having changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

import msgspec
from msgspec.structs import replace

from orchestrator.errors import InvalidInput, OrchestrateError
from orchestrator.model.checks.finding import (
    LONGEST_NAME,
    RANKS,
    CheckName,
    Finding,
    Severity,
    by_importance,
    clean,
    printable,
)
from orchestrator.model.rules.address import matches
from orchestrator.model.rules.check_settings import Checks, Lint, PlanPolicy, Scan, Skip, like
from orchestrator.model.text import decoding

BASELINE_FILE = ".orchestrate-baseline.json"
OWN = "orchestrate"
"""The tool of findings that say what no tool says: something was not looked at, or a skip has expired."""
NO_TESTS = "test_empty"
NO_REASON = ""
"""The reason of a skip in the code that gives none."""


@dataclass(frozen=True)
class CheckReport:
    """How one check ended.

    `source` is the digest of all files that were checked; `tools` maps names to versions; `notes` are for people:
    what could not be had, what was left out. `settings` is the file whose thresholds and skips were applied. `cases`
    are the tests of a check that runs tests, None for the others.
    """

    check: CheckName
    passed: bool
    source: str
    findings: tuple[Finding, ...]
    tools: Mapping[str, str]
    cached: bool
    notes: tuple[str, ...] = ()
    root: str = ""
    settings: str | None = None
    cases: tuple[CaseResult, ...] | None = None

    @property
    def failing(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.state == "failing")


@dataclass(frozen=True)
class Failure:
    """A check that did not come to an end: never a pass."""

    check: CheckName
    root: str
    error: OrchestrateError


class CaseResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one test ended. What a failed one has to say are the findings whose `resource` is its address."""

    file: str
    name: str
    result: Literal["passed", "failed", "skipped"]

    @property
    def address(self) -> str:
        """As it stands in a finding that was made clean."""
        return printable(printable(f"{self.file}::{self.name}", LONGEST_NAME), LONGEST_NAME)


class Observed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What tools found in one source: the part of a report that is cached."""

    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    cases: tuple[CaseResult, ...] | None = None

    def clean(self) -> Observed:
        """With every text printable, without secrets and of bounded length."""
        cases = [
            CaseResult(printable(case.file, LONGEST_NAME), printable(case.name, LONGEST_NAME), case.result)
            for case in self.cases or ()
        ]
        findings = tuple(map(clean, self.findings))
        return Observed(findings, self.notes, None if self.cases is None else tuple(cases))

    @staticmethod
    def together(parts: Iterable[Observed]) -> Observed:
        parts = tuple(parts)
        tested = [part.cases for part in parts if part.cases is not None]
        return Observed(
            findings=tuple(finding for part in parts for finding in part.findings),
            notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
            cases=tuple(case for cases in tested for case in cases) if tested else None,
        )


@dataclass(frozen=True)
class FindingFilter:
    """How one check's findings are judged in one environment; `file` holds the settings (for messages)."""

    check: CheckName
    fail_on: Severity
    skips: tuple[Skip, ...] = ()
    severities: Mapping[str, Severity] = field(default_factory=dict)
    inline_skips: bool = True
    file: str | None = None

    @staticmethod
    def of_lint(settings: Lint, file: str | None) -> FindingFilter:
        return FindingFilter("lint", settings.fail_on, tuple(settings.skips), file=file)

    @staticmethod
    def of_scan(settings: Scan, file: str | None) -> FindingFilter:
        inline = settings.inline_skips == "with-reason"
        return FindingFilter("scan", settings.fail_on, tuple(settings.skips), dict(settings.severities), inline, file)

    @staticmethod
    def of_test(settings: Checks, file: str | None) -> FindingFilter:
        """That there is no test at all counts only where the environment requires tests."""
        rated: dict[str, Severity] = {NO_TESTS: "error"} if "test" in settings.required else {}
        return FindingFilter("test", "warning", tuple(settings.test.skips), rated, file=file)

    @staticmethod
    def of_policy(settings: PlanPolicy, file: str | None) -> FindingFilter:
        return FindingFilter("policy", "warning", tuple(settings.skips), file=file)

    def verdict(self, findings: Iterable[Finding], baseline: Baseline, today: date) -> tuple[Finding, ...]:
        """Each finding with its state, and one more for every skip that has expired; the worst first."""
        known = Counter(baseline.known)
        judged = [self._judge(finding, known, today) for finding in by_importance(findings)]
        return tuple(by_importance([*judged, *self._expired(today)]))

    def _judge(self, finding: Finding, known: Counter[Known], today: date) -> Finding:
        finding = self._rated(finding)
        if finding.state == "skipped":
            finding = self._inline(finding)
            if finding.state == "skipped":
                return finding
        skip = next((skip for skip in self.skips if not skip.expired(today) and _matches(skip, finding)), None)
        if skip is not None:
            return replace(finding, state="skipped", reason=f"{skip.reason} (until {skip.expires})")
        if finding.rank < RANKS[self.fail_on]:
            return replace(finding, state="minor")
        if finding.tool != OWN and known[Known.of(finding)] > 0:
            known[Known.of(finding)] -= 1
            return replace(finding, state="baseline", reason=f"known when {BASELINE_FILE} was written")
        return finding

    def _rated(self, finding: Finding) -> Finding:
        rated = next((word for rule, word in self.severities.items() if like(finding.rule, rule)), None)
        return finding if rated is None else replace(finding, severity=rated)

    def _inline(self, finding: Finding) -> Finding:
        """A skip in the code counts only with a reason, and only where the environment accepts such."""
        if not self.inline_skips:
            where = f" in {self.file}" if self.file else ""
            return replace(
                finding, state="failing", reason=None, remediation=f"List the skip{where}: skips in code are refused."
            )
        if finding.reason == NO_REASON:
            remediation = f"Give the reason: #checkov:skip={finding.rule}:<why>."
            return replace(
                finding, state="failing", reason="skipped in the code without a reason", remediation=remediation
            )
        return finding

    def _expired(self, today: date) -> Iterator[Finding]:
        for skip in self.skips:
            if skip.expired(today):
                yield Finding(
                    check=self.check,
                    tool=OWN,
                    rule="expired_skip",
                    severity="error",
                    message=f"the skip of {skip.rule} expired on {skip.expires} ({skip.reason})",
                    file=self.file,
                    remediation="Fix what it skips and remove it, or decide on a new date.",
                )


def _matches(skip: Skip, finding: Finding) -> bool:
    return (
        like(finding.rule, skip.rule)
        and (skip.path is None or like(finding.file or "", skip.path))
        and (skip.resource is None or matches(finding.resource or "", skip.resource))
    )


# The baseline: what an existing repository already had when it began to be checked ---------------------------------


class Known(msgspec.Struct, frozen=True, forbid_unknown_fields=True, order=True):
    """What makes two findings the same from commit to commit: not the line, which moves."""

    check: CheckName
    rule: str
    file: str
    subject: str

    @staticmethod
    def of(finding: Finding) -> Known:
        return Known(finding.check, finding.rule, finding.file or "", finding.resource or finding.message)


class _SkipEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    check: CheckName
    rule: str
    file: str
    subject: str
    count: int = 1


class _SkipsDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: Literal[1]
    findings: tuple[_SkipEntry, ...]


@dataclass(frozen=True)
class Baseline:
    """How often each finding is known; one more of them than that fails."""

    known: Mapping[Known, int] = field(default_factory=dict)

    @staticmethod
    def parse(content: bytes) -> Baseline:
        """Raises InvalidInput for what is not a baseline."""
        try:
            document = decoding.decode(content, _SkipsDocument)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            hint = "Write it anew with `orchestrate check --write-baseline`, or remove it."
            raise InvalidInput(f"{BASELINE_FILE} is not a baseline: {error}", hint=hint) from None
        return Baseline({Known(e.check, e.rule, e.file, e.subject): e.count for e in document.findings})

    @staticmethod
    def of(findings: Iterable[Finding]) -> Baseline:
        """Knows all that fails or was known before, but not what says that a check could not look."""
        counted = (f for f in findings if f.state in ("failing", "baseline") and f.tool != OWN)
        return Baseline(Counter(map(Known.of, counted)))

    def encode(self) -> bytes:
        entries = tuple(
            _SkipEntry(known.check, known.rule, known.file, known.subject, count)
            for known, count in sorted(self.known.items())
        )
        return msgspec.json.format(msgspec.json.encode(_SkipsDocument(1, entries)), indent=2) + b"\n"
