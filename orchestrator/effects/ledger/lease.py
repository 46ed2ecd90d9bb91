"""The deployment lock: of all runs of a target, on whatever machines, one at a time.

It is a lease in the ledger table. The holder renews it; a holder that cannot must stop before the lease ends. No
clock is compared with another machine's: who waits takes over only a record that has stayed the same for its whole
length as measured here. Each holding has a number, and the numbers of a target only grow (Kleppmann's "fencing
token"): the ledger accepts an entry of a holder only while its number is the newest.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from orchestrator.effects.aws.session import Session
from orchestrator.effects.pipeline.builds import Builds, own_build
from orchestrator.errors import Locked, OrchestrateError, UsageError
from orchestrator.model.release.recovery import RunLocation
from orchestrator.model.text.progress import Progress

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LENGTH = 60.0
_SHORTEST, _LONGEST = 2.0, 600.0
_RENEWALS = 4  # in each length
_SAFETY = 0.5  # of a length: without a renewal for so long, what is under way is stopped
_LOOKS = 1.0  # seconds between two looks at somebody else's lease


@dataclass(frozen=True)
class Holder:
    """Who holds it: told to whoever finds it taken."""

    by: str
    tag: str
    where: str
    build: str = ""
    """The id of the CodeBuild build that it works in, empty elsewhere."""


def here(env: Mapping[str, str]) -> RunLocation:
    """This process."""
    host = socket.gethostname()
    return RunLocation(f"{host}, process {os.getpid()}", host, own_build(env))


def length(env: Mapping[str, str]) -> float:
    """Seconds: $ORCHESTRATE_LEASE_SECONDS, else 60. Who waits goes by what the holder has written."""
    own = env.get("ORCHESTRATE_LEASE_SECONDS", "")
    if not own:
        return LENGTH
    if not own.isascii() or not own.isdecimal() or not _SHORTEST <= int(own) <= _LONGEST:
        raise UsageError(f"ORCHESTRATE_LEASE_SECONDS is {own!r}; it must be a number from 2 to 600")
    return float(own)


@dataclass
class Held:
    """A lease of ours; `lost` is set when it can no longer be counted on.

    `taken_over` names the holder that had not given it back, if there was one.
    """

    table: str
    key: dict[str, Any]
    token: int
    id: str
    taken_over: str | None = None
    lost: threading.Event = field(default_factory=threading.Event)

    @property
    def condition(self) -> dict[str, Any]:
        """For a DynamoDB transaction: holds only while nobody has taken over."""
        return {
            "ConditionCheck": {
                "TableName": self.table,
                "Key": self.key,
                "ConditionExpression": "holder = :holder AND #token = :token",
                "ExpressionAttributeNames": {"#token": "token"},
                "ExpressionAttributeValues": {":holder": {"S": self.id}, ":token": {"N": str(self.token)}},
            }
        }


@dataclass(frozen=True)
class Leases:
    """The leases of one environment's ledger table."""

    aws: Session
    table: str
    region: str
    env: str
    length: float = LENGTH

    @contextlib.contextmanager
    def held(self, target: str, holder: Holder, progress: Progress) -> Iterator[Held]:
        """Raises Locked where somebody else holds the target's lease and is alive."""
        lease = self._acquire(target, holder, progress)
        stop = threading.Event()
        renewer = threading.Thread(target=self._keep, args=(lease, stop), daemon=True)
        renewer.start()
        try:
            yield lease
        finally:
            stop.set()
            renewer.join()
            self._release(lease)

    def _acquire(self, target: str, holder: Holder, progress: Progress) -> Held:
        key = _key(target)
        found = self._read(key)
        if found is not None and found["holder"]["S"]:
            found = self._outwaited(key, found, progress)
            self._require_end_of_build(found, holder)
        token = 1 if found is None else int(found["token"]["N"]) + 1
        gone = _whose(found) if found is not None and found["holder"]["S"] else None
        lease = Held(self.table, key, token, uuid.uuid4().hex, gone)
        if not self._take(lease, holder, found):
            now = self._read(key) or {}
            # A request that was repeated because its answer was lost is refused, for the lease is ours already.
            if now.get("holder", {}).get("S") != lease.id:
                raise _taken(now)
        return lease

    def holder(self, target: str) -> str | None:
        """Who holds the target's lease, in words; None where nobody does. Says nothing about being alive."""
        found = self._read(_key(target))
        return _whose(found) if found is not None and found["holder"]["S"] else None

    def _require_end_of_build(self, found: dict[str, Any], holder: Holder) -> None:
        """A build that is cut off from the ledger may still work; CodeBuild knows whether it does."""
        build = found.get("build", {}).get("S", "")
        if not found["holder"]["S"] or build in ("", holder.build):
            return
        if not Builds(self.aws, self.region, self.env).ended(build):
            raise Locked(
                f"this target is being released by {_whose(found)}, and its build {build} has not ended",
                hint="Wait until the build has ended, or stop it; then run this again.",
            )

    def _outwaited(self, key: dict[str, Any], found: dict[str, Any], progress: Progress) -> dict[str, Any]:
        """Watches a lease of somebody else for its whole length; returns it if it stays as it is."""
        length = float(found["length"]["N"])
        progress(
            f"{_whose(found)} holds this target's lock; watching for up to {length:g} s whether that run is still alive"
        )
        until = time.monotonic() + length
        while time.monotonic() < until:
            time.sleep(min(_LOOKS, length / _RENEWALS))
            now = self._read(key) or {}
            if now != found:
                if not now.get("holder", {}).get("S"):
                    return now
                raise _taken(now)
        progress("That run is no longer alive: its lock is taken over")
        return found

    def _take(self, lease: Held, holder: Holder, found: dict[str, Any] | None) -> bool:
        item = {
            **lease.key,
            "token": {"N": str(lease.token)},
            "holder": {"S": lease.id},
            "renewals": {"N": "0"},
            "length": {"N": str(int(self.length))},
            "by": {"S": holder.by},
            "tag": {"S": holder.tag},
            "where": {"S": holder.where},
            "build": {"S": holder.build},
        }
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if found is not None:
            condition = {
                "ConditionExpression": "#token = :token AND renewals = :renewals AND holder = :holder",
                "ExpressionAttributeNames": {"#token": "token"},
                "ExpressionAttributeValues": {
                    ":token": found["token"],
                    ":renewals": found["renewals"],
                    ":holder": found["holder"],
                },
            }
        with self.aws.explained("take the deployment lock", self.table, env=self.env):
            return _unless_refused(lambda: self._dynamodb.put_item(TableName=self.table, Item=item, **condition))

    def _keep(self, lease: Held, stop: threading.Event) -> None:
        """Renews until told to stop; gives the lease up for lost early enough to stop what is under way."""
        renewed = time.monotonic()
        while not stop.wait(self.length / _RENEWALS):
            try:
                if not self._renew(lease):
                    lease.lost.set()
                    return
                renewed = time.monotonic()
            except OrchestrateError:
                if time.monotonic() - renewed > self.length * _SAFETY:
                    lease.lost.set()
                    return

    def _renew(self, lease: Held) -> bool:
        return self._update(lease, "ADD renewals :one", {":one": {"N": "1"}})

    def _release(self, lease: Held) -> None:
        """A lease that cannot be released runs out by itself."""
        with contextlib.suppress(OrchestrateError):
            self._update(lease, "SET holder = :nobody", {":nobody": {"S": ""}})

    def _update(self, lease: Held, expression: str, values: dict[str, Any]) -> bool:
        check = lease.condition["ConditionCheck"]
        with self.aws.explained("renew the deployment lock", self.table, env=self.env):
            return _unless_refused(
                lambda: self._dynamodb.update_item(
                    TableName=self.table,
                    Key=lease.key,
                    UpdateExpression=expression,
                    ConditionExpression=check["ConditionExpression"],
                    ExpressionAttributeNames=check["ExpressionAttributeNames"],
                    ExpressionAttributeValues={**check["ExpressionAttributeValues"], **values},
                )
            )

    def _read(self, key: dict[str, Any]) -> dict[str, Any] | None:
        with self.aws.explained("read the deployment lock", self.table, env=self.env):
            return self._dynamodb.get_item(TableName=self.table, Key=key, ConsistentRead=True).get("Item")

    @property
    def _dynamodb(self) -> DynamoDBClient:
        return self.aws.client("dynamodb", self.region)


def _key(target: str) -> dict[str, Any]:
    return {"pk": {"S": f"lease#{target}"}, "sk": {"S": "lease"}}


def _unless_refused(call: Callable[[], object]) -> bool:
    from botocore.exceptions import ClientError

    try:
        call()
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return False
        raise
    return True


def _whose(item: dict[str, Any]) -> str:
    get = {name: value.get("S", "") for name, value in item.items()}
    return f"{get.get('by') or 'somebody'} (releasing {get.get('tag', '?')} on {get.get('where', '?')})"


def _taken(item: dict[str, Any]) -> Locked:
    return Locked(f"this target is being released by {_whose(item)}", hint="Wait until that run ends, then plan again.")
