"""Reports of checks in all their forms."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.errors import DependencyError
from orchestrator.model.checks.check import CheckReport, Failure
from orchestrator.model.checks.finding import RANKS, Finding, clean
from orchestrator.report.checks.findings import all_as_text, as_json, as_text
from orchestrator.report.checks.junit import as_junit
from orchestrator.report.checks.markdown import as_markdown
from orchestrator.report.checks.sarif import as_sarif

# The schema of the standard (OASIS Open; from https://docs.oasis-open.org/sarif/sarif/v2.1.0/).
SCHEMA = jsonschema.Draft7Validator(json.loads((Path(__file__).parent / "data" / "sarif-2.1.0.json").read_text()))

FAILING = Finding(
    "scan",
    "checkov",
    "CKV_AWS_18",
    "high",
    "Buckets log their accesses",
    file="modules/a b/main.tf",
    line=3,
    end_line=7,
    resource="aws_s3_bucket.b",
    code='resource "aws_s3_bucket" "b" {',
    remediation="It looks at logging.",
    link="https://example.com/18",
)
SKIPPED = msgspec.structs.replace(FAILING, rule="CKV_AWS_21", state="skipped", inline=True, reason="kept elsewhere")
KNOWN = Finding("scan", "checkov", "CKV_AWS_1", "low", "m", resource="aws_x.y", state="baseline", reason="known")
MINOR = Finding("lint", "tflint", "naming", "notice", "m", file="main.tf", line=1, state="minor")
REPORT = CheckReport(
    "scan", False, "0" * 64, (FAILING, SKIPPED, KNOWN), {"checkov": "3.3.30"}, False, ("a note",), "a", "envs/dev.yaml"
)
CLEAN = CheckReport("lint", True, "1" * 64, (MINOR,), {"tflint": "0.64.0"}, True)
BROKEN = Failure("scan", "b", DependencyError("checkov was killed", hint="Run it again."))

RENDERINGS: tuple[Callable[[Sequence[CheckReport], Sequence[Failure]], str], ...] = (
    all_as_text, as_json, as_junit, as_sarif, as_markdown,
)  # fmt: skip


def test_text_shows_the_line_and_how_to_mend_it_and_what_does_not_count() -> None:
    lines = as_text(REPORT).splitlines()

    assert lines == [
        "scan FAILED with 1 finding: a (judged by envs/dev.yaml, checkov 3.3.30)",
        "  Warning: a note",
        "",
        "  modules/a b/main.tf",
        "    3: high: Buckets log their accesses (aws_s3_bucket.b) [CKV_AWS_18]",
        '        | resource "aws_s3_bucket" "b" {',
        "        It looks at logging.",
        "        https://example.com/18",
        "  1 skipped:",
        "    modules/a b/main.tf:3 CKV_AWS_21: kept elsewhere",
        "  1 in the baseline:",
        "    aws_x.y CKV_AWS_1: known",
    ]


def test_text_says_that_a_result_is_an_earlier_one() -> None:
    assert as_text(CLEAN).splitlines()[0] == "lint passed: . (tflint 0.64.0, unchanged since it was checked)"


def test_text_of_very_many_findings_stays_readable() -> None:
    many = tuple(msgspec.structs.replace(FAILING, line=n) for n in range(1, 1001))

    text = as_text(CheckReport("scan", False, "", many, {}, False))

    assert "and 800 more" in text
    assert len(text.splitlines()) < 1000


def test_a_check_that_did_not_finish_is_said_in_every_form() -> None:
    for render in RENDERINGS:
        assert "checkov was killed" in render([REPORT], [BROKEN])
    assert json.loads(as_json([CLEAN], [BROKEN]))["passed"] is False
    assert json.loads(as_json([], []))["passed"] is False
    assert json.loads(as_json([CLEAN], []))["passed"] is True


def test_json_has_every_field_of_every_finding() -> None:
    document = json.loads(as_json([REPORT]))

    (report,) = document["reports"]
    assert report["summary"] == {"failing": 1, "minor": 0, "skipped": 1, "baseline": 1, "overridden": 0}
    assert report["tools"] == {"checkov": "3.3.30"}
    assert all(set(finding) == set(Finding.__struct_encode_fields__) for finding in report["findings"])
    assert report["findings"][0]["severity"] == "high"
    assert report["findings"][2]["file"] is None


def junit(*reports: CheckReport, failures: Sequence[Failure] = ()) -> ElementTree.Element:
    return ElementTree.fromstring(as_junit(reports, failures))  # noqa: S314


def test_junit_counts_what_it_lists() -> None:
    for suite in junit(REPORT, CLEAN, failures=[BROKEN]):
        cases = list(suite)
        assert int(suite.attrib["tests"]) == len(cases)
        for name, element in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.attrib[name]) == sum(case.find(element) is not None for case in cases)


def test_junit_of_a_clean_check_has_one_case_that_passes() -> None:
    (suite,) = junit(CheckReport("lint", True, "", (), {"tflint": "0.64.0"}, False))
    (case,) = suite

    assert list(case) == []
    assert suite.attrib["tests"] == "1"


def test_sarif_is_as_the_standard_says() -> None:
    SCHEMA.validate(json.loads(as_sarif([REPORT, CLEAN], [BROKEN])))


def test_sarif_tells_place_level_and_suppression() -> None:
    scan, _ = json.loads(as_sarif([REPORT, CLEAN]))["runs"]
    failing, skipped, known = scan["results"]

    place = failing["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "modules/a%20b/main.tf", "uriBaseId": "SRCROOT"}
    assert place["region"] == {"startLine": 3, "endLine": 7}
    assert failing["level"] == "error"
    assert "suppressions" not in failing
    assert skipped["suppressions"] == [{"kind": "inSource", "status": "accepted", "justification": "kept elsewhere"}]
    assert known["suppressions"][0]["kind"] == "external"
    assert [scan["tool"]["driver"]["rules"][r["ruleIndex"]]["id"] for r in scan["results"]] == [
        r["ruleId"] for r in scan["results"]
    ]


def test_a_fingerprint_outlives_a_move_of_the_line() -> None:
    moved = msgspec.structs.replace(FAILING, line=99)
    first, second = (
        json.loads(as_sarif([CheckReport("scan", False, "", (f,), {}, False)]))["runs"][0]["results"][0]
        for f in (FAILING, moved)
    )

    assert first["partialFingerprints"] == second["partialFingerprints"]


def test_markdown_is_a_table_in_which_nothing_is_markup() -> None:
    hostile = clean(Finding("scan", "t", "<b>", "low", "| [x](javascript:1) `@team` #1 ![i](u)\n# head", file="a|b.tf"))

    text = as_markdown([CheckReport("scan", False, "", (hostile,), {}, False)])

    row = next(line for line in text.splitlines() if line.startswith("| low"))
    assert row.replace("\\|", "").count("|") == 5
    assert not any(mark in row.replace("\\", "\\\0") for mark in ("<b>", "[x]", " @team", "![i]"))
    assert not any(line.startswith("# head") for line in text.splitlines())


_TEXT = st.none() | st.text(max_size=40)
_FINDINGS = st.builds(
    Finding,
    st.sampled_from(["lint", "scan"]),
    st.just("tool"),
    st.text(min_size=1, max_size=20),
    st.sampled_from(list(RANKS)),
    st.text(max_size=40),
    file=_TEXT,
    line=st.none() | st.integers(1, 99),
    end_line=st.none() | st.integers(1, 99),
    resource=_TEXT,
    code=_TEXT,
    remediation=_TEXT,
    link=st.none() | st.sampled_from(["https://example.com/a?b=c&d", "nonsense"]),
    state=st.sampled_from(["failing", "minor", "skipped", "baseline", "overridden"]),
    reason=_TEXT,
).map(clean)


@settings(deadline=None)
@given(st.lists(_FINDINGS, max_size=4))
def test_whatever_findings_say_every_form_stays_well_formed(findings: list[Finding]) -> None:
    report = CheckReport("scan", False, "0", tuple(findings), {"t": "1"}, False, root="r")

    SCHEMA.validate(json.loads(as_sarif([report])))
    (suite,) = junit(report)
    assert len(suite) == max(1, len(findings))
    assert len(json.loads(as_json([report]))["reports"][0]["findings"]) == len(findings)
    assert all(line.isprintable() for line in as_text(report).split("\n"))
    assert all(line.isprintable() for line in as_markdown([report]).split("\n"))


@pytest.mark.parametrize("render", RENDERINGS)
def test_no_form_needs_a_report(render: Any) -> None:
    assert isinstance(render([], []), str)
