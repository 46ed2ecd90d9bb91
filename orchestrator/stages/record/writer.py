"""Where something of a tag is recorded that is not a release (yet): its name may be all that is known of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from orchestrator.effects.aws.session import Session
from orchestrator.effects.ledger.ledger import Ledger, fit_to_keep
from orchestrator.errors import InvalidInput
from orchestrator.model.ledger.ledger import Draft, Entry, History, Kind
from orchestrator.model.rules import tooling
from orchestrator.model.rules.backend import stores
from orchestrator.model.rules.rules import Rules
from orchestrator.model.rules.tag import Tag
from orchestrator.model.rules.target import locate
from orchestrator.stages.context.selection import REFUSED

_LONGEST = 200


@dataclass(frozen=True)
class LedgerWriter:
    """The environment's ledger, the target's part of it, and who writes."""

    ledger: Ledger
    target: str
    by: str

    def record(self, kind: Kind, tag: str, detail: Mapping[str, object]) -> None:
        """Always, also what was said before: who has asked for it waits for an answer of their own."""
        self.ledger.append(self.target, lambda _: self._draft(kind, tag, detail))

    def refuse(self, tag: str, detail: Mapping[str, object], commit: str) -> None:
        """Adds a refusal, unless the newest entry says exactly the same."""
        append_once(partial(self.ledger.append, self.target), lambda _: self._draft("refused", tag, detail, commit))

    def _draft(self, kind: Kind, tag: str, detail: Mapping[str, object], commit: str = "") -> Draft:
        return Draft(kind, tag[:_LONGEST], commit, self.by, None, dict(detail))


def ledger_writer(rules: Rules, env: str, tag: str) -> LedgerWriter:
    region, target = _place(rules, env, tag)
    place = stores(rules.project.state, env, region)
    aws = Session(rules.project.state.region)
    by = aws.require_account(rules.project.tooling.account).arn
    return LedgerWriter(Ledger.of(aws, place, rules.project), target, by)


def _place(rules: Rules, env: str, tag: str) -> tuple[str, str]:
    """Region of the ledger, and the target; what names no target is kept with the environment's global resources."""
    try:
        found = locate(Tag.parse(tag), rules)
    except InvalidInput:
        found = None
    if found is None or found.env != env:
        return tooling.regions_of_environment(rules, env)[0], REFUSED
    return found.stores.region, found.id


class _SaidBefore(Exception):
    """The newest entry says exactly the same: somebody asks again and again."""


def append_once(append: Callable[[Callable[[History], Draft]], Entry], decide: Callable[[History], Draft]) -> None:
    """Adds an entry, unless the newest one says exactly the same."""

    def unless_said(history: History) -> Draft:
        draft = fit_to_keep(decide(history))
        if history.last is not None and history.last.draft.under(None) == draft:
            raise _SaidBefore
        return draft

    with contextlib.suppress(_SaidBefore):
        append(unless_said)
