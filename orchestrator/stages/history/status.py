"""Which version runs where, and what happened when: the ledger of every target."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Literal

from orchestrator.effects.aws.session import Session
from orchestrator.effects.ledger.answers import Answers
from orchestrator.effects.ledger.ledger import Ledger
from orchestrator.errors import DependencyError, NotThere
from orchestrator.model.approval.approval import Answer, is_recorded
from orchestrator.model.approval.break_glass import BrokenGlass
from orchestrator.model.ledger.ledger import Entry, History
from orchestrator.model.release.admission import withdraws
from orchestrator.model.release.recovery import Leftovers
from orchestrator.model.rules.backend import Stores
from orchestrator.model.rules.rules import Rules
from orchestrator.model.rules.tag import Tag
from orchestrator.model.rules.target import Target
from orchestrator.stages.approval.follow_up import open_follow_ups
from orchestrator.stages.context.selection import Selection
from orchestrator.stages.history.bootstrapped import NotBootstrapped, none_bootstrapped, not_bootstrapped
from orchestrator.stages.recovery.interrupted import leftovers

_AT_ONCE = 16


@dataclass(frozen=True)
class TargetStatus:
    """`runs` is the newest applied entry; `state` says what stands after it."""

    target: Target
    runs: Entry | None
    newest: Entry | None
    state: Literal[
        "never released",
        "adopted",
        "running",
        "apply unfinished",
        "last apply failed",
        "recovered, to be planned again",
        "plan waiting",
    ]
    interrupted: Leftovers | None = None
    """What runs have left that began and of which no end is recorded."""

    follow_ups: tuple[BrokenGlass, ...] = ()
    """Broken glass of which nobody has said yet what came of it."""

    @property
    def version(self) -> str | None:
        return None if self.runs is None else str(Tag.parse(self.runs.tag).version)


@dataclass(frozen=True)
class TargetHistory:
    """The newest entries of a target, and what people have said to its waiting plan that is not among them yet."""

    target: Target
    history: History
    answers: tuple[Answer, ...]
    follow_ups: tuple[BrokenGlass, ...]


@dataclass(frozen=True)
class Statuses:
    """Of each target, in the order of `orchestrate targets`; `failed` has an error for each place that has none."""

    found: Sequence[TargetStatus]
    not_bootstrapped: Sequence[NotBootstrapped]
    failed: Sequence[DependencyError]


def status(rules: Rules, selection: Selection) -> Statuses:
    """An environment that cannot be read, or is not bootstrapped yet, hides no other.

    Raises DependencyError where none can be read.
    """
    targets = selection.of(rules)
    aws = Session(rules.project.state.region)
    aws.require_account(rules.project.tooling.account)
    found: dict[Target, TargetStatus] = {}
    new: list[NotBootstrapped] = []
    failed: list[DependencyError] = []
    for stores in dict.fromkeys(target.stores for target in targets):
        try:
            answer = _place(aws, rules, stores, [target for target in targets if target.stores == stores])
        except DependencyError as error:
            failed.append(error)
            continue
        if isinstance(answer, NotBootstrapped):
            new.append(answer)
        else:
            found.update((status.target, status) for status in answer)
    if not found:
        raise failed[0] if failed else none_bootstrapped(new)
    return Statuses([found[target] for target in targets if target in found], new, failed)


def _place(
    aws: Session, rules: Rules, stores: Stores, targets: Sequence[Target]
) -> list[TargetStatus] | NotBootstrapped:
    try:
        return _statuses(aws, rules, targets)
    except NotThere as error:
        return not_bootstrapped(aws, rules, stores, error)


def _statuses(aws: Session, rules: Rules, targets: Sequence[Target]) -> list[TargetStatus]:
    return [
        replace(_status(found, leftovers(aws, rules, found.target, found.history)), follow_ups=found.follow_ups)
        for found in _histories(aws, targets)
    ]


def _histories(aws: Session, targets: Sequence[Target]) -> Sequence[TargetHistory]:
    """The newest entries of each target."""

    def read(target: Target) -> TargetHistory:
        stores = target.stores
        place = (aws, stores.ledger_table, stores.region, stores.env)
        history, answers = Ledger(*place).history(target.id), Answers(*place)
        return TargetHistory(target, history, _answers(answers, history), open_follow_ups(answers, history))

    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        return list(pool.map(read, targets))


def _at_rest(history: History) -> Literal["never released", "adopted", "running"]:
    if history.newest("applied") is not None:
        return "running"
    return "never released" if history.newest("adopted") is None else "adopted"


def _answers(answers: Answers, history: History) -> tuple[Answer, ...]:
    waiting = withdraws(history)
    given = answers.of(waiting) if waiting is not None else ()
    return tuple(answer for answer in given if not is_recorded(history, answer))


def _status(found: TargetHistory, left: Leftovers | None) -> TargetStatus:
    target, history = found.target, found.history
    runs = history.newest("applied")
    newest = history.newest("planned", "applying", "applied", "failed", "recovered", "rejected")
    after = newest.kind if newest is not None else None
    if after == "applying":
        return TargetStatus(target, runs, newest, "apply unfinished", left)
    if after == "failed":
        return TargetStatus(target, runs, newest, "last apply failed", left)
    if after == "recovered" and newest is not None and newest.digest is not None:
        return TargetStatus(target, runs, newest, "recovered, to be planned again", left)
    if after == "planned" and not any(answer.kind == "rejected" for answer in found.answers):
        return TargetStatus(target, runs, newest, "plan waiting", left)
    return TargetStatus(target, runs, newest, _at_rest(history), left)
