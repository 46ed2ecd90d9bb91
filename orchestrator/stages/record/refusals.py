"""What is refused is recorded, in one place, whichever stage refused it; and so is a plan that failed.

A refusal stands whether or not it can be recorded: who may not write to the ledger is told so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Concatenate, Literal, ParamSpec, TypeAlias, TypeVar

from orchestrator.effects.git.repository import Repository
from orchestrator.errors import OrchestrateError, Refused, StageFailed
from orchestrator.model.ledger.ledger import Draft, History, Kind
from orchestrator.model.rules.tag import Tag
from orchestrator.model.text.progress import Progress
from orchestrator.stages.context.context import ReleaseContext
from orchestrator.stages.record.writer import LedgerWriter, append_once, ledger_writer

Action: TypeAlias = Literal["resolve", "promote", "plan", "approve", "apply", "recover", "adopt"]

_LONGEST = 1000

_P = ParamSpec("_P")
_Result = TypeVar("_Result")
_Stage: TypeAlias = Callable[Concatenate[ReleaseContext, _P], _Result]


def recorded(action: Action) -> Callable[[_Stage[_P, _Result]], _Stage[_P, _Result]]:
    """For a stage: what it refuses is recorded for its target, and then raised as ever."""

    def decorate(stage: _Stage[_P, _Result]) -> _Stage[_P, _Result]:
        @wraps(stage)
        def run(ctx: ReleaseContext, /, *args: _P.args, **kwargs: _P.kwargs) -> _Result:
            try:
                return stage(ctx, *args, **kwargs)
            except (Refused, StageFailed) as error:
                kind = _kind(action, error)
                if kind is not None:
                    _record(ctx, kind, action, error)
                raise

        return run

    return decorate


def _kind(action: Action, error: OrchestrateError) -> Kind | None:
    """An apply records its own end; a plan that failed has left nothing else."""
    if isinstance(error, Refused):
        return "refused"
    return "stopped" if action == "plan" else None


def _record(ctx: ReleaseContext, kind: Kind, action: Action, error: OrchestrateError) -> None:
    release = ctx.release
    detail = {"action": action, "reason": ctx.masker(error.message)[:_LONGEST], "exit_code": error.exit_code}

    def decide(history: History) -> Draft:
        planned = history.newest("planned", tag=str(release.tag)) if action != "plan" else None
        digest = planned.digest if planned is not None else None
        return Draft(kind, str(release.tag), release.commit, by, digest, detail)

    try:
        by = ctx.identify()
        append_once(ctx.chain.append, decide)
    except OrchestrateError as failure:
        ctx.progress(f"Note: that this was refused could not be recorded: {failure.message}")


@contextmanager
def of_tag(repository: Repository, tag: str, rules_ref: str | None, tell: Progress) -> Iterator[None]:
    """While a tag is resolved: what is refused then has no release yet, only a name."""

    def where() -> LedgerWriter:
        rules = repository.rules(repository.rules_commit(rules_ref))
        return ledger_writer(rules, Tag.parse(tag).env, tag)

    with of_name(tag, "resolve", where, tell):
        yield


@contextmanager
def of_name(
    tag: str, action: Action, where: Callable[[], LedgerWriter], tell: Progress, commit: str = ""
) -> Iterator[None]:
    """What is refused of a tag that is not a release, or not yet, is recorded there, and then raised as ever."""
    try:
        yield
    except Refused as error:
        detail = {"action": action, "reason": error.message[:_LONGEST], "exit_code": error.exit_code}
        try:
            where().refuse(tag, detail, commit)
        except OrchestrateError as failure:
            tell(f"Note: that this was refused could not be recorded: {failure.message}")
        raise
