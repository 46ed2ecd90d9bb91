"""What the product relies on in the emulated AWS. Each test here holds for AWS too."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from orchestrate_sandbox.clients import assumed, client
from orchestrate_sandbox.keys import SECRET_HEADER
from orchestrate_sandbox.process import Sandbox

TOOLING = "000000000000"
RESEARCH = "111111111111"
RISK = "222222222222"
WRITERS = 20


def error_of(call: Callable[[], object]) -> tuple[str, int]:
    """The code and the status with which the call fails."""
    with pytest.raises(ClientError) as raised:
        call()
    response = raised.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def at_once(calls: list[Callable[[], object]]) -> list[str]:
    """Makes all calls at the same time; `done` or the error code of each."""
    gate = threading.Barrier(len(calls))

    def one(call: Callable[[], object]) -> str:
        gate.wait()
        try:
            call()
        except ClientError as error:
            return error.response["Error"]["Code"]
        return "done"

    with ThreadPoolExecutor(len(calls)) as pool:
        return sorted(pool.map(one, calls))


@pytest.fixture
def bucket(emulated: Sandbox) -> str:
    name = f"bucket-{uuid4()}"
    client(emulated, "s3").create_bucket(Bucket=name)
    return name


@pytest.fixture
def table(emulated: Sandbox) -> str:
    name = f"table-{uuid4()}"
    client(emulated, "dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "LockID", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "LockID", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        DeletionProtectionEnabled=True,
        SSESpecification={"Enabled": True, "SSEType": "KMS"},
    )
    return name


def test_a_connection_serves_request_after_request_and_an_answer_to_head_has_no_body(emulated: Sandbox) -> None:
    place = urlsplit(emulated.endpoint)
    headers = f"Host: {place.netloc}\r\n{SECRET_HEADER}: {emulated.secret}\r\n"
    with socket.create_connection((place.hostname, place.port), 30) as connection:
        for method in ("HEAD", "GET", "HEAD"):
            connection.sendall(f"{method} /sandbox-api/nothing HTTP/1.1\r\n{headers}\r\n".encode())
            answer = connection.recv(1 << 16)
            assert answer.startswith(b"HTTP/1.1 404 ")
            assert answer.endswith(b"\r\n\r\n") == (method == "HEAD")


class TestAccounts:
    def test_the_environments_credentials_are_the_tooling_accounts(self, emulated: Sandbox) -> None:
        assert client(emulated, "sts").get_caller_identity()["Account"] == TOOLING

    @pytest.mark.slow
    def test_an_assumed_role_acts_in_its_own_account(self, emulated: Sandbox) -> None:
        assert client(emulated, "sts", account=RESEARCH).get_caller_identity()["Account"] == RESEARCH
        client(emulated, "ec2", account=RESEARCH).create_vpc(CidrBlock="10.77.0.0/16")
        cidrs = {
            account: [vpc["CidrBlock"] for vpc in client(emulated, "ec2", account=account).describe_vpcs()["Vpcs"]]
            for account in (RESEARCH, RISK)
        }
        assert "10.77.0.0/16" in cidrs[RESEARCH]
        assert "10.77.0.0/16" not in cidrs[RISK]

    def test_the_roles_of_the_layout_exist(self, emulated: Sandbox) -> None:
        roles = {role["RoleName"] for role in client(emulated, "iam", account=RESEARCH).list_roles()["Roles"]}
        assert roles == {"InfraPlanRole", "InfraBuildRole", "OrganizationAccountAccessRole"}

    @pytest.mark.parametrize("options", [{}, {"ExternalId": "other"}])
    def test_a_role_is_not_assumed_without_its_external_id(self, emulated: Sandbox, options: dict[str, str]) -> None:
        arn = f"arn:aws:iam::{RESEARCH}:role/InfraBuildRole"
        assert error_of(lambda: assumed(emulated, arn, **options)) == ("AccessDenied", 403)
        assert assumed(emulated, arn, ExternalId="acme")

    @pytest.mark.parametrize("account", [RESEARCH, "999999999999"])
    def test_a_role_that_does_not_exist_is_not_assumed(self, emulated: Sandbox, account: str) -> None:
        arn = f"arn:aws:iam::{account}:role/Nobody"
        assert error_of(lambda: assumed(emulated, arn)) == ("AccessDenied", 403)

    def test_a_workload_account_assumes_no_role_of_another(self, emulated: Sandbox) -> None:
        sts = client(emulated, "sts", account=RESEARCH)
        arn = f"arn:aws:iam::{RISK}:role/InfraBuildRole"
        assert error_of(lambda: sts.assume_role(RoleArn=arn, RoleSessionName="test")) == ("AccessDenied", 403)

    def test_session_tags_need_the_trust_policys_leave(self, emulated: Sandbox) -> None:
        tags = [{"Key": "env", "Value": "dev"}]
        assert assumed(emulated, f"arn:aws:iam::{RISK}:role/InfraBuildRole", Tags=tags)
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{TOOLING}:root"}, "Action": "sts:AssumeRole"}
            ],
        }
        name = f"role-{uuid4()}"
        client(emulated, "iam", account=RISK).create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        arn = f"arn:aws:iam::{RISK}:role/{name}"
        assert assumed(emulated, arn)
        assert error_of(lambda: assumed(emulated, arn, Tags=tags)) == ("AccessDenied", 403)


class TestBucketOwnership:
    def test_a_bucket_of_another_account_is_forbidden(self, emulated: Sandbox, bucket: str) -> None:
        s3 = client(emulated, "s3", account=RESEARCH)
        assert error_of(lambda: s3.head_bucket(Bucket=bucket)) == ("403", 403)
        assert error_of(lambda: s3.list_objects_v2(Bucket=bucket)) == ("AccessDenied", 403)
        assert error_of(lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"")) == ("AccessDenied", 403)
        assert error_of(lambda: s3.delete_bucket(Bucket=bucket)) == ("AccessDenied", 403)

    def test_a_bucket_that_is_not_there_is_not_found(self, emulated: Sandbox) -> None:
        s3 = client(emulated, "s3")
        assert error_of(lambda: s3.head_bucket(Bucket=f"none-{uuid4()}")) == ("404", 404)

    def test_a_name_that_another_account_has_is_taken(self, emulated: Sandbox, bucket: str) -> None:
        s3 = client(emulated, "s3", account=RESEARCH)
        assert error_of(lambda: s3.create_bucket(Bucket=bucket)) == ("BucketAlreadyExists", 409)

    def test_making_ones_own_bucket_again(self, emulated: Sandbox) -> None:
        """Accepted in us-east-1 alone."""
        name = f"bucket-{uuid4()}"
        client(emulated, "s3").create_bucket(Bucket=name)
        client(emulated, "s3").create_bucket(Bucket=name)
        elsewhere = client(emulated, "s3", region="eu-central-1")
        options = {"Bucket": f"b-{uuid4()}", "CreateBucketConfiguration": {"LocationConstraint": "eu-central-1"}}
        elsewhere.create_bucket(**options)
        assert error_of(lambda: elsewhere.create_bucket(**options)) == ("BucketAlreadyOwnedByYou", 409)

    def test_the_bucket_tells_its_region(self, emulated: Sandbox) -> None:
        name = f"bucket-{uuid4()}"
        client(emulated, "s3", region="eu-central-1").create_bucket(
            Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        assert client(emulated, "s3").head_bucket(Bucket=name)["BucketRegion"] == "eu-central-1"

    def test_the_expected_owner_is_checked(self, emulated: Sandbox, bucket: str) -> None:
        s3 = client(emulated, "s3")
        s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=TOOLING)
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", ExpectedBucketOwner=TOOLING)
        assert error_of(lambda: s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=RESEARCH)) == ("403", 403)
        assert error_of(lambda: s3.get_object(Bucket=bucket, Key="k", ExpectedBucketOwner=RESEARCH)) == (
            "AccessDenied",
            403,
        )

    def test_a_bucket_policy_lets_another_account_in(self, emulated: Sandbox, bucket: str) -> None:
        statement = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{RESEARCH}:root"},
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{bucket}/shared/*",
        }
        s3 = client(emulated, "s3")
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": statement}))
        for key in ("shared/a", "private/a"):
            s3.put_object(Bucket=bucket, Key=key, Body=b"x")
        theirs = client(emulated, "s3", account=RESEARCH)
        assert theirs.get_object(Bucket=bucket, Key="shared/a")["Body"].read() == b"x"
        assert error_of(lambda: theirs.get_object(Bucket=bucket, Key="private/a"))[1] == 403
        assert error_of(lambda: theirs.put_object(Bucket=bucket, Key="shared/a", Body=b""))[1] == 403
        assert (
            error_of(lambda: client(emulated, "s3", account=RISK).get_object(Bucket=bucket, Key="shared/a"))[1] == 403
        )


class TestConditionalWrites:
    def test_if_none_match_creates_once(self, emulated: Sandbox, bucket: str) -> None:
        """Terraform's `use_lockfile` and our own locks."""
        s3 = client(emulated, "s3")

        def put() -> object:
            return s3.put_object(Bucket=bucket, Key="lock", Body=b"x", IfNoneMatch="*")

        put()
        assert error_of(put) == ("PreconditionFailed", 412)
        s3.delete_object(Bucket=bucket, Key="lock")
        put()

    def test_if_none_match_creates_again_over_a_delete_marker(self, emulated: Sandbox, bucket: str) -> None:
        s3 = client(emulated, "s3")
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        for _ in range(2):
            s3.put_object(Bucket=bucket, Key="lock", Body=b"x", IfNoneMatch="*")
            s3.delete_object(Bucket=bucket, Key="lock")

    def test_of_many_creators_at_once_one_wins(self, emulated: Sandbox, bucket: str) -> None:
        s3 = client(emulated, "s3")
        for turn in range(5):
            put = partial(s3.put_object, Bucket=bucket, Key=f"lock-{turn}", Body=b"x", IfNoneMatch="*")
            assert at_once([put] * WRITERS) == ["PreconditionFailed"] * (WRITERS - 1) + ["done"]

    def test_if_match_replaces_only_what_was_read(self, emulated: Sandbox, bucket: str) -> None:
        s3 = client(emulated, "s3")
        etag = s3.put_object(Bucket=bucket, Key="k", Body=b"one")["ETag"]
        put = partial(s3.put_object, Bucket=bucket, Key="k", Body=b"two", IfMatch=etag)
        put()
        assert error_of(put) == ("PreconditionFailed", 412)
        assert error_of(lambda: s3.put_object(Bucket=bucket, Key="none", Body=b"", IfMatch=etag)) == ("NoSuchKey", 404)

    def test_of_many_conditional_puts_at_once_one_wins(self, emulated: Sandbox, table: str) -> None:
        dynamodb = client(emulated, "dynamodb")
        for turn in range(5):
            item = {"LockID": {"S": f"lock-{turn}"}}
            put = partial(
                dynamodb.put_item, TableName=table, Item=item, ConditionExpression="attribute_not_exists(LockID)"
            )
            assert at_once([put] * WRITERS) == ["ConditionalCheckFailedException"] * (WRITERS - 1) + ["done"]

    def test_of_many_transactions_at_once_one_wins(self, emulated: Sandbox, table: str) -> None:
        dynamodb = client(emulated, "dynamodb")
        put = {
            "TableName": table,
            "Item": {"LockID": {"S": "transaction"}},
            "ConditionExpression": "attribute_not_exists(LockID)",
        }
        call = partial(dynamodb.transact_write_items, TransactItems=[{"Put": put}])
        assert at_once([call] * WRITERS) == ["TransactionCanceledException"] * (WRITERS - 1) + ["done"]

    def test_no_increment_is_lost(self, emulated: Sandbox, table: str) -> None:
        dynamodb = client(emulated, "dynamodb")
        add = partial(
            dynamodb.update_item,
            TableName=table,
            Key={"LockID": {"S": "counter"}},
            UpdateExpression="ADD n :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
        )
        assert at_once([add] * WRITERS) == ["done"] * WRITERS
        item = dynamodb.get_item(TableName=table, Key={"LockID": {"S": "counter"}}, ConsistentRead=True)["Item"]
        assert item["n"] == {"N": str(WRITERS)}

    def test_of_many_makers_of_one_table_or_key_alias_one_wins(self, emulated: Sandbox) -> None:
        dynamodb, kms = client(emulated, "dynamodb"), client(emulated, "kms")
        name = f"table-{uuid4()}"
        create = partial(
            dynamodb.create_table,
            TableName=name,
            KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        assert at_once([create] * 8) == ["ResourceInUseException"] * 7 + ["done"]
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        alias = partial(kms.create_alias, AliasName=f"alias/{name}", TargetKeyId=key)
        assert at_once([alias] * 8) == ["AlreadyExistsException"] * 7 + ["done"]


class TestReplicas:
    def test_a_replica_holds_the_same_items_until_it_is_removed(self, emulated: Sandbox, table: str) -> None:
        home, there = client(emulated, "dynamodb"), client(emulated, "dynamodb", region="eu-central-1")
        home.update_table(TableName=table, ReplicaUpdates=[{"Create": {"RegionName": "eu-central-1"}}])
        replicas = home.describe_table(TableName=table)["Table"]["Replicas"]
        assert [(replica["RegionName"], replica["ReplicaStatus"]) for replica in replicas] == [
            ("eu-central-1", "ACTIVE")
        ]
        home.put_item(TableName=table, Item={"LockID": {"S": "k"}})
        assert there.get_item(TableName=table, Key={"LockID": {"S": "k"}})["Item"] == {"LockID": {"S": "k"}}
        assert ":eu-central-1:" in there.describe_table(TableName=table)["Table"]["TableArn"]
        home.update_table(TableName=table, ReplicaUpdates=[{"Delete": {"RegionName": "eu-central-1"}}])
        assert "Replicas" not in home.describe_table(TableName=table)["Table"]
        assert error_of(lambda: there.describe_table(TableName=table)) == ("ResourceNotFoundException", 400)


class TestStores:
    """What bootstrap sets can be read back."""

    def test_table_settings(self, emulated: Sandbox, table: str) -> None:
        dynamodb = client(emulated, "dynamodb")
        found = dynamodb.describe_table(TableName=table)["Table"]
        assert found["DeletionProtectionEnabled"] is True
        assert found["SSEDescription"]["Status"] == "ENABLED"
        assert found["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
        assert error_of(lambda: dynamodb.delete_table(TableName=table)) == ("ValidationException", 400)

    def test_point_in_time_recovery(self, emulated: Sandbox, table: str) -> None:
        dynamodb = client(emulated, "dynamodb")

        def status() -> Any:
            described = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
            return described["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]

        assert status() == "DISABLED"
        dynamodb.update_continuous_backups(
            TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
        assert status() == "ENABLED"

    def test_time_to_live(self, emulated: Sandbox, table: str) -> None:
        dynamodb = client(emulated, "dynamodb")
        dynamodb.update_time_to_live(
            TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires"}
        )
        described = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        assert described == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}

    def test_key_rotation_and_alias(self, emulated: Sandbox) -> None:
        kms = client(emulated, "kms")
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is False
        kms.enable_key_rotation(KeyId=key)
        assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is True
        alias = f"alias/{uuid4()}"
        kms.create_alias(AliasName=alias, TargetKeyId=key)
        assert kms.describe_key(KeyId=alias)["KeyMetadata"]["KeyId"] == key
        assert error_of(lambda: kms.describe_key(KeyId=f"alias/{uuid4()}")) == ("NotFoundException", 400)

    def test_a_symmetric_key_has_no_public_key_and_another_one_has(self, emulated: Sandbox) -> None:
        kms = client(emulated, "kms")
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        assert error_of(lambda: kms.get_public_key(KeyId=key)) == ("UnsupportedOperationException", 400)
        other = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
        assert kms.get_public_key(KeyId=other)["PublicKey"]

    def test_bucket_settings(self, emulated: Sandbox, bucket: str) -> None:
        s3 = client(emulated, "s3")
        block = dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
        )
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=block)
        assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == block
        key = client(emulated, "kms").create_key()["KeyMetadata"]["Arn"]
        rule = {
            "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key},
            "BucketKeyEnabled": True,
        }
        s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
        found = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
        assert found["ApplyServerSideEncryptionByDefault"] == rule["ApplyServerSideEncryptionByDefault"]
        assert found["BucketKeyEnabled"] is True

    def test_lifecycle_of_old_versions(self, emulated: Sandbox, bucket: str) -> None:
        s3 = client(emulated, "s3")
        rule = {
            "ID": "old-versions",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 90, "NewerNoncurrentVersions": 100},
            "Expiration": {"ExpiredObjectDeleteMarker": True},
        }
        s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
        answer = s3.get_bucket_lifecycle_configuration(Bucket=bucket)
        assert answer["TransitionDefaultMinimumObjectSize"] == "all_storage_classes_128K"  # Terraform waits for it
        found = answer["Rules"][0]
        assert found["Expiration"] == rule["Expiration"]
        assert found["NoncurrentVersionExpiration"] == rule["NoncurrentVersionExpiration"]
        s3.delete_bucket_lifecycle(Bucket=bucket)
        read = partial(s3.get_bucket_lifecycle_configuration, Bucket=bucket)
        assert error_of(read) == ("NoSuchLifecycleConfiguration", 404)
        unnamed = {name: value for name, value in rule.items() if name != "ID"}
        s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [unnamed]})
        assert read()["Rules"][0]["ID"]

    def test_object_lock_keeps_a_version(self, emulated: Sandbox) -> None:
        s3 = client(emulated, "s3")
        name = f"bucket-{uuid4()}"
        s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
        s3.put_object_lock_configuration(
            Bucket=name,
            ObjectLockConfiguration={
                "ObjectLockEnabled": "Enabled",
                "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}},
            },
        )
        version = s3.put_object(Bucket=name, Key="k", Body=b"x", ChecksumAlgorithm="SHA256")["VersionId"]
        assert s3.get_object(Bucket=name, Key="k")["ObjectLockMode"] == "COMPLIANCE"
        assert s3.get_object_retention(Bucket=name, Key="k")["Retention"]["Mode"] == "COMPLIANCE"
        assert error_of(lambda: s3.delete_object(Bucket=name, Key="k", VersionId=version)) == ("AccessDenied", 403)

    def test_an_object_without_retention(self, emulated: Sandbox, bucket: str) -> None:
        s3 = client(emulated, "s3")
        s3.put_object(Bucket=bucket, Key="k", Body=b"x")
        assert error_of(lambda: s3.get_object_retention(Bucket=bucket, Key="k"))[0] == "NoSuchObjectLockConfiguration"
