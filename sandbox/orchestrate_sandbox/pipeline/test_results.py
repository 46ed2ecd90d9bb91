"""Test reports of a build: JUnit files into CodeBuild's report groups."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4
from xml.parsers.expat import ExpatError

import xmltodict  # type: ignore[import-untyped]

from orchestrate_sandbox.pipeline.build import EmulatedBuild
from orchestrate_sandbox.pipeline.buildspec import Buildspec, ReportFiles
from orchestrate_sandbox.pipeline.results import found

_KEPT_DAYS = 30
_STATUSES = {"failure": "FAILED", "error": "ERROR", "skipped": "SKIPPED"}
_ALL = ("ERROR", "FAILED", "SKIPPED", "SUCCEEDED", "UNKNOWN")


def keep(build: EmulatedBuild, buildspec: Buildspec, source: Path) -> list[str]:
    """What went wrong with reports, in words: a missing report fails no build."""
    said = []
    for name, wanted in buildspec.reports.items():
        files = found(source, wanted)
        try:
            cases = [case for path in files.values() for case in _cases(path)]
        except (ExpatError, ValueError, AttributeError, TypeError) as error:
            said.append(f"report {name}: a file is no JUnit report: {error}")
            continue
        if wanted.file_format != "JUNITXML":
            said.append(f"report {name}: the format {wanted.file_format} is not in the sandbox")
        elif not files:
            said.append(f"report {name}: no matching report files: {', '.join(wanted.files)}")
        else:
            build.reports.append(_kept(build, _group(build, name), cases, wanted))
    return said


def _group(build: EmulatedBuild, name: str) -> dict[str, Any]:
    """A group by its ARN, or one named after the project and the report, made where it is missing."""
    from orchestrate_sandbox.moto_additions.report_groups import group_arn, new_group, reports_of

    backend = _backend(build)
    full_name = name.rpartition("/")[2] if name.startswith("arn:") else f"{build.project['name']}-{name}"
    found = reports_of(backend).groups.get(group_arn(backend, full_name))
    return found or new_group(backend, full_name, type="TEST", exportConfig={"exportConfigType": "NO_EXPORT"}, tags=[])


def _kept(build: EmulatedBuild, group: dict[str, Any], cases: list[dict[str, Any]], wanted: ReportFiles) -> str:
    from orchestrate_sandbox.moto_additions.report_groups import reports_of

    now = dt.datetime.now(dt.UTC)
    expires = now + dt.timedelta(days=_KEPT_DAYS)
    arn = f"{group['arn'].replace(':report-group/', ':report/')}:{uuid4()}"
    counts = Counter(case["status"] for case in cases)
    bad = counts["FAILED"] + counts["ERROR"]
    kept = reports_of(_backend(build))
    kept.reports[arn] = {
        "arn": arn,
        "type": "TEST",
        "name": group["name"],
        "reportGroupArn": group["arn"],
        "executionId": build.arn,
        "status": "FAILED" if bad else "SUCCEEDED",
        "created": now,
        "expired": expires,
        "exportConfig": group["exportConfig"],
        "truncated": False,
        "testSummary": {
            "total": len(cases),
            "statusCounts": {status: counts[status] for status in _ALL},
            "durationInNanoSeconds": sum(case["durationInNanoSeconds"] for case in cases),
        },
    }
    kept.cases[arn] = [{**case, "reportArn": arn, "expired": expires} for case in cases]
    return arn


def _backend(build: EmulatedBuild) -> Any:
    from moto.codebuild.models import codebuild_backends

    return codebuild_backends[build.account][build.region]


def _cases(path: Path) -> Iterator[dict[str, Any]]:
    document = xmltodict.parse(path.read_bytes(), force_list=("testsuite", "testcase"))
    yield from _of_suites(document.get("testsuites") or document, path)


def _of_suites(node: dict[str, Any], path: Path) -> Iterator[dict[str, Any]]:
    """Suites may stand within suites."""
    for suite in node.get("testsuite") or []:
        for case in (suite or {}).get("testcase") or []:
            yield _case(case, str(suite.get("@name", "")), path)
        yield from _of_suites(suite or {}, path)


def _case(case: dict[str, Any], suite: str, path: Path) -> dict[str, Any]:
    outcome = next((name for name in _STATUSES if name in case), None)
    told = case.get(outcome) if outcome else None
    message = told.get("@message") or told.get("#text", "") if isinstance(told, dict) else str(told or "")
    return {
        "testRawDataPath": path.name,
        "prefix": str(case.get("@classname", "")),
        "name": str(case.get("@name", "")),
        "status": _STATUSES[outcome] if outcome else "SUCCEEDED",
        "durationInNanoSeconds": int(float(case.get("@time") or 0) * 1e9),
        "message": message,
        "testSuiteName": suite,
    }
