"""What a release tells the process that started it."""

from __future__ import annotations

from pathlib import Path

from orchestrator.effects.system.host import EVENTS
from orchestrator.effects.system.run_events import note, noted
from orchestrator.model.release.fleet import RunEvent


def test_events_are_read_as_they_were_noted(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    assert noted(file) == ()
    told = (RunEvent(stage="lint and scan"), RunEvent(why="Error: no\n== plan: é"))
    for event in told:
        note({EVENTS: str(file)}, event)
    assert noted(file) == told


def test_a_line_that_is_still_being_written_is_left_for_the_next_look(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(b'{"stage":"plan"}\n{"stage":"app')
    assert noted(file) == (RunEvent(stage="plan"),)


def test_nothing_is_noted_where_nobody_asked(tmp_path: Path) -> None:
    note({}, RunEvent(stage="plan"))
    assert list(tmp_path.iterdir()) == []
