"""What is refused is recorded, in one place, whichever stage refused it; and so is a plan that failed.

A refusal stands whether or not it can be recorded: who may not write to the ledger is told so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Concatenate, Literal, ParamSpec, TypeAlias, TypeVar

from orchestrator.effects.git import Repository
from orchestrator.errors import OrchestrateError, Refused, StageFailed
from orchestrator.model.ledger import Draft, History, Kind
from orchestrator.stages.surroundings import Surroundings

Action: TypeAlias = Literal["plan", "approve", "apply", "recover", "rollback", "adopt"]

_LONGEST = 1000

_P = ParamSpec("_P")
_Result = TypeVar("_Result")
_Stage: TypeAlias = Callable[Concatenate[Surroundings, _P], _Result]


class _SaidBefore(Exception):
    """The newest entry says exactly the same: somebody asks again and again."""


def recorded(action: Action) -> Callable[[_Stage[_P, _Result]], _Stage[_P, _Result]]:
    """For a stage: what it refuses is recorded for its target, and then raised as ever."""

    def decorate(stage: _Stage[_P, _Result]) -> _Stage[_P, _Result]:
        @wraps(stage)
        def run(at: Surroundings, /, *args: _P.args, **kwargs: _P.kwargs) -> _Result:
            try:
                return stage(at, *args, **kwargs)
            except (Refused, StageFailed) as error:
                kind = _kind(action, error)
                if kind is not None:
                    _record(at, kind, action, error)
                raise

        return run

    return decorate


def _kind(action: Action, error: OrchestrateError) -> Kind | None:
    """An apply records its own end; a plan that failed has left nothing else."""
    if isinstance(error, Refused):
        return "refused"
    return "stopped" if action == "plan" else None


def _record(at: Surroundings, kind: Kind, action: Action, error: OrchestrateError) -> None:
    release = at.release
    detail = {"action": action, "reason": at.masker(error.message)[:_LONGEST], "exit_code": error.exit_code}

    def decide(history: History) -> Draft:
        planned = history.newest("planned", tag=str(release.tag)) if action != "plan" else None
        digest = planned.digest if planned is not None else None
        draft = Draft(kind, str(release.tag), release.commit, by, digest, detail)
        last = history.last
        if last is not None and all(getattr(last, name) == getattr(draft, name) for name in draft.__struct_fields__):
            raise _SaidBefore
        return draft

    try:
        by = at.identify()
        at.ledger.append(release.target.id, decide)
    except _SaidBefore:
        pass
    except OrchestrateError as failure:
        at.progress(f"Note: that this was refused could not be recorded: {failure.message}")


@contextmanager
def of_tag(repository: Repository, tag: str, rules_ref: str | None, tell: Callable[[str], None]) -> Iterator[None]:
    """While a tag is resolved: what is refused then has no release yet, only a name."""
    try:
        yield
    except Refused as error:
        _record_tag(repository, tag, rules_ref, tell, error)
        raise


def _record_tag(
    repository: Repository, tag: str, rules_ref: str | None, tell: Callable[[str], None], error: Refused
) -> None:
    from orchestrator.model.tag import Tag
    from orchestrator.stages.submit import books, record

    try:
        rules = repository.rules(repository.rules_commit(rules_ref))
        detail = {"action": "resolve", "reason": error.message[:_LONGEST], "exit_code": error.exit_code}
        record(books(rules, Tag.parse(tag).env, tag), "refused", tag, detail)
    except OrchestrateError as failure:
        tell(f"Note: that this was refused could not be recorded: {failure.message}")
