"""Reports of checks as JUnit XML, which CodeBuild's report groups show.

Source of the form: the JUnit schema that CodeBuild's documentation names ("Test reports in CodeBuild"). One suite for
each check of each root, one case for each test that it ran and for each finding of no test, and one that passes where
there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from orchestrator.model.checks.check import CaseResult, CheckReport, Failure
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
    suite = SubElement(top, "testsuite", name=f"{report.check} {report.root or '.'}")
    tests = {case.address: case for case in report.cases or ()}
    for case in tests.values():
        _test(suite, report.check, case, [f for f in report.findings if f.resource == case.address])
    for finding in report.findings:
        if finding.resource not in tests:
            _case(suite, finding)
    if not len(suite):
        SubElement(suite, "testcase", classname=report.check, name=headline(report))
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", "0")
    suite.set("skipped", str(len(suite.findall("testcase/skipped"))))


def _test(suite: Element, check: str, test: CaseResult, findings: Sequence[Finding]) -> None:
    """One test; what failed in it counts only where a finding of it does."""
    case = SubElement(suite, "testcase", classname=f"{check}.{test.file}", name=test.name, file=test.file)
    failing = [finding for finding in findings if finding.state == "failing"]
    if failing:
        failure = SubElement(case, "failure", message=failing[0].message, type=failing[0].severity)
        failure.text = "\n\n".join(f"{finding.place}\n{_details(finding)}" for finding in failing)
    elif test.result == "failed" and findings:
        SubElement(case, "skipped", message=_why(findings[0]))
    elif test.result == "failed":
        SubElement(case, "failure", message="it failed", type="error")
    elif test.result == "skipped":
        SubElement(case, "skipped", message="not run: an earlier run of its file failed")


def _case(suite: Element, finding: Finding) -> None:
    name = " ".join(filter(None, [finding.rule, finding.place, finding.resource if finding.file else None]))
    case = SubElement(suite, "testcase", classname=f"{finding.check}.{finding.tool.replace(' ', '_')}", name=name)
    if finding.file is not None:
        case.set("file", finding.file)
    if finding.state == "failing":
        failure = SubElement(case, "failure", message=finding.message, type=finding.severity)
        failure.text = _details(finding)
    else:
        SubElement(case, "skipped", message=_why(finding))


def _why(finding: Finding) -> str:
    """Why it does not count."""
    return finding.reason or f"{finding.state}: {finding.message}"


def _details(finding: Finding) -> str:
    return "\n".join(filter(None, [finding.message, finding.code, finding.reason, finding.remediation, finding.link]))
