"""May a release be planned? Where the ledger says that it goes back to what ran before, it is a rollback."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.errors import Refused
from orchestrator.model.ledger.ledger import History
from orchestrator.model.release.admission import moved, superseded
from orchestrator.model.release.release import Release
from orchestrator.model.release.rollback import Rollback, rollback_of
from orchestrator.stages.context.context import ReleaseContext
from orchestrator.stages.gates.promotion import PromotedCommit, check_promotion
from orchestrator.stages.recovery.interrupted import tell

_RECENT = 200  # entries that suffice for nearly every target
WHOLE = 1_000_000  # more than a target ever has


@dataclass(frozen=True)
class Admission:
    """A release that may be planned: what came before, who plans it, and what it goes back from, if it does."""

    history: History
    by: str
    rollback: Rollback | None
    run: str = ""
    """The id of the ledger's entry that the plan has begun."""


def admitted(ctx: ReleaseContext) -> Admission:
    """Refused unless AWS knows us, the tag has not moved, and the place is where the target has always been."""
    release = ctx.release
    by = ctx.identify()
    ctx.ledger.pin(str(release.tag), release.tag_object, release.commit)
    history = ctx.ledger.history(release.target.id, _RECENT)
    other = moved(history, str(release.tag), release.commit)
    if other is not None:
        raise Refused(other, hint="A tag is released as it was first seen, or not at all: make a new version.")
    rollback = _rollback(ctx, history)
    if rollback is None:
        check_promotion(PromotedCommit.of(release, ctx.repository, ctx.aws))
    check_place(history, release)
    late = superseded(history, release.tag)
    if late is not None:
        ctx.progress(f"Warning: {late}. Apply will refuse it; to go back, use `orchestrate rollback`.")
    tell(ctx, history)
    return Admission(history, by, rollback)


def _rollback(ctx: ReleaseContext, history: History) -> Rollback | None:
    """What ran long ago is looked for in the whole chain."""
    tag, commit, target = str(ctx.release.tag), ctx.release.commit, ctx.release.target.id
    found = rollback_of(history, tag, commit)
    if found is None and len(history.entries) >= _RECENT:
        return rollback_of(ctx.ledger.history(target, WHOLE), tag, commit)
    return found


def check_place(history: History, release: Release) -> None:
    """A provider that looks elsewhere than the state was made finds nothing and would plan everything as new."""
    applied = history.newest("applied", "adopted")
    if applied is None:
        return
    before = (applied.detail.get("account"), applied.detail.get("region"))
    if before != (release.target.account, release.target.region):
        raise Refused(
            f"the state of {release.target.id} was made in account {before[0]}, Region {before[1]}, but the rules now "
            f"say {release.target.account}, {release.target.region}",
            hint="Its resources would be made a second time. Undo the change in envs/, or move the resources first.",
        )
