"""Brings an existing state under this layout. No resource is touched, and the source is only read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from orchestrator.effects.ledger.lease import Held, Holder
from orchestrator.effects.state.place import StatePlace
from orchestrator.effects.state.source import LocalFile, StoredObject, source_of
from orchestrator.errors import InvalidInput, Locked, Refused
from orchestrator.model.ledger.ledger import Draft, Entry, History
from orchestrator.model.terraform.state_file import StateFile, parse
from orchestrator.stages.context.context import ReleaseContext
from orchestrator.stages.context.state import check_usable
from orchestrator.stages.policy.preview import Preview, preview
from orchestrator.stages.record.planning import Admission
from orchestrator.stages.record.refusals import recorded


@dataclass(frozen=True)
class AdoptableState:
    """A state that may be adopted; `preview` is what a release of the commit would change then.

    `preview` is None where the state is in its place already: an earlier run has put it there.
    """

    source: LocalFile | StoredObject
    content: bytes
    state: StateFile
    preview: Preview | None


@dataclass(frozen=True)
class Adopted:
    """`entry` is the ledger's; `result` says whether this run wrote it."""

    entry: Entry
    result: Literal["adopted", "already adopted"]


@recorded("adopt")
def examine(ctx: ReleaseContext, source: str) -> AdoptableState:
    """Raises Refused, InvalidInput or Locked where the state cannot be adopted; changes nothing."""
    by = ctx.identify()
    place, found, program = _place(ctx), source_of(source, ctx.aws), ctx.release.rules.project.terraform.program
    if str(found) == place.address:
        raise Refused(f"{place.address} is the target's own place: there is nothing to adopt")
    content = _read(found, program)
    state = parse(content, str(found))
    if not state.resources:
        raise InvalidInput(f"{found} holds no resources: there is nothing to adopt")
    history = ctx.chain.read()
    if _is_in_place(place, content, state, history):
        return AdoptableState(found, content, state, None)
    _check_unreleased(ctx, history)
    check_usable(ctx, state)
    return AdoptableState(found, content, state, preview(ctx, Admission(history, by, None), content))


def _place(ctx: ReleaseContext) -> StatePlace:
    target = ctx.release.target
    return StatePlace(ctx.aws, target.backend, ctx.release.rules.project.tooling.account, target.env)


def _read(source: LocalFile | StoredObject, program: str) -> bytes:
    lock = source.lock()
    if lock is not None:
        raise Locked(
            f"{source} is locked ({lock}): somebody is changing it",
            hint=f"Wait until that run has ended, or release its lock with `{program} force-unlock`.",
        )
    return source.read()


def _is_in_place(place: StatePlace, content: bytes, state: StateFile, history: History) -> bool:
    """Raises Refused where another state is there, or one that has gone on since it was adopted."""
    there = place.read()
    if there is None or there == content:
        return there is not None
    other = parse(there, place.address)
    adopted = history.newest("adopted")
    if adopted is not None and other.lineage == state.lineage == adopted.detail.get("lineage"):
        raise Refused(
            f"this state was adopted at {adopted.at} by {adopted.by}, and has gone on to serial {other.serial}",
            hint="Nothing is left to do: release to the target.",
        )
    raise Refused(
        f"{place.address} holds another state (lineage {other.lineage}, serial {other.serial}, "
        f"{other.resources} resources)",
        hint="Is it the right target? A state is never overwritten. To merge two, use `import` or `moved` blocks.",
    )


def _check_unreleased(ctx: ReleaseContext, history: History) -> None:
    released = history.newest("applying", "applied", "failed")
    if released is not None:
        raise Refused(
            f"{ctx.release.target.id} has been released before ({released.tag}, {released.at}), and its state is gone",
            hint="Restore that state from an older version of the object; another one does not belong to it.",
        )


@recorded("adopt")
def adopt(ctx: ReleaseContext, candidate: AdoptableState) -> Adopted:
    """Puts the state in its place and records it; done again, it finishes what an earlier run has left.

    Raises Refused where the source or the place has changed since it was examined, Locked where it is in use.
    """
    by, target = ctx.identify(), ctx.release.target
    place = _place(ctx)
    with ctx.leases.held(target.id, Holder(by, "an adoption", place.us), ctx.progress) as lease:
        with place.locked(ctx.progress):
            _put(place, candidate, lease)
        before = ctx.chain.read().newest("adopted")
        if before is not None and before.detail.get("sha256") == candidate.state.sha256:
            return Adopted(before, "already adopted")
        entry = ctx.chain.append(lambda _: _draft(ctx, candidate, by), lease)
    return Adopted(entry, "adopted")


def _put(place: StatePlace, candidate: AdoptableState, lease: Held) -> None:
    if candidate.source.read() != candidate.content:
        raise Refused(f"{candidate.source} has changed in the meantime", hint="Look at it again, then adopt it.")
    if lease.lost.is_set():
        raise Locked("the deployment lock could not be renewed, so nothing was written", hint="Run it again.")
    if not place.put_new(candidate.content):
        raise Refused(f"{place.address} has got another state in the meantime", hint="Find out who uses that place.")


def _draft(ctx: ReleaseContext, candidate: AdoptableState, by: str) -> Draft:
    target, state = ctx.release.target, candidate.state
    detail: dict[str, Any] = {
        "source": str(candidate.source),
        "lineage": state.lineage,
        "serial": state.serial,
        "sha256": state.sha256,
        "terraform_version": state.terraform_version,
        "account": target.account,
        "region": target.region,
        "resources_after": state.resources,
    }
    return Draft("adopted", "", ctx.release.commit, by, None, detail)
