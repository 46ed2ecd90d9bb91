"""What happened when: every plan, answer, refusal, apply, failure and recovery of the targets that are meant."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from orchestrator.effects.aws.session import Session
from orchestrator.effects.ledger.answers import Answers
from orchestrator.effects.ledger.ledger import Ledger
from orchestrator.effects.system import clock
from orchestrator.errors import InvalidInput, NotThere
from orchestrator.model.audit import timeline
from orchestrator.model.audit.timeline import EntryContext, Event
from orchestrator.model.ledger.ledger import Entry
from orchestrator.model.release.admission import withdraws
from orchestrator.model.rules.backend import Stores, stem
from orchestrator.model.rules.region import partition_of
from orchestrator.model.rules.rules import Rules
from orchestrator.model.rules.tag import Tag
from orchestrator.stages.context.selection import REFUSED, Selection
from orchestrator.stages.history.bootstrapped import NotBootstrapped, none_bootstrapped, not_bootstrapped

_AT_ONCE = 16


@dataclass(frozen=True)
class HistoryFilter:
    """Which events are meant: of one tag alone, from a time on (UTC, ISO 8601), and at most the newest `limit`."""

    tag: str | None = None
    since: str = ""
    limit: int = 1000

    @staticmethod
    def of(tag: str | None, since: str | None, limit: int) -> HistoryFilter:
        """`since` as people write it; UsageError where that is not a time."""
        return HistoryFilter(tag, timeline.since(since, clock.now()) if since else "", limit)


@dataclass(frozen=True)
class Found:
    """By time, the oldest first; `more` tells that older ones were left out.

    Of an environment that is `not_bootstrapped` nothing can be on record.
    """

    events: Sequence[Event]
    more: bool
    not_bootstrapped: Sequence[NotBootstrapped] = ()


def history(rules: Rules, selection: Selection, wanted: HistoryFilter) -> Found:
    """Raises InvalidInput where no target is meant, DependencyError where no environment is bootstrapped."""
    if wanted.tag is not None:
        selection = _of_tag(wanted.tag, selection)
    places = {(target.stores, target.id) for target in selection.of(rules)}
    if selection.whole_environment:
        places |= {(stores, REFUSED) for stores, _ in places}
    aws = Session(rules.project.state.region)
    aws.require_account(rules.project.tooling.account)
    ordered = sorted(places, key=lambda each: (each[0].ledger_table, each[1]))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = list(pool.map(lambda each: _read(rules, aws, each, wanted), ordered))
    found = [answer for answer in answers if isinstance(answer, Found)]
    missing = {where[0]: error for where, error in zip(ordered, answers, strict=True) if isinstance(error, NotThere)}
    new = [not_bootstrapped(aws, rules, stores, error) for stores, error in missing.items()]
    if not found:
        raise none_bootstrapped(new)
    events = timeline.in_order(event for each in found for event in each.events)
    more = any(each.more for each in found) or len(events) > wanted.limit
    return Found(events[-wanted.limit :], more, new)


def _of_tag(name: str, selection: Selection) -> Selection:
    """A tag names its target; what names none was recorded with its environment, if at all."""
    try:
        tag = Tag.parse(name)
    except InvalidInput:
        return selection
    return replace(selection, env=tag.env, team=tag.team, scope=tag.scope)


def _read(rules: Rules, aws: Session, where: tuple[Stores, str], wanted: HistoryFilter) -> Found | NotThere:
    try:
        return _found(rules, aws, where, wanted)
    except NotThere as error:
        return error


def _found(rules: Rules, aws: Session, where: tuple[Stores, str], wanted: HistoryFilter) -> Found:
    stores, target = where
    ledger = Ledger.of(aws, stores, rules.project)
    found: list[Entry] = []
    more = False
    for entry in ledger.newest_first(target):
        if entry.at < wanted.since:
            break
        if wanted.tag in (None, entry.tag):
            if len(found) == wanted.limit:
                more = True
                break
            found.append(entry)
    place = place_of(rules, stores)
    events = [Event(place, entry) for entry in timeline.distinct(found)]
    return Found([*events, *_answers(ledger, place, target, wanted)], more)


def place_of(rules: Rules, stores: Stores) -> EntryContext:
    pipeline = f"{stem(rules.project.state, stores.region)}-{stores.env}"
    return EntryContext(stores.env, stores.region, partition_of(stores.region), stores.release_bucket, pipeline)


def _answers(ledger: Ledger, place: EntryContext, target: str, wanted: HistoryFilter) -> list[Event]:
    """What people have said to the plan that waits, and nobody has copied into the chain yet."""
    entries = ledger.history(target)
    digest = withdraws(entries)
    if digest is None:
        return []
    given = Answers(ledger.aws, ledger.table, ledger.region, ledger.env).of(digest)
    meant = (answer for answer in given if wanted.tag in (None, answer.tag) and answer.at >= wanted.since)
    return [timeline.waiting(place, answer) for answer in meant if not timeline.is_told(entries.entries, answer)]
