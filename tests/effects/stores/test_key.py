"""Keys in the sandbox: the alias decides which key it is, and no key that anybody used is lost."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from orchestrator.effects.aws.session import Session
from orchestrator.effects.stores.key import KeyStore
from orchestrator.errors import Refused
from orchestrator.model.stores.settings import KeySettings, StoreSettings, differences, wanted_key

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

STORE = StoreSettings("kms_key", "alias/acme-tf-dev", "dev", "us-east-1", "000000000000")
WANTED = wanted_key(STORE)

Spoil = Callable[["KMSClient", str], object]


def make(aws: Session) -> tuple[KeyStore, str]:
    """The key and its id."""
    key = KeyStore(aws, STORE)
    key.create(WANTED)
    key.repair(WANTED, left(key))
    assert not left(key)
    return key, key_id(aws)


def key_id(aws: Session) -> str:
    return aws.client("kms").describe_key(KeyId=STORE.name)["KeyMetadata"]["KeyId"]


def states(aws: Session) -> dict[str, str]:
    kms = aws.client("kms")
    ids = [entry["KeyId"] for entry in kms.list_keys()["Keys"]]
    return {key: kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] for key in ids}


def left(key: KeyStore, wanted: KeySettings = WANTED) -> list[str]:
    found = key.inspect()
    assert found is not None
    return [difference.setting for difference in differences(wanted, found)]


def lock_out(kms: KMSClient, key: str) -> object:
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    return kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy)


DRIFT: list[tuple[list[str], Spoil]] = [
    (["rotation"], lambda kms, key: kms.disable_key_rotation(KeyId=key)),
    (["policy"], lock_out),
    (["state"], lambda kms, key: kms.disable_key(KeyId=key)),
    (["state"], lambda kms, key: kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)),
    (["tags"], lambda kms, key: kms.untag_resource(KeyId=key, TagKeys=["managed-by"])),
]


@pytest.mark.parametrize(("settings", "spoil"), DRIFT)
def test_each_drift_is_seen_and_mended(aws: Session, settings: list[str], spoil: Spoil) -> None:
    key, number = make(aws)
    spoil(aws.client("kms"), number)
    assert left(key) == settings
    key.repair(WANTED, settings)
    assert left(key) == []
    assert key_id(aws) == number


def test_there_is_none(aws: Session) -> None:
    key = KeyStore(aws, STORE)
    assert key.inspect() is None
    assert key.arn() is None


def test_the_arn_is_that_of_the_key(aws: Session) -> None:
    key, number = make(aws)
    assert key.arn() == f"arn:aws:kms:us-east-1:000000000000:key/{number}"


def test_a_key_that_lost_its_alias_is_taken_again(aws: Session) -> None:
    """Also what is left when a run is cut short between making the key and giving it the alias."""
    _, number = make(aws)
    aws.client("kms").create_key(Description="of another project")
    aws.client("kms").delete_alias(AliasName=STORE.name)
    make(aws)
    assert key_id(aws) == number


def test_a_key_that_is_going_to_be_deleted_is_not_taken(aws: Session) -> None:
    _, number = make(aws)
    aws.client("kms").delete_alias(AliasName=STORE.name)
    aws.client("kms").schedule_key_deletion(KeyId=number, PendingWindowInDays=7)
    make(aws)
    assert key_id(aws) != number


def test_of_two_runs_at_once_one_key_stays(aws: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both find no key and make one each before either takes the alias."""
    both_looked, both_made = threading.Barrier(2), threading.Barrier(2)
    look_for_orphan, make_key = KeyStore._orphan, KeyStore._new_key

    def look_and_wait(self: KeyStore, wanted: KeySettings) -> str | None:
        found = look_for_orphan(self, wanted)
        both_looked.wait(30)
        return found

    def make_and_wait(self: KeyStore, wanted: KeySettings) -> str:
        made = make_key(self, wanted)
        both_made.wait(30)
        return made

    monkeypatch.setattr(KeyStore, "_orphan", look_and_wait)
    monkeypatch.setattr(KeyStore, "_new_key", make_and_wait)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: KeyStore(aws, STORE).create(WANTED), range(2)))
    found = states(aws)
    assert found.pop(key_id(aws)) == "Enabled"
    assert list(found.values()) == ["PendingDeletion"]


def test_a_new_key_that_another_run_gave_the_alias_stays(aws: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    make_key = KeyStore._new_key

    def make_and_lose(self: KeyStore, wanted: KeySettings) -> str:
        made = make_key(self, wanted)
        aws.client("kms").create_alias(AliasName=STORE.name, TargetKeyId=made)
        return made

    monkeypatch.setattr(KeyStore, "_new_key", make_and_lose)
    KeyStore(aws, STORE).create(WANTED)
    assert states(aws) == {key_id(aws): "Enabled"}


def test_an_alias_on_a_key_of_another_kind_is_refused(aws: Session) -> None:
    kms = aws.client("kms")
    other = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="RSA_2048")["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=STORE.name, TargetKeyId=other)
    key = KeyStore(aws, STORE)
    assert left(key)[0] == "spec"
    with pytest.raises(Refused, match="it cannot encrypt the stores"):
        key.repair(WANTED, left(key))


def test_the_policy_names_the_account_in_its_partition(aws: Session) -> None:
    store = StoreSettings("kms_key", "alias/acme-tf-dev", "dev", "cn-north-1", "000000000000")
    KeyStore(aws, store).create(wanted_key(store))
    policy = aws.client("kms", "cn-north-1").get_key_policy(KeyId=key_of(aws, store), PolicyName="default")["Policy"]
    assert "arn:aws-cn:iam::000000000000:root" in policy


def key_of(aws: Session, store: StoreSettings) -> str:
    return aws.client("kms", store.region).describe_key(KeyId=store.name)["KeyMetadata"]["KeyId"]
