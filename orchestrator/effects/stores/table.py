"""A DynamoDB table: its settings read, made and fixed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.effects.aws.retry import ignoring, retry_on
from orchestrator.effects.aws.session import Session
from orchestrator.errors import DependencyError, Refused
from orchestrator.model.stores.settings import StoreSettings, TableSettings

# Another change of the table is under way; backups are being set up for a new table.
_PASSING = frozenset({"ResourceInUseException", "ContinuousBackupsUnavailableException"})
_TEN_MINUTES = 600.0
_UP_TO_FIVE_MINUTES = {"Delay": 1, "MaxAttempts": 300}


@dataclass(frozen=True)
class TableStore:
    """The lock table or the ledger."""

    aws: Session
    store: StoreSettings

    def inspect(self) -> TableSettings | None:
        """None where there is none. Waits while AWS is still changing it."""
        with self.aws.explained("read the settings of the", str(self.store)):
            table = self._description()
            if table is not None and table["TableStatus"] != "ACTIVE":
                self._wait()
                table = self._description()
            return None if table is None else self._settings(table)

    def exists(self) -> bool:
        """Also while AWS is still making it."""
        with self.aws.explained("look for the", str(self.store)):
            return self._description() is not None

    def create(self, wanted: TableSettings) -> None:
        """Returns when the table can be used. Harmless where another run is faster."""
        indexes = [_Index.parse(name, str(text)) for name, text in wanted.indexes.items()]
        own = {name: str(kind) for name, kind in wanted.keys.items()}
        request = {
            "TableName": self.store.name,
            "BillingMode": wanted.billing,
            "KeySchema": _key_schema(own),
            "AttributeDefinitions": _attributes(own, *(index.keys for index in indexes)),
            **({"GlobalSecondaryIndexes": [index.request for index in indexes]} if indexes else {}),
            "SSESpecification": _sse(wanted),
            "DeletionProtectionEnabled": wanted.deletion_protection,
            "Tags": _tag_list(wanted),
        }
        with self.aws.explained("create the", str(self.store)):
            ignoring(lambda: self._dynamodb.create_table(**request), {"ResourceInUseException"})
            self._wait()

    def repair(self, wanted: TableSettings, settings: Iterable[str]) -> None:
        """Mends the named settings, each when the one before is done: DynamoDB changes one thing at a time."""
        changes: dict[str, Callable[[TableSettings], None]] = {
            "keys": self._refuse,
            "indexes": self._add_indexes,
            "deletion_protection": lambda to: self._update(DeletionProtectionEnabled=to.deletion_protection),
            "billing": lambda to: self._update(BillingMode=to.billing),
            "encryption": lambda to: self._update(SSESpecification=_sse(to)),
            "point_in_time_recovery": self._recover_points_in_time,
            "tags": self._tag,
        }
        for setting in settings:
            with self.aws.explained("change the settings of the", str(self.store)):
                changes[setting](wanted)

    def _description(self) -> Mapping[str, Any] | None:
        answer = ignoring(
            lambda: self._dynamodb.describe_table(TableName=self.store.name), {"ResourceNotFoundException"}
        )
        return None if answer is None else answer["Table"]

    def _settings(self, table: Mapping[str, Any]) -> TableSettings:
        types = {entry["AttributeName"]: entry["AttributeType"] for entry in table["AttributeDefinitions"]}
        roles = {entry["AttributeName"]: entry["KeyType"] for entry in table["KeySchema"]}
        return TableSettings(
            keys={name: f"{role} {types[name]}" for name, role in roles.items()},
            indexes={
                index["IndexName"]: _index_text(index, types) for index in table.get("GlobalSecondaryIndexes", [])
            },
            deletion_protection=table.get("DeletionProtectionEnabled", False),
            billing=table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"),
            encryption=_encryption(table),
            point_in_time_recovery=self._recovery(),
            tags=self._tags(table["TableArn"]),
        )

    def _recovery(self) -> str:
        answer = self._dynamodb.describe_continuous_backups(TableName=self.store.name)
        recovery = answer["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
        return str(recovery.get("PointInTimeRecoveryStatus", ""))

    def _tags(self, arn: str) -> dict[str, str]:
        pages = self._dynamodb.get_paginator("list_tags_of_resource").paginate(ResourceArn=arn)
        return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}

    def _refuse(self, wanted: TableSettings) -> None:
        raise Refused(
            f"the {self.store} exists with other keys than {', '.join(wanted.keys)}: it was not made for this",
            hint="The keys of a table cannot be changed. Choose another state.prefix, or move that table away.",
        )

    def _add_indexes(self, wanted: TableSettings) -> None:
        """DynamoDB makes one at a time, and fills it from what the table holds."""
        table = self._description() or {}
        there = {index["IndexName"] for index in table.get("GlobalSecondaryIndexes", [])}
        for name, text in wanted.indexes.items():
            if name in there:
                raise Refused(
                    f"the {self.store} has an index {name} with other keys: it was not made for this",
                    hint=f"Delete the index {name}, which loses nothing, and run this again.",
                )
            index, own = _Index.parse(name, str(text)), {name: str(kind) for name, kind in wanted.keys.items()}
            self._update(
                AttributeDefinitions=_attributes(own, index.keys),
                GlobalSecondaryIndexUpdates=[{"Create": index.request}],
            )

    def _update(self, **change: Any) -> None:
        retry_on(lambda: self._dynamodb.update_table(TableName=self.store.name, **change), _PASSING)
        self._wait()

    def _recover_points_in_time(self, wanted: TableSettings) -> None:
        on = {"PointInTimeRecoveryEnabled": wanted.point_in_time_recovery == "ENABLED"}
        retry_on(
            lambda: self._dynamodb.update_continuous_backups(
                TableName=self.store.name, PointInTimeRecoverySpecification=on
            ),
            _PASSING,
        )

    def _tag(self, wanted: TableSettings) -> None:
        arn = self._dynamodb.describe_table(TableName=self.store.name)["Table"]["TableArn"]
        retry_on(lambda: self._dynamodb.tag_resource(ResourceArn=arn, Tags=_tag_list(wanted)), _PASSING)

    def _wait(self) -> None:
        waiter = self._dynamodb.get_waiter("table_exists")
        waiter.wait(TableName=self.store.name, WaiterConfig=_UP_TO_FIVE_MINUTES)
        self._wait_for_indexes()

    def _wait_for_indexes(self) -> None:
        """The table can be used while an index is being made, but not the index, and nothing else changed."""
        deadline = time.monotonic() + _TEN_MINUTES
        while time.monotonic() < deadline:
            table = self._description() or {}
            making = [i["IndexName"] for i in table.get("GlobalSecondaryIndexes", []) if i["IndexStatus"] != "ACTIVE"]
            if not making:
                return
            time.sleep(1)
        raise DependencyError(f"the index of the {self.store} is not ready after ten minutes", hint="Try again later.")

    @property
    def _dynamodb(self) -> Any:
        return self.aws.client("dynamodb", self.store.region)


@dataclass(frozen=True)
class _Index:
    """A global secondary index: attribute to key type and attribute type, and what it holds of an item."""

    name: str
    keys: Mapping[str, str]
    projection: str

    @staticmethod
    def parse(name: str, text: str) -> _Index:
        *keys, projection = text.split(", ")
        return _Index(name, {key.partition(" ")[0]: key.partition(" ")[2] for key in keys}, projection)

    @property
    def request(self) -> dict[str, object]:
        projection = {"ProjectionType": self.projection}
        return {"IndexName": self.name, "KeySchema": _key_schema(self.keys), "Projection": projection}


def _index_text(index: Mapping[str, Any], types: Mapping[str, str]) -> str:
    keys = [f"{key['AttributeName']} {key['KeyType']} {types[key['AttributeName']]}" for key in index["KeySchema"]]
    return ", ".join([*keys, index["Projection"]["ProjectionType"]])


def _key_schema(keys: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"AttributeName": name, "KeyType": kind.split()[0]} for name, kind in keys.items()]


def _attributes(*keys: Mapping[str, str]) -> list[dict[str, str]]:
    types = {name: kind.split()[1] for each in keys for name, kind in each.items()}
    return [{"AttributeName": name, "AttributeType": kind} for name, kind in types.items()]


def _encryption(table: Mapping[str, Any]) -> dict[str, object]:
    """Empty where DynamoDB uses a key of its own, which is not the account's."""
    found = table.get("SSEDescription", {})
    if found.get("Status") not in ("ENABLED", "UPDATING"):
        return {}
    return {"type": found.get("SSEType"), "key": found.get("KMSMasterKeyArn")}


def _sse(wanted: TableSettings) -> dict[str, object]:
    key = {"KMSMasterKeyId": wanted.encryption["key"]} if "key" in wanted.encryption else {}
    return {"Enabled": True, "SSEType": wanted.encryption["type"], **key}


def _tag_list(wanted: TableSettings) -> list[dict[str, object]]:
    return [{"Key": key, "Value": value} for key, value in wanted.tags.items()]
