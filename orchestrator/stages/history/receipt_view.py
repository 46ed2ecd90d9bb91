"""A stored receipt, found by its digest and verified, with all that is recorded of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from orchestrator.effects.aws.objects import Bucket
from orchestrator.effects.aws.session import Session
from orchestrator.effects.ledger.answers import Answers
from orchestrator.effects.ledger.ledger import Ledger
from orchestrator.effects.system import clock
from orchestrator.errors import InvalidInput, Refused, UsageError
from orchestrator.model.audit import timeline
from orchestrator.model.audit.plan_status import PlanStatus, status
from orchestrator.model.audit.timeline import Event
from orchestrator.model.ledger.ledger import Entry, History
from orchestrator.model.release import receipt as receipts
from orchestrator.model.release.receipt import PlanReceipt
from orchestrator.model.rules.backend import Stores
from orchestrator.model.rules.rules import Rules
from orchestrator.model.text.quoting import quoted
from orchestrator.stages.context.selection import Selection
from orchestrator.stages.history.history import place_of

_DIGEST = re.compile("[0-9a-f]{12,64}")
_KEY = re.compile(r"receipts/(?P<target>.+)/(?P<digest>[0-9a-f]{64})\.json")
_AT_ONCE = 16


@dataclass(frozen=True)
class ReceiptView:
    """A receipt whose bytes have the digest. `events` are those of this plan and the checks of its commit, by time."""

    receipt: PlanReceipt
    url: str
    status: PlanStatus
    events: Sequence[Event]


@dataclass(frozen=True)
class _Location:
    """Where a receipt is, or was."""

    digest: str
    target: str
    stores: Stores

    @property
    def key(self) -> str:
        return receipts.receipt_key(self.target, self.digest)


def show_receipt(rules: Rules, digest: str, selection: Selection) -> ReceiptView:
    """`digest` may be cut to 12 characters and more where that is not ambiguous (UsageError).

    Raises InvalidInput where nobody knows it, and Refused where it is gone or its content is not what was written.
    """
    if _DIGEST.fullmatch(digest) is None:
        raise UsageError(f"{quoted(digest)} is not a digest of a receipt: 12 to 64 of 0-9 and a-f")
    aws = Session(rules.project.state.region)
    aws.require_account(rules.project.tooling.account)
    place = _one(digest, list(_places(rules, aws, digest, selection)))
    ledger = Ledger.of(aws, place.stores, rules.project)
    content = Bucket.of_releases(aws, place.stores, rules.project).get(place.key)
    if content is None:
        raise Refused(
            f"the receipt {place.digest[:16]} of {place.target} is no longer stored: somebody deleted it",
            hint=f"`orchestrate history --verify --env {place.stores.env}` tells what else was changed.",
        )
    receipt = receipts.decode(content, place.digest)
    return _told(rules, receipt, ledger, place)


def _told(rules: Rules, receipt: PlanReceipt, ledger: Ledger, place: _Location) -> ReceiptView:
    entries = list(ledger.newest_first(place.target))
    given = Answers(ledger.aws, ledger.table, ledger.region, ledger.env).of(place.digest)
    where = place_of(rules, place.stores)
    events = [Event(where, entry) for entry in timeline.distinct(entries) if _concerns(entry, receipt)]
    events += [timeline.waiting(where, answer) for answer in given if not timeline.is_told(entries, answer)]
    ended = status(History(entries), receipt, given, clock.now())
    return ReceiptView(receipt, f"s3://{place.stores.release_bucket}/{place.key}", ended, timeline.in_order(events))


def _concerns(entry: Entry, receipt: PlanReceipt) -> bool:
    return entry.digest == receipt.digest or (entry.kind == "checked" and entry.commit == receipt.commit)


def _one(digest: str, found: Sequence[_Location]) -> _Location:
    """The ledger's word counts where copies of a receipt lie in several places: it comes last."""
    digests = sorted({place.digest for place in found})
    if not digests:
        raise InvalidInput(
            f"there is no receipt {digest}", hint="`orchestrate history` shows the plans with their digests."
        )
    if len(digests) > 1:
        raise UsageError(f"{digest} may be any of {', '.join(each[:20] for each in digests)}", hint="Give more of it.")
    return found[-1]


def _places(rules: Rules, aws: Session, digest: str, selection: Selection) -> Iterator[_Location]:
    """In the buckets, then in the ledgers: a receipt that is gone is known there still."""
    targets = selection.of(rules)
    stores = sorted({target.stores for target in targets}, key=lambda each: each.release_bucket)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for kept in pool.map(lambda each: _stored(rules, aws, each, digest), stores):
            yield from kept
        for planned in pool.map(lambda each: _planned(rules, aws, each.stores, each.id, digest), targets):
            yield from planned


def _stored(rules: Rules, aws: Session, stores: Stores, digest: str) -> list[_Location]:
    kept = Bucket.of_releases(aws, stores, rules.project).versions("receipts/")
    keys = (_KEY.fullmatch(each.key) for each in kept)
    return [_Location(key["digest"], key["target"], stores) for key in keys if key and key["digest"].startswith(digest)]


def _planned(rules: Rules, aws: Session, stores: Stores, target: str, digest: str) -> list[_Location]:
    entries = Ledger.of(aws, stores, rules.project).newest_first(target)
    digests = {entry.digest for entry in entries if entry.kind == "planned" and entry.digest}
    return [_Location(each, target, stores) for each in sorted(digests) if each.startswith(digest)]
