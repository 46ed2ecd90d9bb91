"""Reports of checks as JUnit XML, which CodeBuild's report groups show.

Source of the form: the JUnit schema that CodeBuild's documentation names ("Test reports in CodeBuild"). One suite for
each check of each root, one case for each finding, and one that passes where there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from orchestrator.model.checks.check import CheckReport, Failure
from orchestrator.model.checks.finding import Finding
from orchestrator.report.checks.findings import headline


def as_junit(reports: Sequence[CheckReport], failures: Sequence[Failure] = ()) -> str:
    top = Element("testsuites", name="orchestrate")
    for report in reports:
        _suite(top, report)
    for failure in failures:
        suite = SubElement(top, "testsuite", name=f"{failure.check} {failure.root or '.'}", tests="1", errors="1",
                           failures="0", skipped="0")  # fmt: skip
        case = SubElement(suite, "testcase", classname=failure.check, name="the check did not finish")
        SubElement(case, "error", message=failure.error.message).text = str(failure.error)
    indent(top)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(top, encoding="unicode")


def _suite(top: Element, report: CheckReport) -> None:
    skipped = [finding for finding in report.findings if finding.state != "failing"]
    suite = SubElement(
        top,
        "testsuite",
        name=f"{report.check} {report.root or '.'}",
        tests=str(max(1, len(report.findings))),
        failures=str(len(report.failing)),
        errors="0",
        skipped=str(len(skipped)),
    )
    if not report.findings:
        SubElement(suite, "testcase", classname=report.check, name=headline(report))
    for finding in report.findings:
        _case(suite, finding)


def _case(suite: Element, finding: Finding) -> None:
    name = " ".join(filter(None, [finding.rule, finding.place, finding.resource if finding.file else None]))
    case = SubElement(suite, "testcase", classname=f"{finding.check}.{finding.tool.replace(' ', '_')}", name=name)
    if finding.file is not None:
        case.set("file", finding.file)
    if finding.state == "failing":
        details = [finding.message, finding.code, finding.reason, finding.remediation, finding.link]
        failure = SubElement(case, "failure", message=finding.message, type=finding.severity)
        failure.text = "\n".join(filter(None, details))
    else:
        SubElement(case, "skipped", message=finding.reason or finding.state)
