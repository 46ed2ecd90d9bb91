"""UpdateTable makes and removes replicas in other Regions ("Global tables: how it works", DynamoDB Developer Guide).

moto ignores them, and the AWS provider then waits half an hour for a replica that never comes. A replica has the
table's items, and backups, tags and an ARN of its own.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler

_Wrapped = Callable[..., Any]


def apply() -> None:
    DynamoHandler.update_table = _with_updates(DynamoHandler.update_table)
    Table.describe = _with_replicas(Table.describe)


def _with_updates(update_table: _Wrapped) -> _Wrapped:
    def update_table_and_replicas(self: Any) -> Any:
        table = self.dynamodb_backend.get_table(self.body["TableName"])
        for update in self.body.get("ReplicaUpdates", []):
            for kind, wanted in update.items():
                _UPDATES[kind](table, wanted)
        return update_table(self)

    return update_table_and_replicas


def _with_replicas(describe: _Wrapped) -> _Wrapped:
    def describe_with_replicas(self: Any, *arguments: Any, **options: Any) -> Any:
        described = describe(self, *arguments, **options)
        replicas = [{"ReplicaStatus": "ACTIVE", **replica} for replica in _replicas(self).values()]
        for table in described.values() if replicas else ():
            table |= {"GlobalTableVersion": "2019.11.21", "Replicas": replicas}
        return described

    return describe_with_replicas


def _replicas(table: Any) -> dict[str, dict[str, Any]]:
    """What was asked for, by Region; kept with the table."""
    return table.__dict__.setdefault("replicas", {})  # type: ignore[no-any-return]


def _create(table: Any, wanted: dict[str, Any]) -> None:
    region = wanted["RegionName"]
    replica = copy.copy(table)
    replica.region_name = region
    replica.table_arn = table.table_arn.replace(f":{table.region_name}:", f":{region}:")
    replica.tags, replica.continuous_backups = [], copy.deepcopy(table.continuous_backups)
    replica.replicas = {}
    dynamodb_backends[table.account_id][region].tables[table.name] = replica
    _replicas(table)[region] = wanted


def _update(table: Any, wanted: dict[str, Any]) -> None:
    _replicas(table)[wanted["RegionName"]] |= wanted


def _delete(table: Any, wanted: dict[str, Any]) -> None:
    region = wanted["RegionName"]
    del _replicas(table)[region]
    dynamodb_backends[table.account_id][region].tables.pop(table.name, None)


_UPDATES = {"Create": _create, "Update": _update, "Delete": _delete}
