"""UpdateTable changes a table's encryption, which moto leaves as it was made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.dynamodb.responses import DynamoHandler


def apply() -> None:
    DynamoHandler.update_table = _with_encryption(DynamoHandler.update_table)


def _with_encryption(update_table: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def update_table_and_encryption(self: Any) -> Any:
        wanted = self.body.get("SSESpecification")
        if wanted is not None:
            table = self.dynamodb_backend.get_table(self.body["TableName"])
            table.sse_specification = _with_key(table, wanted)
        return update_table(self)

    return update_table_and_encryption


def _with_key(table: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    if "KMSMasterKeyId" in wanted or not wanted.get("Enabled"):
        return wanted
    return {**wanted, "KMSMasterKeyId": table._get_default_encryption_key(table.account_id, table.region_name)}
