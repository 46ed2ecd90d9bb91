"""How the stores of an environment must be, and where they differ from that.

`wanted_*` say what each store must be like; `effects.stores` reads what it is like, into the same types. A setting
that is a mapping is in order when it holds at least what is wanted: tags and policy statements of other people stay.
Sources: Amazon S3 User Guide, "Security best practices" and "Lifecycle configuration elements"; Terraform, "Backend
Type: s3" (the lock table's key); AWS KMS Developer Guide, "Default key policy".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, TypeAlias, TypeVar

from orchestrator.model.rules.backend import Stores
from orchestrator.model.rules.region import partition_of

Kind = Literal["kms_key", "state_bucket", "lock_table", "release_bucket", "ledger_table"]
Value: TypeAlias = str | bool | Mapping[str, object]

# For a mapping that must hold nothing else. A lifecycle rule of somebody else could expire the state itself.
_WHOLE = {"whole": True}


@dataclass(frozen=True)
class StoreSettings:
    """One thing that bootstrap keeps in order; the name of a key is its alias. `account` is the tooling account."""

    kind: Kind
    name: str
    env: str
    region: str
    account: str

    @property
    def tags(self) -> dict[str, str]:
        """Found again by these: `orchestrate:store` holds the name."""
        return {"managed-by": "orchestrate", "orchestrate:env": self.env, "orchestrate:store": self.name}

    def __str__(self) -> str:
        return f"{self.kind.replace('_', ' ').replace('kms', 'KMS')} {self.name}"


@dataclass(frozen=True)
class BucketSettings:
    """In the order in which they are fixed: nothing public first, and Object Lock needs versioning."""

    public_access_block: Mapping[str, object]
    ownership: str
    policy: Mapping[str, object]
    encryption: Mapping[str, object]
    versioning: str
    object_lock: str
    lifecycle: Mapping[str, object] = field(metadata=_WHOLE)
    tags: Mapping[str, object]


@dataclass(frozen=True)
class TableSettings:
    """`keys` cannot be changed once the table exists: attribute to key type and attribute type (`HASH S`).

    `indexes` by name, each as its keys and what it holds (`digest HASH S, pk RANGE S, KEYS_ONLY`). Encryption comes
    last: DynamoDB takes minutes for it, and no other change meanwhile.
    """

    keys: Mapping[str, object] = field(metadata=_WHOLE)
    indexes: Mapping[str, object]
    deletion_protection: bool
    billing: str
    point_in_time_recovery: str
    tags: Mapping[str, object]
    encryption: Mapping[str, object]


@dataclass(frozen=True)
class KeySettings:
    """`spec` cannot be changed once the key exists."""

    spec: str
    state: str
    policy: Mapping[str, object]
    rotation: bool
    tags: Mapping[str, object]


Settings = TypeVar("Settings", BucketSettings, TableSettings, KeySettings)


@dataclass(frozen=True)
class Difference:
    """One setting that is not as it must be; both values as text for people."""

    setting: str
    wanted: str
    found: str


def each(place: Stores, account: str) -> tuple[StoreSettings, ...]:
    """The stores of one environment in one Region, the key first: the others need it."""
    named: dict[Kind, str | None] = {
        "kms_key": place.kms_alias,
        "state_bucket": place.state_bucket,
        "lock_table": place.lock_table,
        "release_bucket": place.release_bucket,
        "ledger_table": place.ledger_table,
    }
    return tuple(StoreSettings(kind, name, place.env, place.region, account) for kind, name in named.items() if name)


PUBLIC_ACCESS_BLOCK = dict.fromkeys(
    ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
)

# State is small and every apply and every lock makes a version, so old versions go after 90 days, but never the 100
# newest of an object. Filters know no suffix, so one rule serves state and lock objects. No current object expires.
_OLD_VERSIONS = {
    "ID": "orchestrate-versions",
    "Status": "Enabled",
    "Filter": {"Prefix": ""},
    "NoncurrentVersionExpiration": {"NoncurrentDays": 90, "NewerNoncurrentVersions": 100},
    "Expiration": {"ExpiredObjectDeleteMarker": True},
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
}
# A saved plan holds sensitive values in clear. Its expiry only makes it noncurrent, and the rule above would keep that
# version for good; of two rules S3 follows the one that expires sooner ("Conflicts in lifecycle configurations").
_SAVED_PLANS = {
    "ID": "orchestrate-plans",
    "Status": "Enabled",
    "Filter": {"Prefix": "plans/"},
    "Expiration": {"Days": 90},
    "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
}


def wanted_bucket(store: StoreSettings, key: str | None) -> BucketSettings:
    """`key` is the ARN of the environment's KMS key, None where S3's own keys encrypt."""
    is_release = store.kind == "release_bucket"
    return BucketSettings(
        public_access_block=PUBLIC_ACCESS_BLOCK,
        ownership="BucketOwnerEnforced",
        policy=statements([_tls_only(store)]),
        encryption={"algorithm": "aws:kms", "key": key, "bucket_key": True} if key else {"algorithm": "AES256"},
        versioning="Enabled",
        object_lock="Enabled" if is_release else "",
        lifecycle=_by_id(_OLD_VERSIONS, _SAVED_PLANS) if is_release else _by_id(_OLD_VERSIONS),
        tags=store.tags,
    )


# An answer to a plan stands under a key that begins with who gave it; by this index they are found by the plan.
ANSWERS_INDEX = "answers"
_ANSWERS = "digest HASH S, pk RANGE S, KEYS_ONLY"


def wanted_table(store: StoreSettings, key: str | None) -> TableSettings:
    """`key` is the ARN of the environment's KMS key, None for the account's own key for DynamoDB."""
    is_lock = store.kind == "lock_table"
    return TableSettings(
        keys={"LockID": "HASH S"} if is_lock else {"pk": "HASH S", "sk": "RANGE S"},
        indexes={} if is_lock else {ANSWERS_INDEX: _ANSWERS},
        deletion_protection=True,
        billing="PAY_PER_REQUEST",
        encryption={"type": "KMS", "key": key} if key else {"type": "KMS"},
        point_in_time_recovery="ENABLED",
        tags=store.tags,
    )


def wanted_key(store: StoreSettings) -> KeySettings:
    root = f"arn:{partition_of(store.region)}:iam::{store.account}:root"
    administers = {
        "Sid": "OrchestrateAccountAdministers",
        "Effect": "Allow",
        "Principal": {"AWS": root},
        "Action": "kms:*",
        "Resource": "*",
    }
    return KeySettings(
        spec="SYMMETRIC_DEFAULT",
        state="Enabled",
        policy=statements([administers]),
        rotation=True,
        tags=store.tags,
    )


def _by_id(*rules: Mapping[str, object]) -> dict[str, object]:
    return {str(rule["ID"]): rule for rule in rules}


def _tls_only(store: StoreSettings) -> dict[str, object]:
    arn = f"arn:{partition_of(store.region)}:s3:::{store.name}"
    return {
        "Sid": "OrchestrateTlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def differences(wanted: Settings, found: Settings) -> tuple[Difference, ...]:
    """In the order of the fields, which is the order of fixing."""
    return tuple(_differences(wanted, found))


def _differences(wanted: Settings, found: Settings) -> Iterator[Difference]:
    for setting in fields(wanted):
        must, is_ = getattr(wanted, setting.name), getattr(found, setting.name)
        if isinstance(must, Mapping):
            must, is_ = _parts_that_differ(must, is_, whole="whole" in setting.metadata)
        if must != is_:
            yield Difference(setting.name, _shown(must), _shown(is_))


def _parts_that_differ(
    must: Mapping[str, object], is_: Mapping[str, object], *, whole: bool
) -> tuple[dict[str, object], dict[str, object]]:
    keys = [key for key in ({**must, **is_} if whole else must) if key not in is_ or is_[key] != must.get(key)]
    return {key: must[key] for key in keys if key in must}, {key: is_[key] for key in keys if key in is_}


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, str):
        return value or "none"
    return json.dumps(value, sort_keys=True) if value else "none"


def lifecycle_rules(found: Iterable[Mapping[str, Any]]) -> dict[str, object]:
    """By ID. An empty filter is written in two ways; it means the whole bucket."""
    return {rule["ID"]: {**rule, "Filter": rule.get("Filter") or {"Prefix": ""}} for rule in found}


def policy_statements(policy: str | None) -> dict[str, object]:
    """The statements of a policy document that have a Sid, by Sid."""
    return statements(_statement_list(policy))


def merged_policy(existing: str | None, wanted: Mapping[str, object]) -> str:
    """The document with the wanted statements in it; all others stay as they are."""
    document = json.loads(existing) if existing else {"Version": "2012-10-17"}
    others = [statement for statement in _statement_list(existing) if statement.get("Sid") not in wanted]
    return json.dumps({**document, "Statement": [*others, *wanted.values()]})


def _statement_list(policy: str | None) -> list[dict[str, object]]:
    found = json.loads(policy).get("Statement", []) if policy else []
    return found if isinstance(found, list) else [found]


def statements(found: Iterable[Mapping[str, object]]) -> dict[str, object]:
    """By Sid, in one form: AWS may answer with other forms than it was given."""
    return {str(statement["Sid"]): _canonical(statement) for statement in found if "Sid" in statement}


def _canonical(value: object) -> object:
    if isinstance(value, Mapping):
        plain = {key: _canonical(inner) for key, inner in value.items()}
        return "*" if plain == {"AWS": "*"} else plain
    if isinstance(value, list):
        several = sorted((_canonical(inner) for inner in value), key=str)
        return several[0] if len(several) == 1 else several
    return str(value).lower() if isinstance(value, bool) else value
