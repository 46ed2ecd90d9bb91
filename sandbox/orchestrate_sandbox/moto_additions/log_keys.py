"""AssociateKmsKey and DisassociateKmsKey of CloudWatch Logs, which moto lacks: it takes a key only for a new group."""

from __future__ import annotations

from typing import Any

from moto.logs.exceptions import ResourceNotFoundException
from moto.logs.responses import LogsResponse


def apply() -> None:
    LogsResponse.associate_kms_key = _associate
    LogsResponse.disassociate_kms_key = _disassociate


def _associate(self: Any) -> str:
    _group(self).kms_key_id = self._get_param("kmsKeyId")
    return ""


def _disassociate(self: Any) -> str:
    _group(self).kms_key_id = None
    return ""


def _group(response: Any) -> Any:
    group = response.logs_backend.groups.get(response._get_param("logGroupName"))
    if group is None:
        raise ResourceNotFoundException()
    return group
