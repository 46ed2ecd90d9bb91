"""What the stores must be like, and what counts as a difference."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.rules.backend import stores
from orchestrator.model.rules.config import State
from orchestrator.model.stores.settings import (
    BucketSettings,
    StoreSettings,
    differences,
    each,
    lifecycle_rules,
    merged_policy,
    policy_statements,
    statements,
    wanted_bucket,
    wanted_key,
    wanted_table,
)

ACCOUNT = "000000000000"
STATE = StoreSettings("state_bucket", "acme-tf-dev", "dev", "us-east-1", ACCOUNT)
RELEASES = StoreSettings("release_bucket", "acme-tf-releases-dev", "dev", "us-east-1", ACCOUNT)
KEY = "arn:aws:kms:us-east-1:000000000000:key/1"

sids = st.sampled_from(["OrchestrateTlsOnly", "Audit", "Backup", "Read"])
words = st.sampled_from(["s3:GetObject", "s3:*", "*", "arn:aws:s3:::acme"])
statement = st.fixed_dictionaries(
    {"Effect": st.sampled_from(["Allow", "Deny"]), "Action": words | st.lists(words, min_size=1)},
    optional={"Sid": sids, "Resource": words | st.lists(words, min_size=1), "Principal": st.just({"AWS": "*"})},
)
documents = st.lists(statement, max_size=5).map(lambda found: {"Version": "2012-10-17", "Statement": found})


def names(kind: str, **settings: Any) -> list[tuple[str, str]]:
    state = State(prefix="acme-tf", region="us-east-1", **settings)
    return [(store.kind, store.name) for store in each(stores(state, kind, "us-east-1"), ACCOUNT)]


def test_the_key_comes_first() -> None:
    assert names("dev") == [
        ("kms_key", "alias/acme-tf-dev"),
        ("state_bucket", "acme-tf-dev"),
        ("lock_table", "acme-tf-lock-dev"),
        ("release_bucket", "acme-tf-releases-dev"),
        ("ledger_table", "acme-tf-ledger-dev"),
    ]


def test_there_is_no_key_and_no_lock_table_where_none_is_used() -> None:
    kinds = [kind for kind, _ in names("dev", locking="s3", encryption="s3")]
    assert kinds == ["state_bucket", "release_bucket", "ledger_table"]


def test_a_store_is_named_for_people() -> None:
    assert str(STATE) == "state bucket acme-tf-dev"
    assert str(replace(STATE, kind="kms_key", name="alias/x")) == "KMS key alias/x"


def test_nothing_differs_from_itself() -> None:
    assert differences(wanted_bucket(STATE, KEY), wanted_bucket(STATE, KEY)) == ()
    assert differences(wanted_table(STATE, KEY), wanted_table(STATE, KEY)) == ()
    assert differences(wanted_key(STATE), wanted_key(STATE)) == ()


@pytest.mark.parametrize("setting", [field.name for field in fields(BucketSettings) if field.name != "object_lock"])
def test_every_setting_of_a_bucket_that_is_gone_differs(setting: str) -> None:
    wanted = wanted_bucket(RELEASES, KEY)
    nothing: Any = "" if isinstance(getattr(wanted, setting), str) else {}
    (found,) = differences(wanted, replace(wanted, **{setting: nothing}))
    assert (found.setting, found.found) == (setting, "none")
    assert found.wanted != "none"


def test_differences_come_in_the_order_of_mending() -> None:
    wanted = wanted_bucket(RELEASES, KEY)
    found = differences(wanted, replace(wanted, tags={}, versioning="Suspended", object_lock="", ownership=""))
    assert [d.setting for d in found] == ["ownership", "versioning", "object_lock", "tags"]


def test_a_difference_tells_both_sides_of_what_differs_and_nothing_else() -> None:
    wanted = wanted_bucket(STATE, KEY)
    block = {**wanted.public_access_block, "BlockPublicAcls": False}
    (found,) = differences(wanted, replace(wanted, public_access_block=block, tags={**wanted.tags, "cost": "42"}))
    assert (found.wanted, found.found) == ('{"BlockPublicAcls": true}', '{"BlockPublicAcls": false}')
    (off,) = differences(wanted_key(STATE), replace(wanted_key(STATE), rotation=False))
    assert (off.wanted, off.found) == ("on", "off")


def test_a_lifecycle_rule_of_somebody_else_differs() -> None:
    wanted = wanted_bucket(STATE, KEY)
    rule = {"ID": "save-money", "Status": "Enabled", "Expiration": {"Days": 1}}
    (found,) = differences(wanted, replace(wanted, lifecycle={**wanted.lifecycle, "save-money": rule}))
    assert (found.setting, found.wanted) == ("lifecycle", "none")
    assert "save-money" in found.found


def test_a_key_of_the_table_that_is_not_ours_differs() -> None:
    wanted = wanted_table(replace(STATE, kind="lock_table"), None)
    (found,) = differences(wanted, replace(wanted, keys={**wanted.keys, "sort": "RANGE S"}))
    assert found.setting == "keys"


def test_the_saved_plans_of_the_release_bucket_do_not_stay_as_old_versions() -> None:
    """Their own rule must end their old versions: the bucket-wide one keeps the newest for good."""
    (plans,) = set(wanted_bucket(RELEASES, None).lifecycle) - set(wanted_bucket(STATE, None).lifecycle)
    rule: Any = wanted_bucket(RELEASES, None).lifecycle[plans]
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}


@pytest.mark.parametrize("written", [{}, {"Filter": {}}, {"Filter": {"Prefix": ""}}])
def test_a_filter_for_the_whole_bucket_has_one_form(written: dict[str, object]) -> None:
    assert lifecycle_rules([{"ID": "all", **written}]) == {"all": {"ID": "all", "Filter": {"Prefix": ""}}}


def test_aws_may_write_a_statement_in_another_form() -> None:
    ours: Any = wanted_bucket(STATE, None).policy["OrchestrateTlsOnly"]
    other = {
        **ours,
        "Principal": {"AWS": ["*"]},
        "Action": ["s3:*"],
        "Resource": list(reversed(ours["Resource"])),
        "Condition": {"Bool": {"aws:SecureTransport": [False]}},
    }
    assert policy_statements(json.dumps({"Statement": other})) == {"OrchestrateTlsOnly": ours}


def test_a_weaker_statement_of_the_same_name_differs() -> None:
    wanted = wanted_bucket(STATE, None)
    weaker = {**dict(wanted.policy["OrchestrateTlsOnly"]), "NotAction": "s3:GetObject"}  # type: ignore[call-overload]
    (found,) = differences(wanted, replace(wanted, policy={"OrchestrateTlsOnly": weaker}))
    assert found.setting == "policy"


def test_there_may_be_no_policy() -> None:
    assert policy_statements(None) == {}
    assert json.loads(merged_policy(None, {"A": {"Sid": "A"}})) == {
        "Version": "2012-10-17",
        "Statement": [{"Sid": "A"}],
    }


@given(documents)
def test_merging_holds_what_is_wanted_and_keeps_the_others_as_they_are(document: dict[str, Any]) -> None:
    wanted = wanted_bucket(STATE, None)
    merged = json.loads(merged_policy(json.dumps(document), wanted.policy))
    others = [found for found in document["Statement"] if found.get("Sid") not in wanted.policy]
    assert merged["Statement"][: len(others)] == others
    assert len(merged["Statement"]) == len(others) + 1
    found = replace(wanted, policy=policy_statements(json.dumps(merged)))
    assert differences(wanted, found) == ()


@given(documents)
def test_merging_twice_changes_nothing_more(document: dict[str, Any]) -> None:
    wanted = wanted_bucket(STATE, None).policy
    once = merged_policy(json.dumps(document), wanted)
    assert merged_policy(once, wanted) == once


@given(st.lists(statement, max_size=4))
def test_the_form_of_statements_is_stable(found: list[dict[str, object]]) -> None:
    once = statements(found)
    assert statements(once.values()) == once  # type: ignore[arg-type]
