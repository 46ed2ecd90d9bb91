"""Which releases of many begin when, and what all of them come to."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import Refused, UsageError
from orchestrator.model.release import fleet
from orchestrator.model.release.fleet import TargetRun
from orchestrator.model.rules.config import Environment, Team
from orchestrator.model.rules.tag import Tag


def environment(waves: list[list[str]] | None = None) -> Environment:
    regions = ["us-east-1", "eu-central-1", "ap-southeast-1"]
    return Environment(regions, "us-east-1", {"research": Team("111111111111")}, waves=waves)


def run(number: int = 0, wave: int = 0, env: str = "dev", code: int | None = None, begun: bool = False) -> TargetRun:
    tag = f"{env}_global/team-{number}/1.0"
    return TargetRun(tag, env, f"team-{number}/{env}-global", "c" * 40, wave, begun or code is not None, code=code)


@pytest.mark.parametrize(
    ("waves", "places"),
    [
        (None, {"global": 0, "us-east-1": 1, "eu-central-1": 1, "ap-southeast-1": 1}),
        ([["us-east-1"], ["eu-central-1", "ap-southeast-1"]], {"global": 0, "us-east-1": 1, "ap-southeast-1": 2}),
        ([["us-east-1", "eu-central-1"], ["ap-southeast-1", "global"]], {"us-east-1": 0, "global": 1}),
    ],
)
def test_global_resources_come_first_unless_they_are_in_a_wave(
    waves: list[list[str]] | None, places: dict[str, int]
) -> None:
    assert {scope: fleet.wave_of(environment(waves), scope) for scope in places} == places


def test_a_pattern_means_what_a_shell_means() -> None:
    names = [
        "dev_us-east-1/research/1.0",
        "dev_global/research/1.0",
        "dev_global/risk/1.0",
        "dev_global/research/1.1",
        "x",
    ]
    assert fleet.matching("dev_*/research/1.0", names) == names[:2]
    assert fleet.matching("dev_*", names) == []
    assert fleet.matching("*/*/1.0", names) == names[:3]
    assert fleet.matching("dev_global/r[ei]s*/1.?", names) == names[1:4]
    assert [fleet.is_pattern(text) for text in ("dev_*/a/1.0", "dev_global/a/1.0")] == [True, False]


def test_two_versions_of_one_target_cannot_both_be_meant() -> None:
    one, two = Tag.parse("dev_global/research/1.0"), Tag.parse("dev_global/research/1.1")
    fleet.check_targets([one, one, Tag.parse("dev_us-east-1/research/1.1")])
    with pytest.raises(UsageError, match="two versions of one target"):
        fleet.check_targets([one, two])


def test_a_wave_begins_when_all_of_the_one_before_are_released_in_its_environment() -> None:
    first, second, elsewhere = run(1, 0), run(2, 1), run(3, 1, "prod")
    assert fleet.startable([first, second, elsewhere], 9) == [first, elsewhere]
    for code, begins in ((0, True), (1, False), (7, False)):
        done = replace(first, begun=True, code=code)
        assert (second in fleet.startable([done, second], 9)) is begins


@given(st.lists(st.sampled_from([None, 0, 1, 7, "moving"]), max_size=12), st.integers(1, 5))
def test_no_more_than_so_many_are_under_way(states: list[int | str | None], parallel: int) -> None:
    runs = [
        run(number, code=state if isinstance(state, int) else None, begun=state is not None)
        for number, state in enumerate(states)
    ]
    begin = fleet.startable(runs, parallel)
    moving = sum(one.moving for one in runs)
    assert len(begin) <= max(0, parallel - moving)
    assert len(begin) == min(max(0, parallel - moving), states.count(None))


@pytest.mark.parametrize(
    ("codes", "wait", "rests"),
    [([0, 1], False, True), ([0, None], False, False), ([0, 7], False, True), ([0, 7], True, False)],
)
def test_it_rests_when_nothing_goes_on_by_itself(codes: list[int | None], wait: bool, rests: bool) -> None:
    runs = [run(number, code=code, begun=True) for number, code in enumerate(codes)]
    assert fleet.rests(runs, wait=wait) is rests
    assert fleet.rests([run()], wait=wait)


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ([0, 0], 0),
        ([0, 7], 7),
        ([7, 4, 0], 4),
        ([4, 1, 6], 1),
        ([6, 3], 6),
        ([5, 7], 5),
        ([None, 7], 7),
        ([None, 0], 1),
        ([141], 1),
        ([], 1),
    ],
)
def test_the_worst_code_is_the_answer_and_nothing_done_is_never_success(codes: list[int | None], expected: int) -> None:
    assert fleet.exit_code([run(number, code=code) for number, code in enumerate(codes)]) == expected


def test_what_a_course_is_called() -> None:
    assert [run(code=code).result for code in (0, 7, 130, 99)] == [
        "released",
        "waiting for approval",
        "interrupted",
        "ended with 99",
    ]
    assert (run().result, run(begun=True).result) == ("not begun", "under way")
    refused = run().ended(Refused("no", hint="Ask."))
    assert (refused.code, refused.why, refused.begun) == (4, "no\nAsk.", True)
