"""A plan's beginning and end in the ledger: one that was killed has a beginning alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace

from orchestrator.effects.ledger.lease import here
from orchestrator.effects.terraform.workspace import Workspace
from orchestrator.errors import Interrupted, OrchestrateError, Refused, StageFailed, of_system
from orchestrator.model.ledger.ledger import Draft, History, Kind
from orchestrator.model.release.recovery import RUN
from orchestrator.model.release.rollback import Rollback
from orchestrator.stages.context.context import ReleaseContext


@dataclass(frozen=True)
class Admission:
    """A release that may be planned: what came before, who plans it, and what it goes back from, if it does."""

    history: History
    by: str
    rollback: Rollback | None
    run: str = ""
    """The id of the ledger's entry that the plan has begun."""


def begins(ctx: ReleaseContext, admission: Admission, workspace: Workspace) -> Admission:
    """Records that it begins, here; the answer names that entry."""
    detail = {**here(ctx.env).detail(), "workspace": str(workspace.path)}
    begun = ctx.chain.append(lambda _: _draft(ctx, "planning", admission.by, detail))
    return replace(admission, run=begun.id)


@contextmanager
def ends(ctx: ReleaseContext, admitted: Future[Admission]) -> Iterator[None]:
    """Records that it ended without a plan, unless that is recorded as a refusal or failure (`record.refusals`)."""
    try:
        yield
    except (Refused, StageFailed):
        raise
    except (OrchestrateError, OSError) as found:
        error = of_system(found) if isinstance(found, OSError) else found
        if admitted.exception() is None:
            _aborted(ctx, admitted.result(), error)
        raise error from None
    except KeyboardInterrupt:
        if admitted.done() and admitted.exception() is None:
            _aborted(ctx, admitted.result(), Interrupted("it was interrupted"))
        raise


def _aborted(ctx: ReleaseContext, admission: Admission, error: OrchestrateError) -> None:
    detail = {RUN: admission.run, "reason": ctx.masker(error.message)[:1000], "exit_code": error.exit_code}
    try:
        ctx.chain.append(lambda _: _draft(ctx, "aborted", admission.by, detail))
    except OrchestrateError as failure:
        ctx.progress(f"Note: that this plan has ended could not be recorded: {failure.message}")


def _draft(ctx: ReleaseContext, kind: Kind, by: str, detail: Mapping[str, object]) -> Draft:
    return Draft(kind, str(ctx.release.tag), ctx.release.commit, by, None, dict(detail))
