"""Tables in the sandbox: what is wrong with one is seen, and fixed without touching the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from orchestrator.effects.aws.session import Session
from orchestrator.effects.stores.table import TableStore
from orchestrator.errors import Refused
from orchestrator.model.stores.settings import StoreSettings, TableSettings, differences, wanted_table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LOCKS = StoreSettings("lock_table", "acme-tf-lock-dev", "dev", "us-east-1", "000000000000")
LEDGER = StoreSettings("ledger_table", "acme-tf-ledger-dev", "dev", "us-east-1", "000000000000")
KEY = "arn:aws:kms:us-east-1:000000000000:key/1"

Spoil = Callable[["DynamoDBClient", str], object]


def make(aws: Session, store: StoreSettings, key: str | None = KEY) -> tuple[TableStore, TableSettings]:
    table, wanted = TableStore(aws, store), wanted_table(store, key)
    table.create(wanted)
    table.repair(wanted, left(table, wanted))
    assert not left(table, wanted)
    return table, wanted


def left(table: TableStore, wanted: TableSettings) -> list[str]:
    found = table.inspect()
    assert found is not None
    return [difference.setting for difference in differences(wanted, found)]


def stop_backups(dynamodb: DynamoDBClient, name: str) -> object:
    off: Any = {"PointInTimeRecoveryEnabled": False}
    return dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=off)


def pay_for_capacity(dynamodb: DynamoDBClient, name: str) -> object:
    capacity: Any = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
    return dynamodb.update_table(TableName=name, BillingMode="PROVISIONED", ProvisionedThroughput=capacity)


def encrypt_with_another_key(dynamodb: DynamoDBClient, name: str) -> object:
    other: Any = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": KEY[:-1] + "2"}
    return dynamodb.update_table(TableName=name, SSESpecification=other)


def untag(dynamodb: DynamoDBClient, name: str) -> object:
    arn = dynamodb.describe_table(TableName=name)["Table"]["TableArn"]
    return dynamodb.untag_resource(ResourceArn=arn, TagKeys=["orchestrate:env"])


DRIFT: list[tuple[str, Spoil]] = [
    ("deletion_protection", lambda db, name: db.update_table(TableName=name, DeletionProtectionEnabled=False)),
    ("billing", pay_for_capacity),
    ("encryption", lambda db, name: db.update_table(TableName=name, SSESpecification={"Enabled": False})),
    ("encryption", encrypt_with_another_key),
    ("point_in_time_recovery", stop_backups),
    ("tags", untag),
]


@pytest.mark.parametrize(("setting", "spoil"), DRIFT)
def test_each_drift_is_seen_and_mended(aws: Session, setting: str, spoil: Spoil) -> None:
    table, wanted = make(aws, LOCKS)
    spoil(aws.client("dynamodb"), LOCKS.name)
    assert left(table, wanted) == [setting]
    table.repair(wanted, [setting])
    assert left(table, wanted) == []


def drop_index(dynamodb: DynamoDBClient, name: str) -> object:
    return dynamodb.update_table(TableName=name, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "answers"}}])


def test_a_ledger_without_its_index_gets_it(aws: Session) -> None:
    """As one that an earlier version has made."""
    table, wanted = make(aws, LEDGER)
    drop_index(aws.client("dynamodb"), LEDGER.name)
    assert left(table, wanted) == ["indexes"]
    table.repair(wanted, ["indexes"])
    assert left(table, wanted) == []


def test_an_index_with_other_keys_is_not_touched(aws: Session) -> None:
    table, wanted = make(aws, LEDGER)
    other = replace(wanted, indexes={"answers": "pk HASH S, KEYS_ONLY"})
    assert [difference.setting for difference in differences(other, wanted)] == ["indexes"]
    with pytest.raises(Refused, match="has an index answers with other keys"):
        table.repair(other, ["indexes"])


def test_there_is_none(aws: Session) -> None:
    assert TableStore(aws, LOCKS).inspect() is None


def test_creating_twice_is_harmless(aws: Session) -> None:
    table, wanted = make(aws, LEDGER)
    table.create(wanted)
    assert left(table, wanted) == []


def test_the_lock_table_has_the_key_that_terraform_asks_for(aws: Session) -> None:
    make(aws, LOCKS)
    found = aws.client("dynamodb").describe_table(TableName=LOCKS.name)["Table"]
    assert found["KeySchema"] == [{"AttributeName": "LockID", "KeyType": "HASH"}]
    assert found["AttributeDefinitions"] == [{"AttributeName": "LockID", "AttributeType": "S"}]


def test_without_a_key_of_our_own_the_account_has_one(aws: Session) -> None:
    table, wanted = make(aws, LEDGER, key=None)
    found = table.inspect()
    assert found is not None
    assert "alias/aws/dynamodb" in [a["AliasName"] for a in aws.client("kms").list_aliases()["Aliases"]]
    aws.client("dynamodb").update_table(TableName=LEDGER.name, SSESpecification={"Enabled": False})
    assert left(table, wanted) == ["encryption"]
    table.repair(wanted, ["encryption"])
    assert left(table, wanted) == []


@pytest.mark.parametrize("keys", [("ID",), ("LockID", "sort")])
def test_a_table_with_other_keys_is_refused_and_left_alone(aws: Session, keys: tuple[str, ...]) -> None:
    roles = ("HASH", "RANGE")
    schema: Any = [{"AttributeName": key, "KeyType": role} for key, role in zip(keys, roles, strict=False)]
    aws.client("dynamodb").create_table(
        TableName=LOCKS.name,
        KeySchema=schema,
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        BillingMode="PAY_PER_REQUEST",
    )
    table, wanted = TableStore(aws, LOCKS), wanted_table(LOCKS, KEY)
    before = table.inspect()
    with pytest.raises(Refused, match="exists with other keys than LockID"):
        table.repair(wanted, left(table, wanted))
    assert table.inspect() == before
