"""Change windows and freezes, at their edges, in time zones and where clocks are changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestrator.errors import DependencyError
from orchestrator.model.rules.release_settings import Day, Freeze, Window
from orchestrator.model.rules.windows import closed_reason, is_open, zone

DAYS: tuple[Day, ...] = get_args(Day)
ZONES = ["UTC", "Europe/Zurich", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia"]
WORKDAYS: list[Day] = ["mon", "tue", "wed", "thu", "fri"]


def window(days: Sequence[Day], start: str, end: str, timezone: str = "UTC") -> Window:
    return Window(days=list(days), start=start, end=end, timezone=timezone)


def at(text: str, timezone: str = "UTC", fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(timezone), fold=fold).astimezone(UTC)


clock_times = st.builds(lambda minute: f"{minute // 60:02}:{minute % 60:02}", st.integers(0, 1439))
windows = st.builds(
    window,
    st.sets(st.sampled_from(DAYS), min_size=1).map(sorted),
    clock_times,
    clock_times | st.just("24:00"),
    st.sampled_from(ZONES),
).filter(lambda each: each.start != each.end)
instants = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))


def opens_by_the_calendar(each: Window, now: datetime) -> bool:
    """The same rule in other words: some listed day's interval of local times holds the local time."""
    local = now.astimezone(ZoneInfo(each.timezone)).replace(tzinfo=None)
    for day in (local.date(), local.date() - timedelta(days=1)):
        opens = datetime.combine(day, time.fromisoformat(each.start))
        end = timedelta(hours=int(each.end[:2]), minutes=int(each.end[3:]))
        closes = datetime.combine(day, time()) + end
        closes += timedelta(days=1) if closes <= opens else timedelta()
        if DAYS[day.weekday()] in each.days and opens <= local < closes:
            return True
    return False


@given(windows, instants)
@example(window(["sun"], "22:00", "02:00", "Europe/Zurich"), at("2026-10-26T01:59:59", "Europe/Zurich"))
def test_a_window_is_open_where_the_calendar_says_so(each: Window, now: datetime) -> None:
    assert is_open(each, now) == opens_by_the_calendar(each, now)


@given(windows, instants, st.sampled_from(ZONES))
def test_the_zone_in_which_the_time_is_given_does_not_matter(each: Window, now: datetime, name: str) -> None:
    assert is_open(each, now) == is_open(each, now.astimezone(ZoneInfo(name)))


@pytest.mark.parametrize(
    ("when", "is_it"),
    [
        ("2026-11-20T08:59:59", False),
        ("2026-11-20T09:00:00", True),
        ("2026-11-20T15:59:59", True),
        ("2026-11-20T16:00:00", False),
        ("2026-11-21T12:00:00", False),
    ],
)
def test_the_first_minute_is_in_and_the_last_is_out(when: str, is_it: bool) -> None:
    assert is_open(window(WORKDAYS, "09:00", "16:00", "Europe/Zurich"), at(when, "Europe/Zurich")) == is_it


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_opens() -> None:
    friday_night = window(["fri"], "22:00", "02:00")
    times = ["2026-11-20T21:59", "2026-11-20T22:00", "2026-11-21T01:59", "2026-11-21T02:00", "2026-11-20T01:00"]
    assert [is_open(friday_night, at(each)) for each in times] == [False, True, True, False, False]


def test_the_whole_day() -> None:
    sunday = window(["sun"], "00:00", "24:00")
    times = ["2026-11-21T23:59:59", "2026-11-22T00:00:00", "2026-11-22T23:59:59", "2026-11-23T00:00:00"]
    assert [is_open(sunday, at(each)) for each in times] == [False, True, True, False]


def test_an_hour_that_the_clocks_leave_out_never_opens() -> None:
    """Zurich, 29 March 2026: 01:59:59 is followed by 03:00:00."""
    missing = window(["sun"], "02:00", "03:00", "Europe/Zurich")
    start = datetime(2026, 3, 28, 22, tzinfo=UTC)
    assert not any(is_open(missing, start + timedelta(minutes=minute)) for minute in range(36 * 60))


def test_an_hour_that_comes_twice_opens_twice() -> None:
    """Zurich, 25 October 2026: 02:59:59 is followed by 02:00:00."""
    twice = window(["sun"], "02:00", "03:00", "Europe/Zurich")
    start = datetime(2026, 10, 24, 22, tzinfo=UTC)
    assert sum(is_open(twice, start + timedelta(minutes=minute)) for minute in range(24 * 60)) == 120
    assert is_open(twice, at("2026-10-25T02:30", "Europe/Zurich", fold=0))
    assert is_open(twice, at("2026-10-25T02:30", "Europe/Zurich", fold=1))


def test_summer_time_moves_the_window_with_the_wall_clock() -> None:
    office = window(WORKDAYS, "09:00", "17:00", "Europe/Zurich")
    assert not is_open(office, at("2026-01-05T07:30"))
    assert is_open(office, at("2026-07-06T07:30"))


def test_no_windows_means_at_any_time() -> None:
    assert closed_reason(None, [], at("2026-11-21T03:00")) is None


def test_one_open_window_of_several_is_enough_and_closed_ones_are_told() -> None:
    both = [window(["mon"], "09:00", "10:00"), window(["tue"], "09:00", "10:00", "Europe/Zurich")]
    assert closed_reason(both, [], at("2026-11-23T09:30")) is None
    assert closed_reason(both, [], at("2026-11-23T10:30")) == (
        "the change window is closed; it is open mon 09:00-10:00 (UTC) and tue 09:00-10:00 (Europe/Zurich)"
    )


def test_a_freeze_holds_from_its_first_day_to_the_end_of_its_last_whatever_the_windows_say() -> None:
    freeze = Freeze(start="2026-12-20", end="2027-01-03", timezone="America/New_York", reason="year end")
    times = ["2026-12-19T23:59:59", "2026-12-20T00:00:00", "2027-01-03T23:59:59", "2027-01-04T00:00:00"]
    said = [closed_reason(None, [freeze], at(each, "America/New_York")) for each in times]
    frozen = "changes are frozen from 2026-12-20 to 2027-01-03 (America/New_York): year end"
    assert said == [None, frozen, frozen, None]
    assert closed_reason([window(DAYS, "00:00", "24:00")], [freeze], at("2026-12-24T12:00")) == frozen


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(0, 40), st.sampled_from(ZONES), instants)
def test_a_freeze_is_a_range_of_local_days(first: date, days: int, name: str, now: datetime) -> None:
    last = first + timedelta(days=days)
    freeze = Freeze(start=first.isoformat(), end=last.isoformat(), timezone=name)
    assert (closed_reason(None, [freeze], now) is not None) == (first <= now.astimezone(ZoneInfo(name)).date() <= last)


@pytest.mark.parametrize("name", ["Europe/Zuerich", "../etc/passwd", "Europe", ""])
def test_an_unknown_zone_is_no_reason_to_guess(name: str) -> None:
    with pytest.raises(DependencyError, match="time zone database"):
        zone(name)
