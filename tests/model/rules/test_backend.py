"""Names of stores and state keys: no two owners ever share one."""

from __future__ import annotations

import re
from typing import Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.rules.backend import (
    RESERVED_ENV_PREFIXES,
    backend,
    bucket_name_problems,
    state_key,
    store_region,
    stores,
)
from orchestrator.model.rules.config import State
from orchestrator.model.rules.region import PARTITIONS, REGIONS
from orchestrator.model.rules.tag import ENV_PATTERN, GLOBAL, TEAM_PATTERN

Layout = Literal["central", "regional"]
CENTRAL = State(prefix="acme", region="us-east-1")
REGIONAL = msgspec.structs.replace(CENTRAL, layout="regional")

prefixes = st.from_regex(re.compile("[a-z0-9][a-z0-9-]{0,39}"), fullmatch=True)
# Words that make names look alike are tried often: a name that ends as another begins.
tricky = st.sampled_from("dev lock ledger releases use1 use1-dev dev-global global us-east-1 a-lock dev-us".split())
envs = (st.from_regex(re.compile(ENV_PATTERN), fullmatch=True) | tricky).filter(
    lambda env: len(env) <= 16 and not env.startswith(RESERVED_ENV_PREFIXES)
)
teams = st.from_regex(re.compile(TEAM_PATTERN), fullmatch=True) | tricky
regions = st.sampled_from(PARTITIONS["aws"].split())


def names_of(state: State, env: str, region: str) -> set[tuple[str, str, str]]:
    """Kind, Region and name of everything bootstrap makes; bucket names are unique in the whole partition."""
    made = stores(state, env, store_region(state, region))
    tables = {made.ledger_table, made.lock_table} - {None}
    return {
        ("bucket", "", made.state_bucket),
        ("bucket", "", made.release_bucket),
        ("alias", made.region, str(made.kms_alias)),
        *(("table", made.region, str(table)) for table in tables),
    }


@given(
    prefixes,
    st.sampled_from(["central", "regional"]),
    st.lists(envs, min_size=2, max_size=4, unique=True),
    regions,
    regions,
)
def test_no_two_environments_share_a_store(prefix: str, layout: Layout, found: list[str], one: str, other: str) -> None:
    state = State(prefix=prefix, region="us-east-1", layout=layout)
    places = {(env, store_region(state, region)) for env in found for region in (one, other)}
    names = [names_of(state, env, region) for env, region in places]
    assert all(len(each) == 5 for each in names)
    assert len(set.union(*names)) == sum(map(len, names))


@pytest.mark.parametrize("partition", PARTITIONS)
@pytest.mark.parametrize("layout", ["central", "regional"])
def test_no_two_targets_share_a_state_in_any_region_of_any_partition(partition: str, layout: Layout) -> None:
    known = PARTITIONS[partition].split()
    state = State(prefix="acme", region=known[0], layout=layout)
    owners: dict[tuple[str, str], tuple[str, str, str]] = {}
    for env in ("dev", "prod", "a", "dev-global"):
        for team in ("research", "risk", "dev", "global", "dev-global"):
            for scope in (GLOBAL, *known):
                place = stores(state, env, store_region(state, known[0] if scope == GLOBAL else scope))
                made = backend(state, place, team, scope)
                assert owners.setdefault((made.bucket, made.key), (env, team, scope)) == (env, team, scope)
    assert len(owners) == 4 * 5 * (len(known) + 1)


@pytest.mark.slow
@given(
    st.sampled_from(["central", "regional"]),
    regions,
    st.lists(st.tuples(envs, teams, st.sampled_from([GLOBAL, *PARTITIONS["aws"].split()])), min_size=2, unique=True),
)
def test_no_two_targets_share_a_bucket_and_key(layout: Layout, home: str, found: list[tuple[str, str, str]]) -> None:
    state = State(prefix="acme", region=home, layout=layout)
    states = set()
    for env, team, scope in found:
        place = stores(state, env, store_region(state, home if scope == GLOBAL else scope))
        made = backend(state, place, team, scope)
        states.add((made.bucket, made.key))
    assert len(states) == len(found)


def test_names_of_layout_central() -> None:
    made = stores(CENTRAL, "dev", store_region(CENTRAL, "eu-central-1"))
    assert made.region == "us-east-1"
    assert (made.state_bucket, made.lock_table) == ("acme-dev", "acme-lock-dev")
    assert (made.release_bucket, made.ledger_table) == ("acme-releases-dev", "acme-ledger-dev")
    assert made.kms_alias == "alias/acme-dev"
    assert state_key(CENTRAL, "dev", "research", "us-east-1") == "research/dev-us-east-1/terraform.tfstate"
    assert state_key(CENTRAL, "dev", "research", GLOBAL) == "research/dev-global/terraform.tfstate"


def test_names_of_layout_regional() -> None:
    made = stores(REGIONAL, "dev", store_region(REGIONAL, "eu-central-1"))
    assert made.region == "eu-central-1"
    assert (made.state_bucket, made.lock_table) == ("acme-euc1-dev", "acme-euc1-lock-dev")
    assert (made.release_bucket, made.ledger_table) == ("acme-euc1-releases-dev", "acme-euc1-ledger-dev")
    assert state_key(REGIONAL, "dev", "research", "us-east-1") == "research/dev/terraform.tfstate"
    assert state_key(REGIONAL, "dev", "research", GLOBAL) == "research/dev-global/terraform.tfstate"


@pytest.mark.parametrize(
    ("locking", "table", "lock_file"),
    [("both", "acme-lock-dev", True), ("dynamodb", "acme-lock-dev", False), ("s3", None, True)],
)
def test_locking(locking: Literal["dynamodb", "s3", "both"], table: str | None, lock_file: bool) -> None:
    state = msgspec.structs.replace(CENTRAL, locking=locking)
    made = backend(state, stores(state, "dev", "us-east-1"), "research", GLOBAL)
    assert (made.dynamodb_table, made.use_lockfile, made.encrypt) == (table, lock_file, True)


def test_encryption_with_keys_of_s3_needs_no_alias() -> None:
    assert stores(msgspec.structs.replace(CENTRAL, encryption="s3"), "dev", "us-east-1").kms_alias is None


@given(prefixes, envs, st.sampled_from(REGIONS))
def test_a_bucket_name_without_problems_follows_the_rules_of_s3(prefix: str, env: str, region: str) -> None:
    for name in (
        (made := stores(State(prefix=prefix, region=region, layout="regional"), env, region)).state_bucket,
        made.release_bucket,
    ):
        if not list(bucket_name_problems(name)):
            assert re.fullmatch("[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", name)
            assert not name.startswith(("xn--", "sthree-", "amzn-s3-demo-"))
            assert not name.endswith(("-s3alias", "--ol-s3", "--x-s3", "--table-s3", "-an"))


def test_problems_of_a_bucket_name() -> None:
    assert list(bucket_name_problems("a" * 63)) == []
    assert "64 characters" in next(bucket_name_problems("a" * 64))
    assert len(list(bucket_name_problems("xn--" + "a" * 60 + "--x-s3"))) == 3
