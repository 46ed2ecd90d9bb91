"""checkov: its checks, and the repository's own, over source or over a plan.

It runs without the surroundings' variables, home or configuration files: those could switch checks off. It exits
with 0 for files that it cannot parse and says so only in its answer, and it goes on without a custom check that does
not load, so both are findings here.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from orchestrator.effects.checks.tool import ScratchDir, ToolResult, answer, tail
from orchestrator.effects.system.pipe import readable_once
from orchestrator.model.checks.check import OWN
from orchestrator.model.checks.finding import Finding, Severity
from orchestrator.model.rules.check_names import Check
from orchestrator.model.tools.tool import Tool

CHECK: Check = "scan"
_SOURCE_FRAMEWORKS = ("terraform", "terraform_json", "secrets")
_DONE = (0, 1)  # nothing failed, something failed
# A folder of ours among those that are scanned, with something that checkov always finds.
_CANARY = "orchestrate-canary"
_CANARY_ADDRESS = "aws_s3_bucket.orchestrate_canary"
_CANARY_CODE = b'resource "aws_s3_bucket" "orchestrate_canary" {\n  bucket = "canary"\n  acl    = "public-read"\n}\n'
_NO_COMMENT = "No comment provided"
_NOT_LOADED = re.compile(
    r"Traceback \(most recent call last\)|\[ERROR\]|Custom policy .{1,400}? (?:is missing|has an invalid)"
    r"|Failed to parse check id|Cannot load external check"
)
_POLICY_INDEX = "https://www.checkov.io/5.Policy%20Index/terraform.html"


class _Result(msgspec.Struct):
    result: str
    evaluated_keys: list[str] = []
    suppress_comment: str | None = None


class _CheckRecord(msgspec.Struct):
    check_id: str
    check_name: str
    check_result: _Result
    file_path: str
    resource: str
    file_line_range: list[int] = []
    severity: str | None = None
    guideline: str | None = None


class _Passed(msgspec.Struct):
    """Nothing of it is used; it only counts."""


class _Results(msgspec.Struct, frozen=True):
    passed_checks: list[_Passed]
    failed_checks: list[_CheckRecord]
    skipped_checks: list[_CheckRecord]
    parsing_errors: list[str]


_NO_RESULTS = _Results([], [], [], [])


class _Summary(msgspec.Struct):
    passed: int
    failed: int
    skipped: int
    parsing_errors: int


class _FrameworkReport(msgspec.Struct):
    """One framework's part of the answer of `checkov -o json`.

    Where no framework found anything to look at, the whole answer is bare numbers: a report without results.
    """

    check_type: str = ""
    results: _Results = _NO_RESULTS
    summary: _Summary | None = None
    resource_count: int | None = None


@dataclass(frozen=True)
class Checkov:
    """checkov with the checks of one folder of policies, None where there are none."""

    tool: Tool
    scratch_dir: ScratchDir
    policies: Path | None = None
    var_files: Sequence[str] = field(default=())

    def of_source(self) -> list[Finding]:
        """What fails, is skipped, or could not be read, in the bench's tree.

        Raises DependencyError where checkov did not do its work.
        """
        tree = self.scratch_dir.scratch / "checkov"
        shutil.copytree(self.scratch_dir.tree, tree, symlinks=True)
        (tree / _CANARY).mkdir()
        (tree / _CANARY / "main.tf").write_bytes(_CANARY_CODE)
        var_files = [part for path in self.var_files for part in ("--var-file", str(tree / path))]
        said = self._run([f"--directory={tree}", "--framework", *_SOURCE_FRAMEWORKS, *var_files])
        reports = self._reports(said)
        seen = any(_is_canary(record) for report in reports for record in report.results.failed_checks)
        if not seen:
            raise said.broken("did not find what it finds in any working installation")
        return [*_findings(reports, tree), *_unreadable(reports, tree), *_not_loaded(said)]

    def of_plan(self, plan: Mapping[str, Any]) -> list[Finding]:
        """As of_source, of a plan's JSON; findings name resources, not lines.

        Not with `--repo-root-for-plan-enrichment`: it looks for a resource in the code by type and name alone, so a
        skip in one module counts for a resource of that name in another. `scan_plan` does it by the whole address.
        """
        place = self.scratch_dir.scratch / "plan.json"
        with readable_once(place, msgspec.json.encode(_with_canary(plan))):  # a plan holds secrets in clear
            said = self._run([f"--file={place}", "--framework", "terraform_plan"])
        reports = self._reports(said)
        records = [record for report in reports for record in report.results.failed_checks]
        if not any(record.resource == _CANARY_ADDRESS for record in records):
            raise said.broken("did not find what it finds in any working installation")
        found = [*_findings(reports, self.scratch_dir.scratch), *_unreadable(reports, self.scratch_dir.scratch)]
        return [*(replace(f, file=None, line=None, end_line=None) for f in found), *_not_loaded(said)]

    def _run(self, options: Sequence[str]) -> ToolResult:
        empty = self.scratch_dir.scratch / "empty"
        empty.mkdir(exist_ok=True)
        common = ["--output=json", "--compact", "--skip-download", "--download-external-modules=false"]
        policies = [f"--external-checks-dir={self.policies}"] if self.policies else []
        said = answer(
            self.tool, [*options, *common, *policies], self.scratch_dir, empty, self.scratch_dir.plain_env(**_VARIABLES)
        )
        if said.returncode not in _DONE:
            raise said.broken("ended before its work was done")
        return said

    @staticmethod
    def _reports(said: ToolResult) -> list[_FrameworkReport]:
        """What is listed must be what is counted, and the exit code must say the same."""
        reports = said.decoded_list(_FrameworkReport)
        for report in reports:
            results, summary = report.results, report.summary
            if summary is None and report.resource_count is None:
                raise said.broken("printed something that is not a report")
            counted = (summary.failed, summary.skipped, summary.parsing_errors) if summary else (0, 0, 0)
            if counted != (len(results.failed_checks), len(results.skipped_checks), len(results.parsing_errors)):
                raise said.broken("lists other results than it counts")
        if any(report.results.failed_checks for report in reports) != (said.returncode == 1):
            raise said.broken("contradicts itself about whether anything failed")
        return reports


# A file that is larger or takes longer to parse than checkov's own limits would be passed over in silence; updates
# are not ours to look for.
_VARIABLES = {
    "HCL_PARSE_TIMEOUT_SEC": "120",
    "CHECKOV_MAX_IAC_FILE_SIZE": "1000000000",
    "CKV_SKIP_PACKAGE_UPDATE_CHECK": "true",
    "LOG_LEVEL": "WARNING",
}


def _findings(reports: Iterable[_FrameworkReport], tree: Path) -> Iterator[Finding]:
    lines = _lines_of(tree)
    for report in reports:
        secret = report.check_type == "secrets"
        for record in report.results.failed_checks:
            if not _is_canary(record):
                yield _finding(record, secret, lines)
        for record in report.results.skipped_checks:
            if not _is_canary(record):
                reason = (record.check_result.suppress_comment or "").strip()
                reason = "" if reason == _NO_COMMENT else reason
                yield replace(_finding(record, secret, lines), state="skipped", inline=True, reason=reason)


def _with_canary(plan: Mapping[str, Any]) -> dict[str, Any]:
    """The plan and one more resource."""
    values = {"bucket": "canary", "acl": "public-read"}
    resource = {"address": _CANARY_ADDRESS, "mode": "managed", "type": "aws_s3_bucket", "name": "orchestrate_canary",
                "provider_name": "registry.terraform.io/hashicorp/aws"}  # fmt: skip
    change = {"actions": ["create"], "before": None, "after": values, "after_unknown": {}}
    planned = dict(plan.get("planned_values") or {})
    root = dict(planned.get("root_module") or {})
    root["resources"] = [*(root.get("resources") or []), {**resource, "schema_version": 0, "values": values}]
    changes = [*(plan.get("resource_changes") or []), {**resource, "change": change}]
    return {**plan, "planned_values": {**planned, "root_module": root}, "resource_changes": changes}


def _is_canary(record: _CheckRecord) -> bool:
    return record.resource == _CANARY_ADDRESS or record.file_path.lstrip("/").startswith(f"{_CANARY}/")


def _finding(record: _CheckRecord, secret: bool, lines: _Lines) -> Finding:
    """A secret's line is not shown, nor the hash of it that checkov gives in place of a resource."""
    file = os.path.normpath(record.file_path.lstrip("/"))
    first, last = (*record.file_line_range, 0, 0)[:2]
    keys = [key.replace("/[0]", "").replace("/", ".") for key in record.check_result.evaluated_keys]
    keys = [key for key in dict.fromkeys(keys) if key != "resource_type"]
    return Finding(
        check=CHECK,
        tool="checkov",
        rule=record.check_id,
        severity=_SEVERITIES.get((record.severity or "").lower(), "unrated"),
        message=record.check_name,
        file=file,
        line=first or None,
        end_line=last or None,
        resource=None if secret else record.resource,
        code=None if secret else lines(file, first),
        remediation=f"It looks at {', '.join(keys[:6])}." if keys else None,
        link=record.guideline or (_POLICY_INDEX if record.check_id.startswith(("CKV_", "CKV2_")) else None),
    )


_SEVERITIES: Mapping[str, Severity] = {"critical": "critical", "high": "high", "medium": "medium", "low": "low"}


class _Lines:
    """Single lines of files below a folder; None where there is no such line."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._read = lru_cache(64)(self._lines)

    def __call__(self, file: str, number: int) -> str | None:
        lines = self._read(file)
        return lines[number - 1].rstrip() if 0 < number <= len(lines) else None

    def _lines(self, file: str) -> list[str]:
        path = self._folder / file
        if not path.is_file() or not path.resolve().is_relative_to(self._folder):
            return []
        return path.read_text("utf-8", errors="replace").split("\n")


def _lines_of(tree: Path) -> _Lines:
    return _Lines(tree)


def _unreadable(reports: Iterable[_FrameworkReport], tree: Path) -> Iterator[Finding]:
    named = dict.fromkeys(path for report in reports for path in report.results.parsing_errors)
    for path in named:
        file = os.path.relpath(path, tree) if os.path.isabs(path) else path
        what = "checkov cannot parse this file, so nothing in it has been checked"
        yield Finding(CHECK, OWN, "parse_error", "error", what, file=file)


def _not_loaded(said: ToolResult) -> Iterator[Finding]:
    """A custom check that does not load is passed over by checkov with a message on stderr."""
    text = tail(said.stderr)
    if _NOT_LOADED.search(text):
        message = f"checkov reported an error, so a check may not have run: {said.said}"
        remediation = "If it is about a check in policies/, fix that; otherwise skip this rule with a reason."
        yield Finding(CHECK, OWN, "scanner_error", "error", message, remediation=remediation)
