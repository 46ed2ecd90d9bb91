"""What an interrupted run left behind, and what may be done about it.

A run is interrupted when the ledger holds its beginning and no end. Its process is gone (or cut off from AWS), and
three things may be left: Terraform's locks of the state, our own lease, and a state that Terraform could not save.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from orchestrator.errors import StageFailed
from orchestrator.model.ledger.ledger import Entry, History
from orchestrator.model.release.receipt import StateVersion

# A run's end names its beginning by this field of the detail.
RUN = "run"


# Runs ---------------------------------------------------------------------------------------------------------------


def interrupted(history: History) -> tuple[Entry, ...]:
    """The beginnings without an end, newest first; perhaps some of them are still under way.

    Of plans only those since the newest plan or apply of the target that has ended: what came after has made them
    meaningless.
    """
    ended: set[object] = set()
    found: list[Entry] = []
    for entry in history.entries:
        ended.update(_ended_by(entry))
        if entry.kind in ("planned", "applied"):
            break
        if entry.kind == "planning" and not ended & {entry.id, entry.tag}:
            found.append(entry)
    begun = history.unfinished
    return tuple(found if begun is None else sorted([*found, begun], key=lambda entry: -entry.seq))


def _ended_by(entry: Entry) -> Iterable[object]:
    """Ids of beginnings; what is refused, or fails in Terraform, is recorded under its tag alone."""
    if entry.kind in ("refused", "stopped"):
        return [entry.tag] if entry.detail.get("action") == "plan" else []
    return [entry.detail.get(RUN), *entry.detail.get("runs", ())]


def stage_of(run: Entry) -> Literal["plan", "apply"]:
    """Which stage a beginning is of."""
    return "plan" if run.kind == "planning" else "apply"


@dataclass(frozen=True)
class RunLocation:
    """Where a run works: a machine for people, its host name, and the id of the CodeBuild build, if it is one."""

    where: str
    host: str
    build: str

    def detail(self) -> dict[str, str]:
        return {"where": self.where, "host": self.host, "build": self.build}

    @staticmethod
    def of(entry: Entry) -> RunLocation:
        """As the entry of a run's beginning tells; empty where it is older than these fields."""
        return RunLocation(*(str(entry.detail.get(name, "")) for name in ("where", "host", "build")))


# Locks --------------------------------------------------------------------------------------------------------------

Kept: TypeAlias = Literal["lock table", "lock file"]


@dataclass(frozen=True)
class StateLock:
    """One of Terraform's two locks of a state; `version` is what a conditional delete compares."""

    kept: Kept
    id: str
    who: str
    created: str
    operation: str
    version: str

    @staticmethod
    def read(kept: Kept, text: str, version: str) -> StateLock:
        """From Terraform's LockInfo; a lock that cannot be read is still a lock, of nobody known."""
        try:
            info = json.loads(text)
        except ValueError:
            info = {}
        get = info.get if isinstance(info, dict) else {}.get
        id, who, created, operation = (str(get(name) or "unknown") for name in ("ID", "Who", "Created", "Operation"))
        return StateLock(kept, id, who, created, operation, version)

    def __str__(self) -> str:
        return f"lock {self.id} of {self.who} since {self.created} ({self.kept})"


ADOPTION = "orchestrate adopt"
"""The operation of an adoption's locks. It holds them under the deployment lock: to who has that one, they are dead."""

LOCK_ID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LOCKING = re.compile(rf"to lock remote state.*tf_backend\.lock\.id=(?P<id>{LOCK_ID.pattern})")


def locking_lines(trace: str) -> list[str]:
    """The lines of Terraform's own log (level INFO) that name a lock; written before it tries to take it."""
    return [line for line in trace.splitlines() if _LOCKING.search(line)]


def lock_ids(trace: str) -> frozenset[str]:
    """The ids of all locks that the Terraforms which wrote this log have tried to take."""
    return frozenset(found["id"] for line in trace.splitlines() if (found := _LOCKING.search(line)))


def is_of_build(lock: StateLock, place: RunLocation) -> bool:
    """Whether a build's Terraform took the lock: a build's host name is that of its container, and of no other."""
    return bool(place.build) and bool(place.host) and lock.who.rpartition("@")[2] == place.host


# States -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StateContent:
    """A Terraform state (format version 4)."""

    version: StateVersion
    document: Mapping[str, Any]

    @staticmethod
    def read(content: bytes, name: str) -> StateContent:
        """Raises StageFailed where it is none."""
        try:
            document = json.loads(content)
            return StateContent(StateVersion(lineage=document["lineage"], serial=document["serial"]), document)
        except (ValueError, KeyError, TypeError):
            raise StageFailed(f"{name} is not a Terraform state") from None

    @property
    def addresses(self) -> frozenset[str]:
        """Of all managed resources that it knows."""
        return frozenset(_addresses(self.document.get("resources", ())))


def _addresses(resources: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for resource in resources:
        if resource.get("mode") != "managed":
            continue
        name = ".".join(filter(None, (resource.get("module"), resource["type"], resource["name"])))
        for instance in resource.get("instances", ()):
            key = instance.get("index_key")
            yield name if key is None else f"{name}[{json.dumps(key)}]"


Fit: TypeAlias = Literal["newer", "stored", "conflict"]


def fit(unsaved: StateContent, stored: StateContent | None) -> Fit:
    """Whether a state that Terraform could not save may become the stored one.

    It may where it goes on from the stored one: the same lineage, a greater serial. Everything else is for people to
    decide: the stored one has changed since. `terraform state push` itself counts the serial up, so one of the same
    content is stored already, whatever its serial.
    """
    if stored is None:
        return "newer"
    if unsaved.version.lineage != stored.version.lineage:
        return "conflict"
    if unsaved.version.serial > stored.version.serial:
        return "newer"
    return "stored" if _content(unsaved) == _content(stored) else "conflict"


def _content(state: StateContent) -> dict[str, Any]:
    return {name: value for name, value in state.document.items() if name not in ("serial", "terraform_version")}


# What an apply did --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Work:
    """What Terraform's log of an apply tells (`-json`): resources by address, with their ids where it tells them."""

    made: Mapping[str, str]
    under_way: tuple[str, ...]
    finished: bool


def work(lines: Iterable[str]) -> Work:
    """The last line may be cut off."""
    made: dict[str, str] = {}
    begun: dict[str, None] = {}
    finished = False
    for kind, event in _events(lines):
        hook = event.get("hook", {})
        address = hook.get("resource", {}).get("addr", "")
        if kind == "apply_start":
            begun[address] = None
        elif kind in ("apply_complete", "apply_errored"):
            begun.pop(address, None)
        if kind == "apply_complete" and hook.get("action") == "create":
            made[address] = str(hook.get("id_value", ""))
        finished = finished or (kind == "change_summary" and event.get("changes", {}).get("operation") == "apply")
    return Work(made, tuple(begun), finished)


def _events(lines: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            yield str(event.get("type")), event


def unknown_to(state: StateContent | None, done: Work) -> tuple[str, ...]:
    """Resources that the apply made, or was making, and that the state does not know: they may exist all the same."""
    known = frozenset() if state is None else state.addresses
    made = [f"{address} (id {id})" if id else address for address, id in done.made.items() if address not in known]
    return (*made, *(f"{address} (was being made)" for address in done.under_way if address not in known))


Ending: TypeAlias = Literal["complete, but not recorded", "half-way", "nothing of it is in the state", "without a plan"]


def ending(run: Entry, planned: StateVersion | None, state: StateContent | None, done: Work | None) -> Ending:
    """How a run ended, as far as state and log tell; `planned` is the state that its plan was made of."""
    if run.kind == "planning":
        return "without a plan"
    if done is not None and done.finished:
        return "complete, but not recorded"
    now = StateVersion(lineage="", serial=0) if state is None else state.version
    return "nothing of it is in the state" if now == planned and not (done and done.made) else "half-way"


# In words -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Leftovers:
    """What is there now of runs that were interrupted; `lease` tells who holds our lease."""

    runs: tuple[Entry, ...]
    locks: tuple[StateLock, ...]
    lease: str | None
    state: StateVersion | None

    @property
    def lines(self) -> tuple[str, ...]:
        """For people: what began, what the state knows, what is locked, and the way on."""
        state = "there is none" if self.state is None else f"serial {self.state.serial} (lineage {self.state.lineage})"
        return (
            *(_begun(run) for run in self.runs),
            f"  state: {state}",
            f"  Terraform's locks: {'; '.join(map(str, self.locks)) or 'none'}",
            f"  deployment lock: {self.lease or 'free'}",
            f"  When that run is no longer alive, `orchestrate recover --tag {self.runs[0].tag}` finishes it safely.",
        )


def _begun(run: Entry) -> str:
    what = "a plan" if run.kind == "planning" else f"an apply (plan {(run.digest or '')[:16]})"
    where = RunLocation.of(run).where
    on = f" on {where}" if where else ""
    return f"{what} of {run.tag} began at {run.at} by {run.by}{on}, and its end is not recorded"
