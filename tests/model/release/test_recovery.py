"""What interrupted runs have left, as the ledger, Terraform's logs and states have it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.errors import StageFailed
from orchestrator.model.ledger.ledger import Draft, Entry, History, Kind, Stamp, following
from orchestrator.model.release.receipt import StateVersion
from orchestrator.model.release.recovery import (
    Ending,
    Fit,
    Leftovers,
    RunLocation,
    StateContent,
    StateLock,
    Work,
    ending,
    fit,
    interrupted,
    is_of_build,
    lock_ids,
    locking_lines,
    stage_of,
    unknown_to,
    work,
)

LOCK = "94e6d181-78bf-6aa4-7375-78bd2d1b2761"
TAKES = f"[INFO]  backend-s3: Attempting to lock remote state (S3 Native)...: tf_backend.lock.id={LOCK} x=y"


def chain(*made: tuple[Kind, dict[str, Any]], tag: str = "t") -> History:
    entries: list[Entry] = []
    for number, (kind, detail) in enumerate(made, 1):
        draft = Draft(kind, tag, "c", "ann", "d" * 64 if kind == "applying" else None, detail)
        entries.append(following(entries[-1] if entries else None, "x/y", Stamp("2026-01-01", f"id{number}"), draft))
    return History(reversed(entries))


@pytest.mark.parametrize(
    ("made", "left"),
    [
        ([], []),
        ([("planning", {})], ["id1"]),
        ([("planning", {}), ("planned", {"run": "id1"})], []),
        ([("planning", {}), ("aborted", {"run": "id1"})], []),
        ([("planning", {}), ("refused", {"action": "plan"})], []),
        ([("planning", {}), ("refused", {"action": "apply"})], ["id1"]),
        ([("planning", {}), ("recovered", {"runs": ["id1"]})], []),
        ([("planning", {}), ("planning", {}), ("planned", {"run": "id2"})], []),
        ([("planned", {}), ("applying", {}), ("planning", {})], ["id3", "id2"]),
        ([("applying", {}), ("failed", {})], []),
        ([("applying", {}), ("recovered", {"runs": ["id1"]})], []),
    ],
)
def test_a_beginning_without_an_end_is_interrupted(made: list[tuple[Kind, dict[str, Any]]], left: list[str]) -> None:
    assert [entry.id for entry in interrupted(chain(*made))] == left


def test_where_a_run_works_goes_into_its_entry_and_back() -> None:
    place = RunLocation("host, process 1", "host", "build:1")
    (entry,) = chain(("applying", place.detail())).entries
    assert RunLocation.of(entry) == place
    assert RunLocation.of(chain(("applying", {})).entries[0]) == RunLocation("", "", "")
    assert stage_of(entry) == "apply"


def test_terraforms_lock_is_read_and_one_that_cannot_be_read_is_nobodys() -> None:
    text = json.dumps({"ID": LOCK, "Who": "root@box", "Created": "2026", "Operation": "OperationTypeApply"})
    lock = StateLock.read("lock table", text, text)
    assert (lock.id, lock.who) == (LOCK, "root@box")
    assert str(lock) == f"lock {LOCK} of root@box since 2026 (lock table)"
    for broken in ("", "[]", "{"):
        assert StateLock.read("lock file", broken, "e").id == "unknown"
    build = RunLocation("w", "box", "p:1")
    assert is_of_build(lock, build)
    assert not is_of_build(lock, RunLocation("w", "other", "p:1"))
    assert not is_of_build(lock, RunLocation("w", "box", ""))
    assert not is_of_build(StateLock.read("lock file", "", "e"), RunLocation("w", "", "p:1"))


def test_of_terraforms_log_the_locks_it_takes_are_kept() -> None:
    other = f"[INFO]  backend-s3: Downloading remote state: tf_backend.lock.id={LOCK}"
    assert locking_lines(f"x\n{TAKES}\n{other}") == [TAKES]
    assert lock_ids(f"{other}\n{TAKES}") == {LOCK}


def state(serial: int = 1, lineage: str = "l", **more: Any) -> StateContent:
    return StateContent.read(json.dumps({"lineage": lineage, "serial": serial, **more}).encode(), "it")


RESOURCES = [
    {"mode": "managed", "type": "a", "name": "b", "instances": [{"index_key": 0}, {"index_key": "k"}, {}]},
    {"mode": "managed", "module": "module.m", "type": "a", "name": "b", "instances": [{}]},
    {"mode": "data", "type": "d", "name": "e", "instances": [{}]},
]


def test_a_state_knows_its_resources_by_address() -> None:
    assert state(resources=RESOURCES).addresses == {"a.b", "a.b[0]", 'a.b["k"]', "module.m.a.b"}
    for broken in (b"", b"[]", b"{}"):
        with pytest.raises(StageFailed, match="it is not a Terraform state"):
            StateContent.read(broken, "it")


@pytest.mark.parametrize(
    ("unsaved", "stored", "how"),
    [
        (state(2), None, "newer"),
        (state(2), state(1), "newer"),
        (state(1), state(1), "stored"),
        (state(1, outputs={}), state(1), "conflict"),
        (state(1), state(2), "stored"),
        (state(1), state(2, outputs={}), "conflict"),
        (state(2, "other"), state(1), "conflict"),
    ],
)
def test_an_unsaved_state_fits_where_it_goes_on_from_the_stored_one(
    unsaved: StateContent, stored: StateContent | None, how: Fit
) -> None:
    assert fit(unsaved, stored) == how


def event(kind: str, address: str = "", **more: Any) -> str:
    hook = {"resource": {"addr": address}, "action": "create", **more}
    return json.dumps({"type": kind, "hook": hook, "changes": {"operation": "apply"}})


def test_the_log_of_an_apply_tells_what_was_made_and_what_was_under_way() -> None:
    lines = [
        event("apply_start", "a"),
        event("apply_complete", "a", id_value="i-1"),
        event("apply_start", "b"),
        event("apply_errored", "b"),
        event("apply_start", "c"),
        event("apply_complete", "d", action="update"),
        "[]",
        '{"type": "apply_comp',
    ]
    done = work(lines)
    assert done == Work({"a": "i-1"}, ("c",), finished=False)
    assert work([*lines, event("change_summary")]).finished
    assert unknown_to(None, done) == ("a (id i-1)", "c (was being made)")
    assert unknown_to(None, Work({"a": ""}, (), finished=False)) == ("a",)
    known = [{"mode": "managed", "type": "x", "name": "a", "instances": [{}]}]
    assert unknown_to(state(resources=known), Work({"x.a": "1"}, ("x.a",), finished=False)) == ()


@pytest.mark.parametrize(
    ("kind", "planned", "now", "done", "how"),
    [
        ("planning", None, None, None, "without a plan"),
        ("applying", StateVersion("", 0), None, Work({}, (), finished=True), "complete, but not recorded"),
        ("applying", StateVersion("", 0), None, None, "nothing of it is in the state"),
        ("applying", StateVersion("", 0), None, Work({"a": ""}, (), finished=False), "half-way"),
        ("applying", StateVersion("l", 1), state(2), Work({}, (), finished=False), "half-way"),
        ("applying", None, state(2), None, "half-way"),
    ],
)
def test_how_a_run_ended(
    kind: Kind, planned: StateVersion | None, now: StateContent | None, done: Work | None, how: Ending
) -> None:
    assert ending(chain((kind, {})).entries[0], planned, now, done) == how


def test_what_is_left_is_told_with_the_way_on() -> None:
    runs = interrupted(chain(("applying", {"where": "box, process 7"}), ("planning", {})))
    lock = StateLock.read("lock file", "", "e")
    text = "\n".join(Leftovers(runs, (lock,), "ann", StateVersion("l", 3)).lines)
    assert "a plan of t began at 2026-01-01 by ann, and its end is not recorded" in text
    assert f"an apply (plan {'d' * 16}) of t began at 2026-01-01 by ann on box, process 7" in text
    assert "state: serial 3 (lineage l)" in text
    assert "`orchestrate recover --tag t` finishes it safely" in text
    assert "state: there is none" in Leftovers(runs, (), None, None).lines[2]
