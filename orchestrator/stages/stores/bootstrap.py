"""The stores of environments: read, compared with what they must be like, made and fixed.

Safe to run twice at once: whatever another run does first is found done. One failure does not keep the other stores
from being looked after.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from orchestrator.effects.aws.session import Session
from orchestrator.effects.stores.bucket import BucketStore
from orchestrator.effects.stores.key import KeyStore
from orchestrator.effects.stores.table import TableStore
from orchestrator.errors import DependencyError, InvalidInput, OrchestrateError
from orchestrator.model.rules.backend import stores
from orchestrator.model.rules.rules import Rules, store_regions
from orchestrator.model.stores import settings as drift
from orchestrator.model.stores.settings import Difference, Settings, StoreSettings
from orchestrator.model.text.quoting import did_you_mean, quoted

_THREADS = 8

State: TypeAlias = Literal["created", "repaired", "ok", "differs", "missing", "failed"]


@dataclass(frozen=True)
class StoreResult:
    """What was found or done. `differences` have been fixed or, where `state` is differs, still stand."""

    store: StoreSettings
    state: State
    differences: tuple[Difference, ...] = ()
    error: OrchestrateError | None = None


def stores_of(rules: Rules, envs: Collection[str]) -> tuple[StoreSettings, ...]:
    """All stores of these environments, of all where none is named; InvalidInput for an unknown name."""
    for env in envs:
        if env not in rules.environments:
            hint = did_you_mean(env, rules.environments)
            raise InvalidInput(f"there is no environment {quoted(env)}", hint=hint)
    return tuple(_stores_of(rules, envs or rules.environments))


def _stores_of(rules: Rules, envs: Collection[str]) -> Iterator[StoreSettings]:
    state, account = rules.project.state, rules.project.tooling.account
    for env in sorted(set(envs)):
        for region in store_regions(state, rules.environments[env]):
            yield from drift.each(stores(state, env, region), account)


def bootstrap(
    aws: Session, wanted: Sequence[StoreSettings], *, check: bool, tell: Callable[[StoreResult], None]
) -> tuple[StoreResult, ...]:
    """Keeps the stores in order, or with `check` only looks; the outcomes are in the order of `wanted`.

    `tell` hears of each store as soon as it is done, from several threads. Raises DependencyError before anything
    is read where the credentials are of another account; what goes wrong with one store is its outcome.
    """
    for account in {store.account for store in wanted}:
        aws.require_account(account)
    keys = [store for store in wanted if store.kind == "kms_key"]
    others = [store for store in wanted if store.kind != "kms_key"]
    work = _Work(aws, check, tell)
    with ThreadPoolExecutor(_THREADS) as pool:
        outcomes = dict(zip(keys, pool.map(work.keep_key, keys), strict=True))
        key_of = {(key.env, key.region): outcome for key, outcome in outcomes.items()}
        found = pool.map(work.keep, others, [key_of.get((store.env, store.region)) for store in others])
        outcomes.update(zip(others, found, strict=True))
    return tuple(outcomes[store] for store in wanted)


class _Keeper(Protocol[Settings]):
    """What `effects.stores` has for each kind of store."""

    def inspect(self) -> Settings | None: ...
    def create(self, wanted: Settings) -> None: ...
    def repair(self, wanted: Settings, settings: Iterable[str]) -> None: ...


@dataclass(frozen=True)
class _Work:
    aws: Session
    check: bool
    tell: Callable[[StoreResult], None]

    def keep_key(self, store: StoreSettings) -> StoreResult:
        return self._told(store, lambda: self._settle(store, KeyStore(self.aws, store), drift.wanted_key(store)))

    def keep(self, store: StoreSettings, key: StoreResult | None) -> StoreResult:
        """A bucket or table, encrypted with that key; None where none is wanted."""
        return self._told(store, lambda: self._keep(store, self._key_arn(key)))

    def _told(self, store: StoreSettings, work: Callable[[], StoreResult]) -> StoreResult:
        try:
            outcome = work()
        except OrchestrateError as error:
            outcome = StoreResult(store, "failed", error=error)
        self.tell(outcome)
        return outcome

    def _key_arn(self, key: StoreResult | None) -> str | None:
        """Where a check finds no key, its alias stands for it: nothing can be encrypted with it."""
        if key is None:
            return None
        if key.error is not None:
            raise DependencyError(f"not looked after, because the {key.store} failed")
        return KeyStore(self.aws, key.store).arn() or key.store.name

    def _keep(self, store: StoreSettings, key: str | None) -> StoreResult:
        if store.kind in ("state_bucket", "release_bucket"):
            return self._settle(store, BucketStore(self.aws, store), drift.wanted_bucket(store, key))
        return self._settle(store, TableStore(self.aws, store), drift.wanted_table(store, key))

    def _settle(self, store: StoreSettings, keeper: _Keeper[Settings], wanted: Settings) -> StoreResult:
        found = keeper.inspect()
        if self.check:
            return _judged(store, wanted, found)
        if found is None:
            keeper.create(wanted)
            _mend(keeper, wanted, drift.differences(wanted, _inspect_new(store, keeper)))
            return StoreResult(store, "created")
        todo = drift.differences(wanted, found)
        _mend(keeper, wanted, todo)
        return StoreResult(store, "repaired" if todo else "ok", todo)


def _judged(store: StoreSettings, wanted: Settings, found: Settings | None) -> StoreResult:
    if found is None:
        return StoreResult(store, "missing")
    left = drift.differences(wanted, found)
    return StoreResult(store, "differs" if left else "ok", left)


def _inspect_new(store: StoreSettings, keeper: _Keeper[Settings]) -> Settings:
    found = keeper.inspect()
    if found is None:
        raise DependencyError(f"AWS does not show the {store} that it has just made", hint="Run it again.")
    return found


def _mend(keeper: _Keeper[Settings], wanted: Settings, todo: Sequence[Difference]) -> None:
    """A change fails also where another run has just made it; then nothing is left to fix."""
    try:
        keeper.repair(wanted, [difference.setting for difference in todo])
    except DependencyError:
        found = keeper.inspect()
        if found is None or drift.differences(wanted, found):
            raise
