"""May this commit be released here, by what has happened in the environment before?"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from orchestrator.effects.system import clock
from orchestrator.model.ledger.ledger import History
from orchestrator.model.release.promotion import Same, objection, origins
from orchestrator.model.rules.target import Target
from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.gate import Gate, Reason

if TYPE_CHECKING:
    from orchestrator.effects.git.repository import Repository

_ENTRIES = 1000  # of the ledger; what is older than that is not looked for


def check(asked: GateContext) -> Reason | None:
    """A rollback returns to what ran here: it need not have run elsewhere."""
    rules, target, env = asked.release.rules, asked.release.target, asked.environment.promote_from
    if env is None or _goes_back(asked):
        return None
    places = origins(rules, target)
    if not places:
        return Reason(
            f"{target.env} is promoted from {env}, which does not have the team {target.team}",
            f"Add the team to envs/{env}.yaml, and release it there first.",
        )
    settings, now = asked.environment.promotion, clock.now()
    found = {place.scope: objection(_history(asked, place), _same(asked, place), settings, now) for place in places}
    if None in found.values():
        return None
    why = "; ".join(f"{env}, {scope}: {reason}" for scope, reason in found.items())
    return Reason(
        f"commit {asked.release.commit[:12]} may not be released to {target.env} yet. {why}",
        f"{target.env} takes only what has run in {env}: `orchestrate status --env {env} --team {target.team}`.",
    )


def _goes_back(asked: GateContext) -> bool:
    """Before a plan the ledger tells; afterwards it is the plan that says so."""
    if asked.moment == "promote":
        return False
    return (asked.rollback if asked.moment == "plan" else asked.receipt.rollback) is not None


def _history(asked: GateContext, place: Target) -> History:
    from orchestrator.effects.ledger.ledger import Ledger

    stores = place.stores
    return Ledger(asked.identified.aws, stores.ledger_table, stores.region, stores.env).history(place.id, _ENTRIES)


def _same(asked: GateContext, place: Target) -> Same:
    own_commit = asked.release.commit
    if asked.environment.promotion.same == "commit":
        return lambda commit: commit == own_commit
    own = _source(asked.repository, own_commit, asked.release.target.root)

    @cache
    def same(commit: str) -> bool:
        return commit == own_commit or _source(asked.repository, commit, place.root) == own

    return same


def _source(repository: Repository, commit: str, root: str) -> str:
    """Of every file that the root uses, modules beside it included; variable files differ between environments."""
    from orchestrator.effects.git.files import CommitFiles
    from orchestrator.stages.checks.subject import CheckTarget, source_digest, top_path

    files = CommitFiles.of(repository, commit)
    subject = CheckTarget(
        files, files, top_path(repository.in_project(root)), project=top_path(repository.prefix.as_posix())
    )
    return source_digest(subject, subject.coverage(var_files=False))


GATE = Gate(
    310,
    "promotion",
    ("plan", "apply", "begin", "promote"),
    "the commit has run in the environment before, long enough and verified",
    check,
    ("promote_from", "promotion"),
)
