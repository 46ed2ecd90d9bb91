"""From findings to a verdict."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import InvalidInput
from orchestrator.model.checks.check import OWN, Baseline, CheckReport, FindingFilter
from orchestrator.model.checks.finding import RANKS, Finding, State
from orchestrator.model.rules.check_settings import Lint, Scan, Skip, like
from orchestrator.model.text import decoding

TODAY = date(2026, 3, 1)
FINDING = Finding(
    "scan", "checkov", "CKV_AWS_18", "unrated", "m", file="a/main.tf", line=3, resource="module.x.aws_s3_bucket.b"
)


def skip(**fields: Any) -> Skip:
    return decoding.convert(
        {"rule": "CKV_AWS_18", "reason": "logged elsewhere", "expires": "2026-03-01", **fields}, Skip
    )


def verdict(judge: FindingFilter, *findings: Finding, baseline: Baseline | None = None) -> list[State]:
    return [finding.state for finding in judge.verdict(findings, baseline or Baseline(), TODAY)]


@pytest.mark.parametrize(
    ("severity", "fail_on", "state"),
    [
        ("error", "warning", "failing"),
        ("warning", "warning", "failing"),
        ("notice", "warning", "minor"),
        ("notice", "notice", "failing"),
        ("low", "low", "failing"),
        ("medium", "high", "minor"),
        ("unrated", "critical", "failing"),
    ],
)
def test_findings_below_the_threshold_do_not_count(severity: Any, fail_on: Any, state: str) -> None:
    assert verdict(FindingFilter("lint", fail_on), Finding("lint", "t", "r", severity, "m")) == [state]


def test_by_default_warnings_of_tflint_and_every_failed_check_of_checkov_count() -> None:
    assert FindingFilter.of_lint(Lint(), None).fail_on == "warning"
    assert RANKS[FindingFilter.of_scan(Scan(), None).fail_on] == min(RANKS.values())


def test_an_environment_rates_checks() -> None:
    judge = FindingFilter.of_scan(Scan(fail_on="medium", severities={"CKV_AWS_18": "low", "CKV2_*": "high"}), None)

    assert verdict(judge, FINDING) == ["minor"]
    assert verdict(judge, msgspec.structs.replace(FINDING, rule="CKV2_AWS_6", severity="low")) == ["failing"]


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, "skipped"),
        ({"rule": "CKV_*"}, "skipped"),
        ({"rule": "CKV_AWS_1"}, "failing"),
        ({"path": "a/*"}, "skipped"),
        ({"path": "b/*"}, "failing"),
        ({"resource": "module.x.*"}, "skipped"),
        ({"resource": "module.y.*"}, "failing"),
    ],
)
def test_a_skip_counts_where_all_that_it_says_fits(fields: dict[str, str], state: str) -> None:
    assert verdict(FindingFilter("scan", "low", (skip(**fields),)), FINDING) == [state]


def test_a_skip_gives_its_reason_and_its_last_day() -> None:
    (found,) = FindingFilter("scan", "low", (skip(),)).verdict([FINDING], Baseline(), TODAY)

    assert found.reason == "logged elsewhere (until 2026-03-01)"


@pytest.mark.parametrize("expires", ["2026-02-28", "2026-02-31", "2026-13-01"])
def test_an_expired_skip_fails_even_where_nothing_is_left_to_skip(expires: str) -> None:
    judge = FindingFilter("scan", "low", (skip(expires=expires),), file="envs/dev.yaml")

    (found,) = judge.verdict([], Baseline(), TODAY)

    assert (found.rule, found.state, found.file, found.tool) == ("expired_skip", "failing", "envs/dev.yaml", OWN)
    assert verdict(judge, FINDING) == ["failing", "failing"]


def test_a_skip_in_the_code_needs_a_reason() -> None:
    inline = msgspec.structs.replace(FINDING, state="skipped", inline=True)

    assert verdict(FindingFilter("scan", "low"), msgspec.structs.replace(inline, reason="known")) == ["skipped"]
    assert verdict(FindingFilter("scan", "low"), msgspec.structs.replace(inline, reason="")) == ["failing"]


def test_an_environment_can_refuse_skips_in_the_code_and_still_list_its_own() -> None:
    inline = msgspec.structs.replace(FINDING, state="skipped", inline=True, reason="known")
    refusing = Scan(inline_skips="refused")

    assert verdict(FindingFilter.of_scan(refusing, "envs/prod.yaml"), inline) == ["failing"]
    assert verdict(FindingFilter.of_scan(msgspec.structs.replace(refusing, skips=[skip()]), None), inline) == [
        "skipped"
    ]


# The baseline -------------------------------------------------------------------------------------------------------


def test_what_the_baseline_knows_does_not_count_and_one_more_of_it_does() -> None:
    baseline = Baseline.parse(Baseline.of([FINDING]).encode())
    moved = msgspec.structs.replace(FINDING, line=99)

    assert verdict(FindingFilter("scan", "low"), moved, baseline=baseline) == ["baseline"]
    assert verdict(FindingFilter("scan", "low"), moved, moved, baseline=baseline) == ["failing", "baseline"]
    other = msgspec.structs.replace(FINDING, resource="aws_s3_bucket.other")
    assert verdict(FindingFilter("scan", "low"), other, baseline=baseline) == ["failing"]


def test_what_was_never_looked_at_is_never_known() -> None:
    unread = Finding("scan", OWN, "parse_error", "error", "m", file="a/main.tf")

    assert not Baseline.of([unread]).known
    forged = Baseline({next(iter(Baseline.of([msgspec.structs.replace(unread, tool="x")]).known)): 1})
    assert verdict(FindingFilter("scan", "low"), unread, baseline=forged) == ["failing"]


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b'{"version": 2, "findings": []}', b"\xff", b'{"version":1,"findings":[{}]}']
)
def test_what_is_no_baseline_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidInput, match="is not a baseline"):
        Baseline.parse(content)


_FINDINGS = st.builds(
    Finding,
    st.sampled_from(["lint", "scan"]),
    st.just("t"),
    st.sampled_from(["a", "b"]),
    st.sampled_from(list(RANKS)),
    st.sampled_from(["m", "n"]),
    file=st.sampled_from([None, "x.tf", "y.tf"]),
    line=st.integers(1, 9),
)


@given(st.lists(_FINDINGS))
def test_a_baseline_knows_exactly_what_it_was_made_of(findings: list[Finding]) -> None:
    baseline = Baseline.parse(Baseline.of(findings).encode())

    assert set(verdict(FindingFilter("scan", "low"), *findings, baseline=baseline)) <= {"baseline"}
    if findings:
        assert verdict(FindingFilter("scan", "low"), *findings, findings[0], baseline=baseline).count("failing") == 1


@given(st.lists(_FINDINGS), st.sampled_from(list(RANKS)))
def test_no_finding_is_ever_lost(findings: list[Finding], fail_on: Any) -> None:
    judged = FindingFilter("scan", fail_on).verdict(findings, Baseline(), TODAY)

    assert len(judged) == len(findings)
    assert all(f.state == ("failing" if f.rank >= RANKS[fail_on] else "minor") for f in judged)


def test_a_report_knows_what_fails() -> None:
    report = CheckReport("scan", False, "s", (FINDING, msgspec.structs.replace(FINDING, state="minor")), {}, False)

    assert report.failing == (FINDING,)


@given(st.text("ab[*]?.", max_size=6), st.text("ab[*]?.", max_size=6))
def test_in_a_pattern_only_the_star_is_special(text: str, pattern: str) -> None:
    assert like(text, text)
    assert like(text, "*")
    if "*" not in pattern:
        assert like(text, pattern) == (text == pattern)
