"""CodeBuild's report groups and the reports in them, which moto lacks."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from moto.codebuild.responses import CodeBuildResponse
from moto.core.responses import ActionResult, EmptyResult

from orchestrate_sandbox.moto_additions.pages_of_results import page_of
from orchestrate_sandbox.moto_additions.requests import Invalid, checked

_INVALID = "InvalidInputException"


@dataclass
class Reports:
    """Report groups by ARN; reports by ARN, oldest first; the test cases of each report. All in the API's shapes."""

    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    reports: dict[str, dict[str, Any]] = field(default_factory=dict)
    cases: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def apply() -> None:
    CodeBuildResponse.create_report_group = _create
    CodeBuildResponse.update_report_group = _update
    CodeBuildResponse.delete_report_group = _delete
    CodeBuildResponse.batch_get_report_groups = _batch_get_groups
    CodeBuildResponse.list_report_groups = _list_groups
    CodeBuildResponse.list_reports_for_report_group = _list_reports
    CodeBuildResponse.batch_get_reports = _batch_get_reports
    CodeBuildResponse.describe_test_cases = _describe_cases


def reports_of(backend: Any) -> Reports:
    """Kept in moto's backend, so that a reset empties them."""
    found: Reports = backend.__dict__.setdefault("sandbox_reports", Reports())
    return found


def group_arn(backend: Any, name: str) -> str:
    return f"arn:{backend.partition}:codebuild:{backend.region_name}:{backend.account_id}:report-group/{name}"


def new_group(backend: Any, name: str, **options: Any) -> dict[str, Any]:
    now = dt.datetime.now(dt.UTC)
    arn = group_arn(backend, name)
    made = {"arn": arn, "name": name, "created": now, "lastModified": now, "status": "ACTIVE", **options}
    reports_of(backend).groups[arn] = made
    return made


def _create(self: Any) -> ActionResult:
    wanted = checked(self, code=_INVALID)
    if group_arn(self.codebuild_backend, wanted["name"]) in reports_of(self.codebuild_backend).groups:
        raise Invalid("ResourceAlreadyExistsException", f"Report group already exists: {wanted['name']}")
    return ActionResult({"reportGroup": new_group(self.codebuild_backend, **wanted)})


def _update(self: Any) -> ActionResult:
    wanted = checked(self, code=_INVALID)
    found = reports_of(self.codebuild_backend).groups.get(wanted["arn"])
    if found is None:
        raise Invalid("ResourceNotFoundException", f"Report group does not exist: {wanted['arn']}")
    found.update({**wanted, "lastModified": dt.datetime.now(dt.UTC)})
    return ActionResult({"reportGroup": found})


def _delete(self: Any) -> EmptyResult:
    wanted = checked(self, code=_INVALID)
    kept = reports_of(self.codebuild_backend)
    inside = [arn for arn, report in kept.reports.items() if report["reportGroupArn"] == wanted["arn"]]
    if inside and not wanted.get("deleteReports"):
        raise Invalid(_INVALID, "Cannot delete a report group that has reports")
    for arn in inside:
        del kept.reports[arn], kept.cases[arn]
    kept.groups.pop(wanted["arn"], None)
    return EmptyResult()


def _batch_get_groups(self: Any) -> ActionResult:
    found, missing = _among(reports_of(self.codebuild_backend).groups, checked(self, code=_INVALID)["reportGroupArns"])
    return ActionResult({"reportGroups": found, "reportGroupsNotFound": missing})


def _list_groups(self: Any) -> ActionResult:
    body = checked(self, code=_INVALID)
    arns, token = page_of(sorted(reports_of(self.codebuild_backend).groups), body)
    return ActionResult({"reportGroups": arns, "nextToken": token})


def _list_reports(self: Any) -> ActionResult:
    """Newest first, as AWS lists them unless asked otherwise."""
    body = checked(self, code=_INVALID)
    reports = reports_of(self.codebuild_backend).reports.items()
    found = [arn for arn, report in reports if report["reportGroupArn"] == body["reportGroupArn"]]
    arns, token = page_of(found if body.get("sortOrder") == "ASCENDING" else found[::-1], body)
    return ActionResult({"reports": arns, "nextToken": token})


def _batch_get_reports(self: Any) -> ActionResult:
    found, missing = _among(reports_of(self.codebuild_backend).reports, checked(self, code=_INVALID)["reportArns"])
    return ActionResult({"reports": found, "reportsNotFound": missing})


def _describe_cases(self: Any) -> ActionResult:
    body = checked(self, code=_INVALID)
    cases = reports_of(self.codebuild_backend).cases.get(body["reportArn"])
    if cases is None:
        raise Invalid("ResourceNotFoundException", f"Report does not exist: {body['reportArn']}")
    wanted = (body.get("filter") or {}).get("status")
    found, token = page_of([case for case in cases if wanted in (None, case["status"])], body)
    return ActionResult({"testCases": found, "nextToken": token})


def _among(known: dict[str, dict[str, Any]], arns: list[str]) -> tuple[list[dict[str, Any]], list[str]]:
    return [known[arn] for arn in arns if arn in known], [arn for arn in arns if arn not in known]
