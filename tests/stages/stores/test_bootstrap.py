"""Which stores the rules ask for."""

from __future__ import annotations

import pytest

from orchestrator.errors import InvalidInput
from orchestrator.model.rules.rules import Rules
from orchestrator.stages.stores.bootstrap import stores_of

PROJECT = """\
state: {prefix: acme-tf, region: us-east-1, layout: regional}
tooling: {account: "000000000000"}
"""
ENVIRONMENT = """\
regions: [eu-central-1]
global_resource_deploy_from_region: us-east-1
teams: {research: {account: "%s"}}
"""
RULES = Rules.parse(
    {
        "envs/orchestrate.yaml": PROJECT,
        "envs/prod.yaml": ENVIRONMENT % ("3" * 12),
        "envs/dev.yaml": ENVIRONMENT % ("1" * 12),
    }
)


def places(*envs: str) -> list[tuple[str, str]]:
    return list(dict.fromkeys((store.env, store.region) for store in stores_of(RULES, envs)))


def test_all_environments_in_order_where_none_is_named() -> None:
    """The Region of global releases has stores as well."""
    assert places() == [(env, region) for env in ("dev", "prod") for region in ("us-east-1", "eu-central-1")]


def test_an_environment_named_twice_counts_once() -> None:
    assert stores_of(RULES, ("dev", "dev")) == stores_of(RULES, ("dev",))


def test_all_stores_are_of_the_tooling_account() -> None:
    assert {store.account for store in stores_of(RULES, ())} == {"000000000000"}


@pytest.mark.parametrize(("locking", "tables"), [("s3", 0), ("dynamodb", 1), ("both", 1)])
def test_there_is_a_lock_table_where_it_is_used(locking: str, tables: int) -> None:
    project = (
        f'state: {{prefix: acme-tf, region: us-east-1, locking: {locking}}}\ntooling: {{account: "000000000000"}}\n'
    )
    rules = Rules.parse({"envs/orchestrate.yaml": project, "envs/dev.yaml": ENVIRONMENT % ("1" * 12)})
    assert [store.kind for store in stores_of(rules, ())].count("lock_table") == tables


def test_an_unknown_environment_is_shown_fit_for_a_terminal() -> None:
    with pytest.raises(InvalidInput, match=r"there is no environment 'de\\x1b\[31mv'"):
        stores_of(RULES, ("de\x1b[31mv",))
