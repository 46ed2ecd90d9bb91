"""What the stages of one release work with, besides values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from orchestrator.effects.aws.objects import Bucket
from orchestrator.effects.aws.session import CallerIdentity, Session
from orchestrator.effects.git.repository import Repository
from orchestrator.effects.ledger.answers import Answers
from orchestrator.effects.ledger.lease import Leases, length
from orchestrator.effects.ledger.ledger import Ledger
from orchestrator.effects.ledger.target_chain import TargetChain
from orchestrator.effects.system import outlet
from orchestrator.effects.system.cache import Cache, cache_folder
from orchestrator.errors import Refused
from orchestrator.model.approval.approval import Answer
from orchestrator.model.audit.evidence import TagPin
from orchestrator.model.release.admission import MAKE_NEW, repointed
from orchestrator.model.release.release import Release
from orchestrator.model.text.masking import Masker, secrets_of_environment
from orchestrator.model.text.progress import Progress


@dataclass(frozen=True)
class ReleaseContext:
    """The effects of one release: its repository, AWS in the tooling account, the caches, and a listener."""

    release: Release
    repository: Repository
    env: Mapping[str, str]
    progress: Progress
    vouched: tuple[Answer, ...] = ()
    """Answers to the plan that another service of AWS than IAM vouches for; they have no user id."""

    @cached_property
    def aws(self) -> Session:
        return Session(self.release.rules.project.state.region)

    @cached_property
    def ledger(self) -> Ledger:
        found = Ledger.of(self.aws, self.release.target.stores, self.release.rules.project)
        return replace(found, rules_commit=self.release.rules_commit)

    @cached_property
    def chain(self) -> TargetChain:
        """The target's entries in the ledger."""
        return TargetChain(self.ledger, self.release.target.id)

    @cached_property
    def leases(self) -> Leases:
        """The deployment locks."""
        stores = self.release.target.stores
        return Leases(self.aws, stores.ledger_table, stores.region, stores.env, length(self.env))

    @cached_property
    def answers(self) -> Answers:
        """The answers of people to plans."""
        stores = self.release.target.stores
        return Answers(self.aws, stores.ledger_table, stores.region, stores.env)

    @cached_property
    def releases(self) -> Bucket:
        """The release bucket."""
        return Bucket.of_releases(self.aws, self.release.target.stores, self.release.rules.project)

    @cached_property
    def states(self) -> Bucket:
        """The state bucket."""
        stores = self.release.target.stores
        owner = self.release.rules.project.tooling.account
        return Bucket(self.aws, stores.state_bucket, stores.region, owner, stores.env)

    @cached_property
    def cache(self) -> Cache:
        return Cache(cache_folder(self.env))

    @property
    def masker(self) -> Masker:
        """Knows all that is known to be secret by now."""
        outlet.learn(secrets_of_environment(self.env))
        return outlet.masker()

    def identify(self) -> str:
        """Who we are in the tooling account (an ARN); raises where these are not its credentials."""
        return self.caller.arn

    @cached_property
    def caller(self) -> CallerIdentity:
        """As `identify`, with the id that IAM policies know as aws:userid."""
        return self.aws.require_account(self.release.rules.project.tooling.account)

    @cached_property
    def first_seen(self) -> TagPin:
        """As what the ledger has seen the tag first; noted where it has not. That never changes: it is asked once."""
        return self.ledger.first_seen(str(self.release.tag), self.release.tag_object, self.release.commit)

    def pin(self) -> None:
        """Refused where the tag was first seen at another commit, or as another tag object."""
        tag, seen, now = str(self.release.tag), self.first_seen, (self.release.tag_object, self.release.commit)
        why = repointed(tag, (seen.object, seen.commit), now)
        if why is not None:
            raise Refused(why, hint=MAKE_NEW)
