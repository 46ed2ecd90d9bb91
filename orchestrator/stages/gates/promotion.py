"""May this commit be released here, by what has happened in the environment before?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from orchestrator.effects.aws.session import Session
from orchestrator.effects.git.repository import Repository
from orchestrator.effects.ledger.ledger import Ledger
from orchestrator.effects.system import clock
from orchestrator.errors import Refused
from orchestrator.model.ledger.ledger import History
from orchestrator.model.release.promotion import Same, objection, origins
from orchestrator.model.release.release import Release
from orchestrator.model.rules.rules import Rules
from orchestrator.model.rules.target import Target

_ENTRIES = 1000  # of the ledger; what is older than that is not looked for


@dataclass(frozen=True)
class PromotedCommit:
    """A commit that is to be released to a target."""

    repository: Repository
    aws: Session
    rules: Rules
    target: Target
    commit: str

    @staticmethod
    def of(release: Release, repository: Repository, aws: Session) -> PromotedCommit:
        return PromotedCommit(repository, aws, release.rules, release.target, release.commit)


def check_promotion(candidate: PromotedCommit) -> None:
    """Refused where the environment promotes from another one, and that one has not proved this commit."""
    rules, target = candidate.rules, candidate.target
    environment = rules.environments[target.env]
    env = environment.promote_from
    if env is None:
        return
    places = origins(rules, target)
    if not places:
        raise Refused(
            f"{target.env} is promoted from {env}, which does not have the team {target.team}",
            hint=f"Add the team to envs/{env}.yaml, and release it there first.",
        )
    now = clock.now()
    found = {
        place.scope: objection(_history(candidate, place), _same(candidate, place), environment.promotion, now)
        for place in places
    }
    if None in found.values():
        return
    why = "; ".join(f"{env}, {scope}: {reason}" for scope, reason in found.items())
    raise Refused(
        f"commit {candidate.commit[:12]} may not be released to {target.env} yet. {why}",
        hint=f"{target.env} takes only what has run in {env}: `orchestrate status --env {env} --team {target.team}`.",
    )


def _history(candidate: PromotedCommit, place: Target) -> History:
    stores = place.stores
    return Ledger(candidate.aws, stores.ledger_table, stores.region, stores.env).history(place.id, _ENTRIES)


def _same(candidate: PromotedCommit, place: Target) -> Same:
    settings = candidate.rules.environments[candidate.target.env].promotion
    if settings.same == "commit":
        return lambda commit: commit == candidate.commit
    own = _source(candidate.repository, candidate.commit, candidate.target.root)

    @cache
    def same(commit: str) -> bool:
        return commit == candidate.commit or _source(candidate.repository, commit, place.root) == own

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
