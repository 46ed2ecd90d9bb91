"""Buckets in the sandbox: what is wrong with one is seen, and fixed without touching the rest."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from orchestrator.effects.aws.session import Session
from orchestrator.effects.stores.bucket import BucketStore
from orchestrator.errors import DependencyError, Refused
from orchestrator.model.stores.settings import (
    PUBLIC_ACCESS_BLOCK,
    BucketSettings,
    StoreSettings,
    differences,
    wanted_bucket,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

STATE = StoreSettings("state_bucket", "acme-tf-dev", "dev", "us-east-1", "000000000000")
RELEASES = StoreSettings("release_bucket", "acme-tf-releases-dev", "dev", "us-east-1", "000000000000")
KEY = "arn:aws:kms:us-east-1:000000000000:key/1"

Spoil = Callable[["S3Client", str], object]


def make(aws: Session, store: StoreSettings, key: str | None = KEY) -> tuple[BucketStore, BucketSettings]:
    bucket, wanted = BucketStore(aws, store), wanted_bucket(store, key)
    bucket.create(wanted)
    bucket.repair(wanted, left(bucket, wanted))
    assert not left(bucket, wanted)
    return bucket, wanted


def left(bucket: BucketStore, wanted: BucketSettings) -> list[str]:
    found = bucket.inspect()
    assert found is not None
    return [difference.setting for difference in differences(wanted, found)]


def suspend_versioning(s3: S3Client, name: str) -> object:
    return s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Suspended"})


def allow_public_acls(s3: S3Client, name: str) -> object:
    block: Any = {**PUBLIC_ACCESS_BLOCK, "BlockPublicAcls": False}
    return s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=block)


def let_writers_own(s3: S3Client, name: str) -> object:
    rules: Any = [{"ObjectOwnership": "ObjectWriter"}]
    return s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls={"Rules": rules})


def weaken_policy(s3: S3Client, name: str) -> object:
    policy = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])
    policy["Statement"][0]["Condition"]["Bool"]["aws:ViaAWSService"] = "true"
    return s3.put_bucket_policy(Bucket=name, Policy=json.dumps(policy))


def encrypt_with_s3_keys(s3: S3Client, name: str) -> object:
    rules: Any = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
    return s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": rules})


def encrypt_with_another_key(s3: S3Client, name: str) -> object:
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY[:-1] + "2"}
    rules: Any = [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]
    return s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": rules})


def expire_everything(s3: S3Client, name: str) -> object:
    rules: Any = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    rules.append({"ID": "save-money", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 30}})
    return s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules})


def stop_a_rule(s3: S3Client, name: str) -> object:
    rules: Any = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    rules[0]["Status"] = "Disabled"
    return s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules})


DRIFT: list[tuple[str, Spoil]] = [
    ("versioning", suspend_versioning),
    ("public_access_block", allow_public_acls),
    ("public_access_block", lambda s3, name: s3.delete_public_access_block(Bucket=name)),
    ("ownership", let_writers_own),
    ("ownership", lambda s3, name: s3.delete_bucket_ownership_controls(Bucket=name)),
    ("policy", lambda s3, name: s3.delete_bucket_policy(Bucket=name)),
    ("policy", weaken_policy),
    ("encryption", encrypt_with_s3_keys),
    ("encryption", encrypt_with_another_key),
    ("encryption", lambda s3, name: s3.delete_bucket_encryption(Bucket=name)),
    ("lifecycle", lambda s3, name: s3.delete_bucket_lifecycle(Bucket=name)),
    ("lifecycle", expire_everything),
    ("lifecycle", stop_a_rule),
    ("tags", lambda s3, name: s3.delete_bucket_tagging(Bucket=name)),
]


@pytest.mark.parametrize(("setting", "spoil"), DRIFT)
def test_each_drift_is_seen_and_mended(aws: Session, setting: str, spoil: Spoil) -> None:
    bucket, wanted = make(aws, STATE)
    spoil(aws.client("s3"), STATE.name)
    assert left(bucket, wanted) == [setting]
    bucket.repair(wanted, [setting])
    assert left(bucket, wanted) == []


def test_there_is_none(aws: Session) -> None:
    assert BucketStore(aws, STATE).inspect() is None


def test_creating_twice_is_harmless(aws: Session) -> None:
    bucket, wanted = make(aws, replace(STATE, region="eu-central-1"))
    bucket.create(wanted)
    assert left(bucket, wanted) == []


def test_a_bucket_with_nothing_set_is_brought_in_order(aws: Session) -> None:
    aws.client("s3").create_bucket(Bucket=RELEASES.name)
    bucket, wanted = BucketStore(aws, RELEASES), wanted_bucket(RELEASES, KEY)
    bucket.repair(wanted, left(bucket, wanted))
    assert left(bucket, wanted) == []


def test_keys_that_s3_manages(aws: Session) -> None:
    bucket, _ = make(aws, STATE, key=None)
    found = bucket.inspect()
    assert found is not None
    assert found.encryption["algorithm"] == "AES256"


def test_objects_of_the_release_bucket_can_be_locked(aws: Session) -> None:
    make(aws, RELEASES)
    make(aws, STATE)
    s3 = aws.client("s3")
    lock = s3.get_object_lock_configuration(Bucket=RELEASES.name)["ObjectLockConfiguration"]
    assert lock == {"ObjectLockEnabled": "Enabled"}  # no default retention
    with pytest.raises(s3.exceptions.ClientError, match="ObjectLockConfigurationNotFound"):
        s3.get_object_lock_configuration(Bucket=STATE.name)


def test_only_plans_expire(aws: Session) -> None:
    make(aws, RELEASES)
    make(aws, STATE)
    s3 = aws.client("s3")
    rules = {name: s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"] for name in (RELEASES.name, STATE.name)}
    expiring = [(name, rule["Filter"]) for name, all_ in rules.items() for rule in all_ if "Days" in rule["Expiration"]]
    assert expiring == [(RELEASES.name, {"Prefix": "plans/"})]
    assert all(rule["NoncurrentVersionExpiration"]["NewerNoncurrentVersions"] == 100 for rule in rules[STATE.name])


def test_other_peoples_tags_and_statements_stay(aws: Session) -> None:
    bucket, wanted = make(aws, STATE)
    s3 = aws.client("s3")
    own = {"Sid": "Audit", "Effect": "Allow", "Principal": "*", "Action": "s3:ListBucket", "Resource": "*"}
    s3.put_bucket_policy(Bucket=STATE.name, Policy=json.dumps({"Version": "2012-10-17", "Statement": own}))
    s3.put_bucket_tagging(Bucket=STATE.name, Tagging={"TagSet": [{"Key": "cost", "Value": "42"}]})
    assert left(bucket, wanted) == ["policy", "tags"]
    bucket.repair(wanted, ["policy", "tags"])
    statements = json.loads(s3.get_bucket_policy(Bucket=STATE.name)["Policy"])["Statement"]
    assert [statement["Sid"] for statement in statements] == ["Audit", "OrchestrateTlsOnly"]
    assert {"Key": "cost", "Value": "42"} in s3.get_bucket_tagging(Bucket=STATE.name)["TagSet"]
    assert left(bucket, wanted) == []


def test_arns_have_the_partition_of_the_region(aws: Session) -> None:
    make(aws, replace(STATE, region="us-gov-west-1"), key=None)
    policy = aws.client("s3", "us-gov-west-1").get_bucket_policy(Bucket=STATE.name)["Policy"]
    assert "arn:aws-us-gov:s3:::acme-tf-dev/*" in policy


def test_a_bucket_in_another_region_is_refused(aws: Session) -> None:
    make(aws, replace(STATE, region="eu-central-1"))
    with pytest.raises(Refused, match="is in eu-central-1, but it belongs in us-east-1"):
        BucketStore(aws, STATE).inspect()


def test_a_bucket_of_another_account_is_refused(aws: Session, stranger: Session) -> None:
    stranger.client("s3").create_bucket(Bucket=STATE.name)
    with pytest.raises(Refused, match="the bucket name acme-tf-dev is taken by another AWS account"):
        BucketStore(aws, STATE).inspect()


def test_a_name_that_a_stranger_takes_first_is_refused(aws: Session, stranger: Session) -> None:
    store = replace(STATE, region="eu-central-1")
    where: Any = {"LocationConstraint": store.region}
    stranger.client("s3", store.region).create_bucket(Bucket=store.name, CreateBucketConfiguration=where)
    with pytest.raises(Refused, match="is taken by another AWS account"):
        BucketStore(aws, store).create(wanted_bucket(store, None))


def test_our_own_bucket_that_we_may_not_read_is_not_called_a_strangers(
    aws: Session, limited: Callable[..., Session]
) -> None:
    make(aws, STATE)
    with pytest.raises(DependencyError, match=r"cannot read the settings of the state bucket .* access denied"):
        BucketStore(limited("s3:ListAllMyBuckets"), STATE).inspect()
