"""Environments that are not bootstrapped yet: nothing can have happened there, so to find nothing is not a failure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.effects.aws.session import Session
from orchestrator.effects.stores.bucket import BucketStore
from orchestrator.effects.stores.table import TableStore
from orchestrator.errors import DependencyError, NotThere, OrchestrateError
from orchestrator.model.rules.backend import Stores
from orchestrator.model.rules.rules import Rules
from orchestrator.model.stores import settings
from orchestrator.model.stores.settings import StoreSettings


@dataclass(frozen=True)
class NotBootstrapped:
    """An environment without stores; `region` is None where one set of stores serves all of its Regions."""

    env: str
    region: str | None

    @property
    def command(self) -> str:
        """What makes the stores."""
        return f"orchestrate bootstrap --env {self.env}"

    def __str__(self) -> str:
        return self.env if self.region is None else f"{self.env} in {self.region}"


def not_bootstrapped(aws: Session, rules: Rules, stores: Stores, error: NotThere) -> NotBootstrapped:
    """Raises `error` where something is there: an environment that has lost its ledger must not pass for a new one."""
    project = rules.project
    wanted = settings.each(stores, project.tooling.account)
    try:
        anything = any(_exists(aws, store) for store in wanted if store.kind != "kms_key")
    except OrchestrateError:
        anything = True  # it cannot be known
    if anything:
        raise error
    return NotBootstrapped(stores.env, None if project.state.layout == "central" else stores.region)


def _exists(aws: Session, store: StoreSettings) -> bool:
    is_bucket = store.kind in ("state_bucket", "release_bucket")
    return BucketStore(aws, store).exists() if is_bucket else TableStore(aws, store).exists()


def none_bootstrapped(places: Sequence[NotBootstrapped]) -> DependencyError:
    """Where there is nothing else to tell."""
    envs = " ".join(f"--env {env}" for env in dict.fromkeys(place.env for place in places))
    return DependencyError(
        f"not bootstrapped: {', '.join(map(str, places))}", hint=f"Run `orchestrate bootstrap {envs}`."
    )
