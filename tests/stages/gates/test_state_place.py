"""What the record of a target says against a release of it."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.model.ledger.ledger import FIRST_HASH, Entry, History
from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.state_place import check
from orchestrator.stages.tags.resolve import resolve
from tests.support.git_project import GitProject

TAG = "dev_us-east-1/research/1.0"
HERE = {"account": "111111111111", "region": "us-east-1"}


def test_a_state_that_was_made_in_another_account_or_region_is_not_planned_against(git_project: GitProject) -> None:
    """A provider that looks elsewhere finds nothing there, and everything would be planned as new."""
    git_project.tag(TAG)
    repository = git_project.open()
    asked = GateContext("plan", resolve(repository, TAG, None), repository)
    assert check(replace(asked, facts={"history": History(())})) is None
    assert check(replace(asked, facts={"history": applied(HERE)})) is None
    for place, told in (
        ({**HERE, "account": "999999999999"}, "made in account 999999999999, Region us-east-1"),
        ({**HERE, "region": "eu-west-1"}, "made in account 111111111111, Region eu-west-1"),
    ):
        reason = check(replace(asked, facts={"history": applied(place)}))
        assert reason is not None
        assert told in reason.message
        assert "made a second time" in str(reason.hint)


def applied(place: dict[str, str]) -> History:
    me = "arn:aws:iam::000000000000:user/me"
    at, known = "2026-11-21T12:00:00+00:00", dict(place)
    entry = Entry("research/dev-us-east-1", 1, "x", at, "applied", TAG, "c" * 40, me, "d" * 64, known, FIRST_HASH)
    return History([entry])
