"""Names of the stores of an environment and the backend of a target, derived from the rules alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.model.rules.config import State
from orchestrator.model.rules.region import short_name
from orchestrator.model.rules.tag import GLOBAL

# Amazon S3 User Guide, "General purpose bucket naming rules".
_RESERVED_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3", "-an")
_LONGEST_BUCKET_NAME = 63

TOOLING = "tooling"
"""In the place of an environment: what the tooling keeps for itself, its own state above all."""

# An environment of such a name would make `<prefix>-<env>` equal another environment's release bucket, and so on.
RESERVED_ENV_PREFIXES = ("releases-", "lock-", "ledger-", f"{TOOLING}-")


@dataclass(frozen=True)
class Stores:
    """What bootstrap makes for one environment in one Region; `lock_table` and `kms_alias` only where used."""

    env: str
    region: str
    state_bucket: str
    lock_table: str | None
    release_bucket: str
    ledger_table: str
    kms_alias: str | None


@dataclass(frozen=True)
class Backend:
    """The settings of Terraform's `s3` backend for one target."""

    bucket: str
    key: str
    region: str
    dynamodb_table: str | None
    use_lockfile: bool
    encrypt: bool = True


def stores(state: State, env: str, region: str) -> Stores:
    """The stores of `env` in `region`; with layout central, `region` is `state.region` for every target."""
    prefix = stem(state, region)
    return Stores(
        env=env,
        region=region,
        state_bucket=f"{prefix}-{env}",
        lock_table=f"{prefix}-lock-{env}" if state.locking != "s3" else None,
        release_bucket=f"{prefix}-releases-{env}",
        ledger_table=f"{prefix}-ledger-{env}",
        kms_alias=f"alias/{prefix}-{env}" if state.encryption == "kms" else None,
    )


def stem(state: State, region: str) -> str:
    """What the names of everything in the tooling account begin with, for the tooling of that Region."""
    return state.prefix if state.layout == "central" else f"{state.prefix}-{short_name(region)}"


def store_region(state: State, provider_region: str) -> str:
    """Where a target of that provider Region keeps its state."""
    return state.region if state.layout == "central" else provider_region


def state_key(state: State, env: str, team: str, scope: str) -> str:
    """The key of the target's state object; unique within its bucket."""
    where = env if state.layout == "regional" and scope != GLOBAL else f"{env}-{scope}"
    return f"{team}/{where}/terraform.tfstate"


def backend(state: State, place: Stores, team: str, scope: str) -> Backend:
    return Backend(
        bucket=place.state_bucket,
        key=state_key(state, place.env, team, scope),
        region=place.region,
        dynamodb_table=place.lock_table,
        use_lockfile=state.locking != "dynamodb",
    )


def bucket_name_problems(name: str) -> Iterator[str]:
    """What S3 would refuse in a bucket name built from valid parts."""
    if len(name) > _LONGEST_BUCKET_NAME:
        yield f"the bucket name {name} has {len(name)} characters, S3 allows {_LONGEST_BUCKET_NAME}"
    for prefix in _RESERVED_PREFIXES:
        if name.startswith(prefix):
            yield f"the bucket name {name} begins with {prefix}, which S3 reserves"
    for suffix in _RESERVED_SUFFIXES:
        if name.endswith(suffix):
            yield f"the bucket name {name} ends with {suffix}, which S3 reserves"
