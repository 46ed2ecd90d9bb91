"""The ledger table: entries of each target in order, and the pins of tags.

Items are only ever added, each under a condition that it is not there yet; that makes appending safe under any number
of writers and "exactly one of us" decidable.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from orchestrator.effects.aws.objects import Bucket
from orchestrator.effects.aws.session import Session
from orchestrator.effects.ledger.anchors import Anchors
from orchestrator.effects.ledger.lease import Held
from orchestrator.effects.system import clock, outlet
from orchestrator.errors import DependencyError, Locked, Refused
from orchestrator.model.audit.evidence import TagPin
from orchestrator.model.ledger.chain import Stored
from orchestrator.model.ledger.ledger import Draft, Entry, History, Stamp, following
from orchestrator.model.rules.backend import Stores
from orchestrator.model.rules.config import Project
from orchestrator.model.text import decoding

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_RECENT = 200  # entries read to decide; the whole chain is read only to verify it
_TRIES = 20
_ANSWERS = ("approved", "rejected", "overridden", "break-glass", "followed-up")


@dataclass(frozen=True)
class Ledger:
    """The ledger of one environment (and Region, in layout regional); without `anchors` nothing is anchored."""

    aws: Session
    table: str
    region: str
    env: str
    anchors: Anchors | None = None
    rules_commit: str | None = None
    """Named by every entry that is appended: whose rules decided what it says."""

    @staticmethod
    def of(aws: Session, stores: Stores, project: Project) -> Ledger:
        """With its anchors in the release bucket."""
        anchors = Anchors(Bucket.of_releases(aws, stores, project), project.state.object_lock)
        return Ledger(aws, stores.ledger_table, stores.region, stores.env, anchors)

    def history(self, target: str, limit: int = _RECENT) -> History:
        """The newest entries of a target: at least `limit`, and all since the newest apply, if there are as many."""
        entries: list[Entry] = []
        with self.aws.explained("read the ledger", self.table, env=self.env):
            for item in self._items(target, limit):
                if len(entries) >= limit and any(entry.kind == "applied" for entry in entries):
                    break
                entries.append(self._entry(item))
        return History(entries)

    def newest_first(self, target: str) -> Iterator[Entry]:
        """All entries, read as they are asked for."""
        with self.aws.explained("read the ledger", self.table, env=self.env):
            for item in self._items(target, _RECENT):
                yield self._entry(item)

    def stored(self, target: str) -> tuple[Stored, ...]:
        """The whole chain as it lies in the table, oldest first, whatever it may hold."""
        with self.aws.explained("read the ledger", self.table, env=self.env):
            found = list(self._items(target, None))
        return tuple(
            Stored(*(_text(item, name) for name in ("sk", "body", "hash", "kind"))) for item in reversed(found)
        )

    def pinned(self, tag: str) -> TagPin | None:
        """What was noted of a tag when it was first seen; None where nothing is."""
        with self.aws.explained("read the ledger", self.table, env=self.env):
            found = self._dynamodb.get_item(TableName=self.table, Key=_pin_key(tag), ConsistentRead=True).get("Item")
        return None if found is None else TagPin(_text(found, "object"), _text(found, "commit"))

    def _items(self, target: str, limit: int | None) -> Iterator[dict[str, Any]]:
        """Newest first, read as they are asked for; DynamoDB answers in pages of at most 1 MB, or of `limit`."""
        asked: dict[str, Any] = {
            "TableName": self.table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": f"target#{target}"}},
            "ScanIndexForward": False,
            "ConsistentRead": True,
            **({} if limit is None else {"Limit": limit}),
        }
        while True:
            answer = self._dynamodb.query(**asked)
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            asked["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _naming_rules(self, decide: Callable[[History], Draft]) -> Callable[[History], Draft]:
        commit = self.rules_commit
        return decide if commit is None else lambda history: decide(history).under(commit)

    def append(
        self,
        target: str,
        decide: Callable[[History], Draft],
        lease: Held | None = None,
        known: History | None = None,
    ) -> Entry:
        """Adds what `decide` says after seeing the newest entries; it is asked again when another writer came first.

        So a decision always holds for the entries that stand before it. What `decide` raises, this raises. With a
        `lease` the entry is added only while that lease is ours; else Locked. Only the newest entry of a target is
        ever without an anchor, where its writer was killed or S3 failed: the next one anchors it before its own.
        Refused where the end of the chain is gone, which an anchor of the number to come tells.

        `known` are the newest entries as they were read or written before. They decide without another reading of the
        chain as long as the newest of them still stands; that nothing follows it is a condition of the write.
        """
        decide = self._naming_rules(decide)
        if known is not None and (entry := self._continued(known, target, decide, lease)) is not None:
            return entry
        for _ in range(_TRIES):
            history = self.history(target)
            entry = self._put(
                history.last, following(history.last, target, _stamp(), fit_to_keep(decide(history))), lease
            )
            if entry is not None:
                return entry
        raise DependencyError(f"the ledger {self.table} is written to so often that no entry could be added")

    def _continued(
        self, known: History, target: str, decide: Callable[[History], Draft], lease: Held | None
    ) -> Entry | None:
        """None where the entries are no longer those we know; a refusal by those may be out of date as well."""
        try:
            draft = decide(known)
        except Exception:
            return None
        if not self._stands(known.last):
            return None
        return self._put(known.last, following(known.last, target, _stamp(), fit_to_keep(draft)), lease)

    def _stands(self, last: Entry | None) -> bool:
        """Whether an entry is there as we know it: one that is gone must not leave a gap behind it."""
        if last is None:
            return True
        with self.aws.explained("read the ledger", self.table, env=self.env):
            answer = self._dynamodb.get_item(TableName=self.table, Key=_entry_key(last), ConsistentRead=True)
        return _text(answer.get("Item", {}), "body") == last.encode().decode()

    def _put(self, last: Entry | None, entry: Entry, lease: Held | None) -> Entry | None:
        """None where another writer came first."""
        self._anchor(last)
        if not (self._is_next(entry) and self._put_new(_item(entry), lease)):
            return None
        self._anchor(entry)
        return entry

    def _is_next(self, entry: Entry) -> bool:
        """False where another writer came first: whatever is anchored, and follows here, was in the table before."""
        anchored = self.anchors.entries(entry.target, entry.seq) if self.anchors is not None else ()
        if not any(each.previous == entry.previous for each in anchored):
            return True
        last = next(self.newest_first(entry.target), None)
        if last is not None and last.seq >= entry.seq:
            return False
        raise Refused(
            f"the end of the record of {entry.target} is gone: entry {entry.seq} was in the ledger {self.table} before",
            hint="Was the table emptied, or an older state of it put back? `orchestrate history --verify` tells what "
            "is missing, docs/history.md how to put it back. Until then nothing is released there.",
        )

    def first_seen(self, tag: str, tag_object: str, commit: str) -> TagPin:
        """What a tag pointed to when it was first seen; that is now, and noted, where it has not been."""
        item = {"object": {"S": tag_object}, "commit": {"S": commit}, "at": {"S": clock.now().isoformat()}}
        noted = None if self._put_new({**_pin_key(tag), **item}) else self.pinned(tag)
        return noted or TagPin(tag_object, commit)

    def _anchor(self, entry: Entry | None) -> None:
        if self.anchors is not None and entry is not None:
            self.anchors.put(entry)

    @property
    def _dynamodb(self) -> DynamoDBClient:
        return self.aws.client("dynamodb", self.region)

    def _put_new(self, item: dict[str, Any], lease: Held | None = None) -> bool:
        """False where an item of that key exists.

        A write that was repeated after its answer was lost finds itself there; that counts as written.
        """
        put: dict[str, Any] = {
            "TableName": self.table,
            "Item": item,
            "ConditionExpression": "attribute_not_exists(pk)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        with self.aws.explained("write to the ledger", self.table, env=self.env):
            try:
                if lease is None:
                    self._dynamodb.put_item(**put)
                else:
                    both: Any = [{"Put": put}, lease.condition]
                    self._dynamodb.transact_write_items(TransactItems=both)
            except self._dynamodb.exceptions.ConditionalCheckFailedException as error:
                return bool(error.response.get("Item") == item)
            except self._dynamodb.exceptions.TransactionCanceledException as error:
                return _canceled(error.response, item)
        return True

    def _entry(self, item: dict[str, Any]) -> Entry:
        try:
            return decoding.decode(item["body"]["S"], Entry)
        except (KeyError, msgspec.DecodeError) as error:
            raise Refused(
                f"an entry of the ledger {self.table} cannot be read: {error}",
                hint="Somebody changed it. `orchestrate history` shows the target's entries.",
            ) from None


def fit_to_keep(draft: Draft) -> Draft:
    """Without secrets; what people said stays as they said it, for its copy must equal their answer."""
    if draft.kind in _ANSWERS:
        return draft
    return msgspec.structs.replace(draft, detail=outlet.kept(draft.detail))


def _pin_key(tag: str) -> dict[str, Any]:
    return {"pk": {"S": f"tag#{tag}"}, "sk": {"S": "pin"}}


def _text(item: dict[str, Any], name: str) -> str:
    """A text attribute; empty where it is missing, or something else."""
    return str(item.get(name, {}).get("S", ""))


def _stamp() -> Stamp:
    return Stamp(clock.now().isoformat(), uuid.uuid4().hex)


def _entry_key(entry: Entry) -> dict[str, Any]:
    return {"pk": {"S": f"target#{entry.target}"}, "sk": {"S": f"{entry.seq:012d}"}}


def _item(entry: Entry) -> dict[str, Any]:
    return {
        **_entry_key(entry),
        "kind": {"S": entry.kind},
        "body": {"S": entry.encode().decode()},
        "hash": {"S": entry.hash},
    }


def _canceled(response: Any, item: dict[str, Any]) -> bool:
    """Why a transaction of an entry and its lease was not carried out (DynamoDB, TransactWriteItems)."""
    entry, lease = response["CancellationReasons"]
    if entry.get("Item") == item:
        return True
    if lease.get("Code") == "ConditionalCheckFailed":
        raise Locked(
            "another run has taken over this target's lock, so this one may no longer record anything",
            hint="`orchestrate history` shows that run; plan again when it has ended.",
        )
    return False
