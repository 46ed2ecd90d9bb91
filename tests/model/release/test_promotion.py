"""What must have happened in the environment before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.ledger.ledger import Draft, Entry, History, Kind, Stamp, following
from orchestrator.model.release.promotion import objection, origins, stretches
from orchestrator.model.rules.release_settings import Promotion
from orchestrator.model.rules.rules import Rules
from orchestrator.model.rules.tag import Tag
from orchestrator.model.rules.target import locate

START = datetime(2026, 1, 1, tzinfo=UTC)
PAGE: Mapping[str, Any] = {"outputs": {"verify_url": "http://x"}}
Record = tuple[float, Kind, str, str]


def history(*records: Record, detail: Mapping[str, Any] = PAGE) -> History:
    """Of records (hours after the start, kind, commit, digest), oldest first."""
    entries: list[Entry] = []
    for number, (hours, kind, commit, digest) in enumerate(records):
        stamp = Stamp((START + timedelta(hours=hours)).isoformat(), str(number))
        draft = Draft(kind, "qa_global/research/1.0", commit, "me", digest, dict(detail))
        entries.insert(0, following(entries[0] if entries else None, "research/qa-global", stamp, draft))
    return History(entries)


def why(found: History, hours: float, **settings: Any) -> str | None:
    return objection(found, lambda commit: commit == "c", Promotion(**settings), START + timedelta(hours=hours))


APPLIED: Record = (0, "applied", "c", "d")


def test_never_applied() -> None:
    others: list[Record] = [(0, "applied", "other", "d"), (1, "planned", "c", "e"), (2, "applying", "c", "e")]
    assert why(history(*others), 99) == "the same commit has not been applied there"
    assert why(history((0, "failed", "c", "d")), 9, same="source") == "the same source has not been applied there"


def test_not_verified() -> None:
    assert (
        why(history(APPLIED), 1) == "it has not been verified there (`orchestrate verify --tag qa_global/research/1.0`)"
    )
    assert why(history(APPLIED), 1, verified=False) is None
    assert why(history(APPLIED, (1, "verified", "c", "another apply")), 2) is not None
    assert why(history(APPLIED, (1, "verified", "c", "d")), 2) is None


def test_where_there_is_nothing_to_verify_nothing_is_missing() -> None:
    assert why(history(APPLIED, detail={"outputs": {}}), 1) is None
    assert why(history(APPLIED, detail={}), 1) is None


@pytest.mark.parametrize(
    ("hours", "reason"), [(23.99, "it has run there for 23 h 59 min, and 24 h are asked for"), (24, None)]
)
def test_the_soak_to_the_minute(hours: float, reason: str | None) -> None:
    assert why(history(APPLIED), hours, soak_hours=24, verified=False) == reason


def test_a_clock_that_runs_behind_gives_no_time() -> None:
    assert why(history(APPLIED), -5, soak_hours=1) == "it has run there for 0 h 00 min, and 1 h are asked for"


def test_the_soak_ends_when_another_source_begins_to_be_applied_and_does_not_add_up() -> None:
    found = history(
        APPLIED,
        (10, "applying", "other", "e"),
        (11, "failed", "other", "e"),
        (20, "applying", "c", "f"),
        (20, "applied", "c", "f"),
    )
    assert why(found, 29, soak_hours=12, verified=False) == "it has run there for 10 h 00 min, and 12 h are asked for"
    assert why(found, 32, soak_hours=12, verified=False) is None


def test_what_has_soaked_before_it_was_replaced_has_soaked() -> None:
    found = history(APPLIED, (30, "applying", "other", "e"), (30, "applied", "other", "e"))
    assert why(found, 31, soak_hours=24, verified=False) is None


def test_applying_the_same_again_does_not_end_the_soak() -> None:
    found = history(APPLIED, (10, "applying", "c", "e"), (11, "failed", "c", "e"), (12, "applied", "c", "f"))
    assert why(found, 24, soak_hours=24, verified=False) is None
    assert [len(period.applied) for period in stretches(found, lambda commit: commit == "c")] == [2]


def test_the_stretch_that_has_soaked_must_be_the_verified_one() -> None:
    found = history(
        APPLIED,
        (30, "applied", "other", "e"),
        (40, "applied", "c", "f"),
        (41, "verified", "c", "f"),
    )
    assert "has not been verified" in str(why(found, 42, soak_hours=24))
    assert why(found, 64, soak_hours=24) is None


kinds = st.sampled_from(["planned", "applying", "applied", "failed", "verified"])
records = st.lists(st.tuples(st.integers(0, 5), kinds, st.sampled_from("cx"), st.sampled_from("de")), max_size=12)


@given(records, st.integers(0, 100), st.integers(0, 48))
def test_waiting_never_takes_a_permission_away(steps: list[tuple[int, Kind, str, str]], later: int, soak: int) -> None:
    at, made = 0, []
    for gap, kind, commit, digest in steps:
        at += gap
        made.append((float(at), kind, commit, digest))
    found = history(*made)
    if why(found, at, soak_hours=soak) is None:
        assert why(found, at + later, soak_hours=soak) is None
    if why(found, at + later, soak_hours=soak) is None:
        assert why(found, at + later, soak_hours=soak, verified=False) is None
        assert any(kind == "applied" and commit == "c" for _, kind, commit, _ in made)


# Where it must have run -----------------------------------------------------------------------------------------------

ENVIRONMENT = """\
regions: {regions}
global_resource_deploy_from_region: us-east-1
teams:
  research: {{account: "{account}1"}}
"""


def rules(prod: str = "promote_from: qa\n", qa: str = "") -> Rules:
    project = 'state: {prefix: acme-tf, region: us-east-1}\ntooling: {account: "000000000000"}\n'
    both = "[us-east-1, eu-central-1]"
    qa_file = ENVIRONMENT.format(regions=both, account="1" * 11) + '  solo: {account: "555555555555"}\n' + qa
    all_three = "[us-east-1, eu-central-1, ap-southeast-1]"
    prod_file = ENVIRONMENT.format(regions=all_three, account="3" * 11) + '  risk: {account: "444444444444"}\n' + prod
    return Rules.parse({"envs/orchestrate.yaml": project, "envs/qa.yaml": qa_file, "envs/prod.yaml": prod_file})


@pytest.mark.parametrize(
    ("tag", "places"),
    [
        ("prod_global/research/1.0", ["research/qa-global"]),
        ("prod_eu-central-1/research/1.0", ["research/qa-eu-central-1"]),
        ("prod_ap-southeast-1/research/1.0", ["research/qa-us-east-1", "research/qa-eu-central-1"]),
        ("prod_us-east-1/risk/1.0", []),
        ("qa_us-east-1/research/1.0", []),
    ],
)
def test_the_same_scope_or_any_region_where_that_one_is_missing(tag: str, places: list[str]) -> None:
    found = rules()
    assert [place.id for place in origins(found, locate(Tag.parse(tag), found))] == places
