"""What happened, in words and links: one entry of the ledger at a time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from orchestrator.errors import UsageError
from orchestrator.model.approval.approval import Answer, copy_of
from orchestrator.model.ledger.ledger import Entry, Stamp, following
from orchestrator.model.pipeline.execution import execution_address
from orchestrator.model.terraform.plan import Summary
from orchestrator.model.text import decoding
from orchestrator.model.text.quoting import escaped

_AGE = re.compile(r"([1-9][0-9]{0,4})([hd])")
_LONGEST = 200


@dataclass(frozen=True)
class EntryContext:
    """Where an entry's ledger is, and what stands beside it."""

    env: str
    region: str
    partition: str
    bucket: str
    pipeline: str


@dataclass(frozen=True)
class Event:
    """An entry, or an answer that is not in the chain yet; then number, id and hash of `entry` mean nothing."""

    place: EntryContext
    entry: Entry

    @property
    def in_chain(self) -> bool:
        return bool(self.entry.id)

    @property
    def summary(self) -> str:
        """On one line, for people."""
        return summary(self.entry)

    @property
    def links(self) -> dict[str, str]:
        return dict(_links(self.place, self.entry))


def waiting(place: EntryContext, answer: Answer) -> Event:
    """An answer to a plan that nobody has copied into the chain yet."""
    return Event(place, following(None, answer.target, Stamp(answer.at, ""), copy_of(answer)))


def in_order(events: Iterable[Event]) -> list[Event]:
    """By time. An answer that is not in the chain yet comes after the entries of its second: it is to one of them."""
    return sorted(events, key=lambda e: (e.entry.at, e.entry.target, not e.in_chain, e.entry.seq))


@dataclass(frozen=True)
class Row:
    """What people are told on one line: an event, and how often it came, the last time at `last`."""

    event: Event
    times: int
    last: str

    @property
    def summary(self) -> str:
        again = "" if self.times == 1 else f" ({self.times} times, at last {self.last})"
        return f"{self.event.summary}{again}"


def rows(events: Iterable[Event]) -> list[Row]:
    """For people: the same refusal or failure again, after nothing but the beginnings of plans, is told once."""
    found: list[Row] = []
    newest: dict[tuple[str, str], list[int]] = {}  # of each target: its refusal, and the beginnings since
    gone: set[int] = set()
    for event in events:
        place, entry = (event.place.env, event.entry.target), event.entry
        since_then = newest.setdefault(place, [])
        first = found[since_then[0]] if since_then else None
        if first is not None and entry.draft == first.event.entry.draft:
            gone.update(since_then[1:])
            found[since_then[0]] = Row(first.event, first.times + 1, entry.at)
            newest[place] = since_then[:1]
            continue
        if entry.kind in ("refused", "stopped"):
            newest[place] = [len(found)]
        elif first is not None and entry.kind == "planning":
            since_then.append(len(found))
        else:
            newest[place] = []
        found.append(Row(event, 1, entry.at))
    return [row for index, row in enumerate(found) if index not in gone]


def distinct(entries: Iterable[Entry]) -> list[Entry]:
    """Without an approval that CodePipeline reports of somebody who has given the same one in the ledger."""
    listed = list(entries)
    given = {_answer(entry) for entry in listed if entry.detail.get("user_id")}
    return [entry for entry in listed if not (_is_reported(entry) and _answer(entry) in given)]


def _answer(entry: Entry) -> tuple[str, str | None, str]:
    return entry.kind, entry.digest, entry.by


def _is_reported(entry: Entry) -> bool:
    return "answer" in entry.detail and not entry.detail.get("user_id")


def is_told(entries: Iterable[Entry], answer: Answer) -> bool:
    """Whether an entry says what the answer says."""
    return any(_answer(entry) == (answer.kind, answer.digest, answer.by) for entry in entries)


def since(text: str, now: datetime) -> str:
    """A date, a time, or an age (`12h`, `30d`) as the time from which on entries are meant; UsageError for others."""
    age = _AGE.fullmatch(text)
    if age is not None:
        return (now - timedelta(**{{"h": "hours", "d": "days"}[age[2]]: int(age[1])})).isoformat()
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        raise UsageError(
            f"--since {escaped(text)} is not a time", hint="Such as 2026-11-21, 2026-11-21T08:00:00+01:00, 12h or 30d."
        ) from None


# In words -----------------------------------------------------------------------------------------------------------


def summary(entry: Entry) -> str:
    text = " ".join(escaped(part) for part in _words(entry) if part)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _words(entry: Entry) -> Iterator[str]:
    detail = entry.detail
    if entry.kind == "checked":
        found = detail.get("findings", 0)
        yield f"{detail.get('check')} {'passed' if detail.get('passed') else 'failed'}"
        yield f"({found} finding{'' if found == 1 else 's'})" if found else ""
    elif entry.kind == "planned":
        yield _planned(detail)
    elif entry.kind in ("refused", "stopped"):
        yield f"{detail['action']}:" if "action" in detail else ""
    elif entry.kind == "applied":
        yield "no changes" if detail.get("result") == "no changes" else ""
    elif entry.kind == "recovered":
        yield ", ".join(str(how) for how in detail.get("ended", []))
    yield str(detail.get("url", ""))
    yield " ".join(str(detail.get("reason", "")).split())
    yield f"execution {detail['execution']}" if "execution" in detail else ""


def _planned(detail: Mapping[str, Any]) -> str:
    try:
        counts = decoding.convert(detail.get("summary"), Summary)
    except msgspec.ValidationError:
        return ""
    return counts.words(bool(detail.get("changes")))


# Links --------------------------------------------------------------------------------------------------------------


def _links(place: EntryContext, entry: Entry) -> Iterator[tuple[str, str]]:
    if "receipt" in entry.detail:
        yield "receipt", f"s3://{place.bucket}/{entry.detail['receipt']}"
    if "execution" in entry.detail:
        execution = str(entry.detail["execution"])
        yield "execution", execution_address(place.region, place.partition, place.pipeline, execution)
    if "url" in entry.detail:
        yield "url", str(entry.detail["url"])
