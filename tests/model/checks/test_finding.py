"""Findings are safe to show, whoever wrote their texts."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.checks.finding import Finding, by_importance, clean, masked, printable

FINDING = Finding("scan", "checkov", "CKV_AWS_1", "high", "a message")


@given(st.text())
def test_whatever_a_text_holds_nothing_in_it_can_steer_a_terminal(text: str) -> None:
    assert printable(text, 100).isprintable()


@given(st.text(), st.text(), st.text())
def test_every_text_of_a_finding_is_cleaned(message: str, file: str, code: str) -> None:
    found = clean(Finding("lint", "t", message, "low", message, file=file, resource=file, code=code, reason=message))

    for text in (found.rule, found.message, found.file, found.resource, found.reason):
        assert text is not None
        assert text.isprintable()
    assert all(line.isprintable() for line in (found.code or "").split("\n"))


@pytest.mark.parametrize(
    "text",
    [
        'password = "hunter2-hunter2"',
        "db_password: 'hunter2-hunter2'",
        '"secret_token": "hunter2-hunter2"',
        "api_key = hunter2-hunter2",
        'access_key = "AKIAIOSFODNN7HUNTER2"',
        "key AKIAIOSFODNN7HUNTER2 in the text",
        "token ghp_hunter2hunter2hunter2hunter2",
        'x = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYhunter2KEY"',
        "https://user:hunter2@example.com/",
        "-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJodW50ZXIyIn0.hunter2",
        'pass\x1b[0mword = "hunter2-hunter2"',
    ],
)
def test_secrets_are_masked(text: str) -> None:
    assert "hunter2" not in masked(text).lower()
    assert "***" in masked(text)


@pytest.mark.parametrize(
    "text",
    [
        "password = var.password",
        "  secret = data.aws_x.y.z",
        'bucket = "my-bucket"',
        "token = null",
        "kms_key_id = local.key",
    ],
)
def test_code_that_only_names_secrets_stays_readable(text: str) -> None:
    assert masked(text) == text


def test_only_web_addresses_are_links() -> None:
    assert clean(Finding("lint", "t", "r", "low", "m", link="javascript:alert(1)")).link is None
    assert (
        clean(Finding("lint", "t", "r", "low", "m", link="https://example.com/rule")).link == "https://example.com/rule"
    )


def test_a_huge_text_is_cut() -> None:
    found = clean(Finding("lint", "t", "r", "low", "x" * 100_000, code="y\n" * 100_000))

    assert len(found.message) < 3000
    assert len(found.code or "") < 12_000


def test_what_fails_comes_first_and_the_worst_before_the_rest() -> None:
    findings = [
        Finding("lint", "t", "a", "low", "m"),
        Finding("lint", "t", "b", "critical", "m", state="skipped"),
        Finding("lint", "t", "c", "unrated", "m"),
    ]

    assert [finding.rule for finding in by_importance(findings)] == ["c", "a", "b"]


def test_a_place_is_file_and_line_or_the_resource() -> None:
    assert Finding("scan", "t", "r", "low", "m", file="a.tf", line=3).place == "a.tf:3"
    assert Finding("scan", "t", "r", "low", "m", file="a.tf").place == "a.tf"
    assert Finding("scan", "t", "r", "low", "m", resource="aws_x.y").place == "aws_x.y"
    assert Finding("scan", "t", "r", "low", "m").place == ""


@pytest.mark.parametrize(
    "unit", ["x", "password", '"', "a=", "eyJ.", "A1b", "://a:", "-----BEGIN PRIVATE KEY-----", "\x1b[", "token='"]
)
def test_no_text_takes_long_to_mask(unit: str) -> None:
    """A line of a million characters is an outsider's way to stop us."""
    text = unit * (1_000_000 // len(unit))
    started = time.process_time()

    clean(Finding("lint", "t", "r", "low", text, code=text, reason=text, remediation=text, link=text))

    assert time.process_time() - started < 1
