"""Reports of checks as SARIF 2.1.0 (OASIS, "Static Analysis Results Interchange Format"), one run for each check."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from orchestrator import __version__
from orchestrator.model.checks.check import CheckReport, Failure, Known
from orchestrator.model.checks.finding import Finding

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {"notice": "note", "low": "note", "warning": "warning", "medium": "warning"}


def as_sarif(reports: Sequence[CheckReport], failures: Sequence[Failure] = ()) -> str:
    runs = [*map(_run, reports), *map(_failed_run, failures)]
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": runs}, indent=2)


def _run(report: CheckReport) -> dict[str, Any]:
    rules = {finding.rule: finding for finding in reversed(report.findings)}
    order = {rule: number for number, rule in enumerate(rules)}
    return {
        "tool": {
            "driver": _driver(report.check) | {"rules": [_rule(finding) for finding in rules.values()]},
            "extensions": [{"name": name, "version": version} for name, version in report.tools.items()],
        },
        "automationDetails": {"id": f"orchestrate/{report.check}/{_uri(report.root or '.')}"},
        "originalUriBaseIds": {"SRCROOT": {"description": {"text": "The top of the repository."}}},
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [
                    {"level": "warning", "message": {"text": note}} for note in report.notes
                ],
            }
        ],
        "results": [_result(finding, order[finding.rule]) for finding in report.findings],
        "columnKind": "unicodeCodePoints",
    }  # fmt: skip


def _failed_run(failure: Failure) -> dict[str, Any]:
    notification = {"level": "error", "message": {"text": str(failure.error)}}
    return {
        "tool": {"driver": _driver(failure.check)},
        "invocations": [{"executionSuccessful": False, "toolExecutionNotifications": [notification]}],
        "results": [],
    }


def _driver(check: str) -> dict[str, Any]:
    return {"name": f"orchestrate {check}", "semanticVersion": __version__}


def _rule(finding: Finding) -> dict[str, Any]:
    rule: dict[str, Any] = {"id": finding.rule, "shortDescription": {"text": f"{finding.tool}: {finding.rule}"}}
    if finding.link:
        rule["helpUri"] = finding.link
    return rule


def _result(finding: Finding, rule: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": rule,
        "level": _LEVELS.get(finding.severity, "error"),
        "kind": "fail",
        "message": {"text": " ".join(filter(None, [finding.message, finding.remediation]))},
        "locations": _locations(finding),
        "partialFingerprints": {"orchestrate/v1": _fingerprint(finding)},
        "properties": {"severity": finding.severity, "tool": finding.tool, "state": finding.state},
    }
    if finding.state in ("skipped", "baseline"):
        kind = "inSource" if finding.inline else "external"
        result["suppressions"] = [
            {"kind": kind, "status": "accepted", "justification": finding.reason or finding.state}
        ]
    return result


def _locations(finding: Finding) -> list[dict[str, Any]]:
    location: dict[str, Any] = {}
    if finding.file is not None:
        physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(finding.file), "uriBaseId": "SRCROOT"}}
        if finding.line:
            physical["region"] = _region(finding)
        location["physicalLocation"] = physical
    if finding.resource is not None:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.resource, "kind": "resource"}]
    return [location] if location else []


def _region(finding: Finding) -> dict[str, Any]:
    assert finding.line is not None
    end = finding.end_line if finding.end_line and finding.end_line >= finding.line else finding.line
    return {"startLine": finding.line, "endLine": end}


def _uri(path: str) -> str:
    return quote(path, safe="/")


def _fingerprint(finding: Finding) -> str:
    known = Known.of(finding)
    return hashlib.sha256("\0".join([known.check, known.rule, known.file, known.subject]).encode()).hexdigest()
