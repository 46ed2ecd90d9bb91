"""A bucket: its settings read, made and fixed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestrator.effects.aws.retry import code_of, ignoring, retry_on
from orchestrator.effects.aws.session import Session
from orchestrator.errors import Refused
from orchestrator.model.stores.settings import (
    BucketSettings,
    StoreSettings,
    lifecycle_rules,
    merged_policy,
    policy_statements,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Another change of the same bucket is under way; a bucket that we have seen or made is not seen everywhere yet.
_PASSING = frozenset({"OperationAborted", "NoSuchBucket"})


@dataclass(frozen=True)
class BucketStore:
    """Every request says who must own the bucket, so S3 itself refuses to touch a stranger's."""

    aws: Session
    store: StoreSettings

    def inspect(self) -> BucketSettings | None:
        """None where there is none; Refused where it is not ours or stands in another Region."""
        with self.aws.explained("read the settings of the", str(self.store)):
            return self._settings() if self._exists() else None

    def exists(self) -> bool:
        """Refused as `inspect` is."""
        with self.aws.explained("look for the", str(self.store)):
            return self._exists()

    def create(self, wanted: BucketSettings) -> None:
        """An empty bucket of ours, whose settings are fixed next. Harmless where another run is faster."""
        request: dict[str, Any] = {"Bucket": self.store.name, "ObjectOwnership": wanted.ownership}
        if wanted.object_lock:
            request["ObjectLockEnabledForBucket"] = True
        if self.store.region != "us-east-1":  # the first Region of S3 takes no constraint
            request["CreateBucketConfiguration"] = {"LocationConstraint": self.store.region}
        with self.aws.explained("create the", str(self.store)):
            self._create(request)
            self._s3.get_waiter("bucket_exists").wait(
                Bucket=self.store.name,
                ExpectedBucketOwner=self.store.account,
                WaiterConfig={"Delay": 1, "MaxAttempts": 60},
            )

    def repair(self, wanted: BucketSettings, settings: Iterable[str]) -> None:
        """Mends the named settings, in the order given."""
        changes: dict[str, Callable[[BucketSettings], None]] = {
            "public_access_block": self._block_public_access,
            "ownership": self._own_all_objects,
            "policy": self._put_policy,
            "encryption": self._encrypt,
            "versioning": self._keep_versions,
            "object_lock": self._enable_object_lock,
            "lifecycle": self._put_lifecycle,
            "tags": self._tag,
        }
        for setting in settings:
            with self.aws.explained("change the settings of the", str(self.store)):
                changes[setting](wanted)

    def _exists(self) -> bool:
        from botocore.exceptions import ClientError

        try:
            answer = self._s3.head_bucket(Bucket=self.store.name, ExpectedBucketOwner=self.store.account)
        except ClientError as error:
            if code_of(error) == "404":
                return False
            if code_of(error) == "403" and not self._is_listed():
                raise self._taken() from error
            raise
        if answer.get("BucketRegion", self.store.region) != self.store.region:
            raise Refused(
                f"the {self.store} is in {answer['BucketRegion']}, but it belongs in {self.store.region}",
                hint="A bucket cannot be moved. Correct state.region (or the layout) in envs/orchestrate.yaml, or "
                "choose another state.prefix and move the state there.",
            )
        return True

    def _is_listed(self) -> bool:
        """Among the buckets of our account; HEAD answers 403 for a stranger's bucket and for a forbidden one alike."""
        pages = self._s3.get_paginator("list_buckets").paginate(Prefix=self.store.name)
        return any(bucket["Name"] == self.store.name for page in pages for bucket in page.get("Buckets", []))

    def _taken(self) -> Refused:
        return Refused(
            f"the bucket name {self.store.name} is taken by another AWS account: it is not in account "
            f"{self.store.account}",
            hint="Bucket names are shared by all of AWS. Choose another state.prefix in envs/orchestrate.yaml.",
        )

    def _create(self, request: Mapping[str, Any]) -> None:
        from botocore.exceptions import ClientError

        try:
            retry_on(lambda: self._s3.create_bucket(**request), {"OperationAborted"})
        except ClientError as error:
            if code_of(error) == "BucketAlreadyExists":
                raise self._taken() from error
            if code_of(error) != "BucketAlreadyOwnedByYou":
                raise

    def _settings(self) -> BucketSettings:
        block = self._get("get_public_access_block", "NoSuchPublicAccessBlockConfiguration")
        ownership = self._get("get_bucket_ownership_controls", "OwnershipControlsNotFoundError")
        lock = self._get("get_object_lock_configuration", "ObjectLockConfigurationNotFoundError")
        found = self._get("get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration")
        return BucketSettings(
            public_access_block=block.get("PublicAccessBlockConfiguration", {}),
            ownership=ownership.get("OwnershipControls", {}).get("Rules", [{}])[0].get("ObjectOwnership", ""),
            policy=policy_statements(self._policy()),
            encryption=self._encryption(),
            versioning=self._ask("get_bucket_versioning").get("Status", ""),
            object_lock=lock.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled", ""),
            lifecycle=lifecycle_rules(found.get("Rules", [])),
            tags=self._tags(),
        )

    def _policy(self) -> str | None:
        return self._get("get_bucket_policy", "NoSuchBucketPolicy").get("Policy")

    def _tags(self) -> dict[str, str]:
        return {tag["Key"]: tag["Value"] for tag in self._get("get_bucket_tagging", "NoSuchTagSet").get("TagSet", [])}

    def _encryption(self) -> dict[str, object]:
        answer = self._get("get_bucket_encryption", "ServerSideEncryptionConfigurationNotFoundError")
        rules = answer.get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
        if not rules:
            return {}
        default = rules[0].get("ApplyServerSideEncryptionByDefault", {})
        found = {
            "algorithm": default.get("SSEAlgorithm"),
            "key": default.get("KMSMasterKeyID"),
            "bucket_key": rules[0].get("BucketKeyEnabled"),
        }
        return {name: value for name, value in found.items() if value is not None}

    def _block_public_access(self, wanted: BucketSettings) -> None:
        self._ask("put_public_access_block", PublicAccessBlockConfiguration=wanted.public_access_block)

    def _own_all_objects(self, wanted: BucketSettings) -> None:
        rules = [{"ObjectOwnership": wanted.ownership}]
        self._ask("put_bucket_ownership_controls", OwnershipControls={"Rules": rules})

    def _put_policy(self, wanted: BucketSettings) -> None:
        self._ask("put_bucket_policy", Policy=merged_policy(self._policy(), wanted.policy))

    def _encrypt(self, wanted: BucketSettings) -> None:
        default = {"SSEAlgorithm": wanted.encryption["algorithm"]}
        rule: dict[str, object] = {"ApplyServerSideEncryptionByDefault": default}
        if "key" in wanted.encryption:
            default["KMSMasterKeyID"] = wanted.encryption["key"]
            rule["BucketKeyEnabled"] = wanted.encryption["bucket_key"]
        self._ask("put_bucket_encryption", ServerSideEncryptionConfiguration={"Rules": [rule]})

    def _keep_versions(self, wanted: BucketSettings) -> None:
        self._ask("put_bucket_versioning", VersioningConfiguration={"Status": wanted.versioning})

    def _enable_object_lock(self, wanted: BucketSettings) -> None:
        """Without a default retention: what must be kept says so itself."""
        self._ask("put_object_lock_configuration", ObjectLockConfiguration={"ObjectLockEnabled": wanted.object_lock})

    def _put_lifecycle(self, wanted: BucketSettings) -> None:
        """S3 knows the rules of a bucket as a whole only."""
        rules = list(wanted.lifecycle.values())
        self._ask("put_bucket_lifecycle_configuration", LifecycleConfiguration={"Rules": rules})

    def _tag(self, wanted: BucketSettings) -> None:
        tags = {**self._tags(), **wanted.tags}
        self._ask("put_bucket_tagging", Tagging={"TagSet": [{"Key": k, "Value": v} for k, v in tags.items()]})

    @property
    def _s3(self) -> S3Client:
        return self.aws.client("s3", self.store.region)

    def _get(self, operation: str, when_missing: str) -> Mapping[str, Any]:
        """Empty where that setting has never been made."""
        return ignoring(lambda: self._ask(operation), {when_missing}) or {}

    def _ask(self, operation: str, **parameters: object) -> Mapping[str, Any]:
        call = getattr(self._s3, operation)
        owner = self.store.account
        answer: Mapping[str, Any] = retry_on(
            lambda: call(Bucket=self.store.name, ExpectedBucketOwner=owner, **parameters), _PASSING
        )
        return answer
