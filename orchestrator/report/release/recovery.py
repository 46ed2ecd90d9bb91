"""What a recovery did, as text and JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from orchestrator.model.release.recovery import RunLocation, stage_of

if TYPE_CHECKING:
    from orchestrator.model.ledger.ledger import Entry
    from orchestrator.model.release.recovery import Fit
    from orchestrator.stages.recovery.recover import RecoveredRun, Recovery
    from orchestrator.stages.recovery.unsaved import Unsaved

_STORED = {
    "newer": "stored; it went on from the stored one",
    "stored": "was the stored one already",
    "conflict": "set aside; it does not go on from the stored one",
}


def recovery_fields(done: Recovery) -> dict[str, Any]:
    """The fields of `recover --format json`."""
    return {
        "tag": done.tag,
        "result": "nothing to recover" if done.entry is None else "recovered",
        "runs": [_run(each) for each in done.ended],
        "left": [_begun(run) for run in done.left],
        "released": sorted({lock.id for lock in done.released}),
        "states": [{"sha256": each.sha256, "key": each.key, "result": how} for each, how in done.states],
        "state": None if done.state is None else msgspec.to_builtins(done.state),
        "entry": None if done.entry is None else done.entry.id,
    }


def _run(ended: RecoveredRun) -> dict[str, Any]:
    return {**_begun(ended.run), "ended": ended.how, "unknown": list(ended.unknown)}


def _begun(run: Entry) -> dict[str, Any]:
    begun = {"kind": stage_of(run), "tag": run.tag, "digest": run.digest, "at": run.at, "by": run.by}
    return {**begun, "where": RunLocation.of(run).where}


def recovery_text(done: Recovery) -> str:
    return "\n".join(_lines(done))


def _lines(done: Recovery) -> Iterator[str]:
    if done.entry is None:
        yield f"{done.tag}: there is nothing to recover"
    else:
        yield f"{done.tag}: recovered; no run is under way, and nothing is locked"
    for ended in done.ended:
        yield from _ended(ended)
    for name in sorted({str(lock) for lock in done.released}):
        yield f"  released {name}"
    yield from (_state(each, how) for each, how in done.states)
    for run in done.left:
        where = RunLocation.of(run).where or "another machine"
        yield f"  left alone: the plan of {run.tag} begun at {run.at} on {where}"
    yield "  state    " + (f"serial {done.state.serial}" if done.state else "there is none yet")
    if done.ended or done.states:
        yield f"Next: `orchestrate plan --tag {done.tag}` shows what is left to do; that plan is approved anew."


def _ended(ended: RecoveredRun) -> Iterator[str]:
    run = ended.run
    what = "plan" if run.kind == "planning" else f"apply (plan {(run.digest or '')[:16]})"
    yield f"  the {what} of {run.tag}, begun at {run.at} by {run.by}, ended: {ended.how}"
    for name in ended.unknown:
        yield f"    not in the state, but perhaps there: {name}"
    if ended.unknown:
        yield "    Look for them in the account; `import` blocks bring into the state what exists."


def _state(each: Unsaved, how: Fit) -> str:
    return f"  unsaved state {each.sha256[:16]} (kept as {each.key}): {_STORED[how]}"
