"""A session that was made under a session policy may do what that allows, and nothing else.

moto keeps the policy of AssumeRole and never asks it. Asked here: by S3, DynamoDB and STS, which is where programs that
run under such a session could do harm. What the role itself may do is not asked, as everywhere in the sandbox.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from moto.dynamodb.responses import DynamoHandler
from moto.sts.models import sts_backends

from orchestrate_sandbox.moto_additions.policies import Access, Context, allows

_DENIED = "com.amazonaws.dynamodb.v20120810#AccessDeniedException"


def apply() -> None:
    """DynamoDB's part; S3 and STS ask from modules of their own."""
    DynamoHandler.call_action = _asking_the_session(DynamoHandler.call_action)


def session_allows(response: Any, action: str, resource: str, context: Context | None = None) -> bool:
    backend = sts_backends[response.current_account][response.partition]
    session = backend.get_assumed_role_from_access_key(response.get_access_key())
    if session is None or not session.policy:
        return True
    access = Access(response.current_account, frozenset(), action, resource, context or {})
    return allows(_for_everybody(session.policy), access)


def _for_everybody(policy: str) -> str:
    """As a policy of a resource, which names whom it is for."""
    document = json.loads(policy)
    statements = document.get("Statement", [])
    listed = statements if isinstance(statements, list) else [statements]
    return json.dumps({**document, "Statement": [{**statement, "Principal": "*"} for statement in listed]})


def _asking_the_session(call_action: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def asking_the_session(self: Any) -> Any:
        body = json.loads(self.body or "{}")
        action = self._get_action()
        table = f"arn:{self.partition}:dynamodb:{self.region}:{self.current_account}:table/{body.get('TableName', '*')}"
        if session_allows(self, f"dynamodb:{action}", table, {"dynamodb:LeadingKeys": _keys(body)}):
            return call_action(self)
        message = f"the session policy does not allow dynamodb:{action} on {table}"
        return 400, {"status": 400}, json.dumps({"__type": _DENIED, "message": message})

    return asking_the_session


def _keys(body: Mapping[str, Any]) -> tuple[str, ...]:
    """The values of the key of the item that is asked for, or of all text in one that is written."""
    item = body.get("Key") or {name: value for name, value in body.get("Item", {}).items() if name == "LockID"}
    return tuple(str(value.get("S")) for value in item.values())
