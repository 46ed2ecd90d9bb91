"""What Terraform's own session in the tooling account may do: reach one target's state, and take one role.

A session policy narrows a role ("Session policies", IAM User Guide): whatever else the role may do, code that runs
under Terraform may not.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from orchestrator.errors import InvalidInput
from orchestrator.model.rules import tooling
from orchestrator.model.rules.backend import Backend
from orchestrator.model.rules.rules import Rules
from orchestrator.model.rules.target import Target
from orchestrator.model.rules.tooling import RoleKind, is_session_of
from orchestrator.model.text.canonical import canonical_json

# AssumeRole, AWS STS API Reference: the plain text of a session policy.
_LONGEST = 2048
_KINDS: tuple[RoleKind, ...] = ("plan", "apply", "people", "deploy")


def session_roles(rules: Rules, target: Target, caller: str, *, apply: bool) -> tuple[str, ...]:
    """ARNs of the roles to make the session of, the best first; `caller` is the ARN that STS tells."""
    pipeline = tooling.pipeline(rules, target.env, target.stores.region)
    ours = [pipeline.role_arn(kind) for kind in _KINDS]
    named = [*rules.project.tooling.trusted_roles.plan, *rules.project.tooling.trusted_roles.apply]
    others = [tooling.role_arn(rules.project.state.region, pipeline.account, name) for name in named]
    own = [role for role in (*ours, *others) if is_session_of(caller, role)]
    return tuple(dict.fromkeys([*own, pipeline.role_arn("deploy" if apply else "people")]))


def session_policy(rules: Rules, target: Target, readable: Iterable[Backend], *, apply: bool) -> str:
    """The session policy of a plan, or of an apply; `readable` are states of others that the rules let it read."""
    statements = [*_state(rules, target, apply=apply), *_others(target, readable)]
    role = target.roles.apply if apply else target.roles.plan
    statements.append(_allow(["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"], [role]))
    if rules.project.state.encryption == "kms":
        through = {"StringLike": {"kms:ViaService": ["s3.*", "dynamodb.*"]}}
        statements.append(
            {**_allow(["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*"], ["*"]), "Condition": through}
        )
    text = canonical_json({"Version": "2012-10-17", "Statement": statements}).decode()
    if len(text) > _LONGEST:
        raise InvalidInput(
            f"the session policy of {target.id} has {len(text)} characters; AWS allows {_LONGEST}",
            hint="Shorten policy.remote_states.",
        )
    return text


def _state(rules: Rules, target: Target, *, apply: bool) -> Iterable[dict[str, Any]]:
    backend = target.backend
    bucket = f"arn:{target.partition}:s3:::{backend.bucket}"
    yield _allow(["s3:ListBucket"], [bucket])
    yield _allow(["s3:GetObject", *(["s3:PutObject"] if apply else [])], [f"{bucket}/{backend.key}"])
    if backend.use_lockfile:
        yield _allow(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], [f"{bucket}/{backend.key}.tflock"])
    if backend.dynamodb_table is not None:
        account = rules.project.tooling.account
        table = f"arn:{target.partition}:dynamodb:{backend.region}:{account}:table/{backend.dynamodb_table}"
        item = f"{backend.bucket}/{backend.key}"
        yield _keyed(["dynamodb:GetItem"], table, [item, f"{item}-md5"])
        yield _keyed(["dynamodb:PutItem", "dynamodb:DeleteItem"], table, [item, *([f"{item}-md5"] if apply else [])])


def _others(target: Target, readable: Iterable[Backend]) -> Iterable[dict[str, Any]]:
    states = [state for state in readable if state != target.backend]
    for bucket in sorted({state.bucket for state in states}):
        arn = f"arn:{target.partition}:s3:::{bucket}"
        yield _allow(["s3:GetObject"], [f"{arn}/{state.key}" for state in states if state.bucket == bucket])
        if bucket != target.backend.bucket:
            yield _allow(["s3:ListBucket"], [arn])


def _allow(actions: list[str], resources: list[str]) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources}


def _keyed(actions: list[str], table: str, items: list[str]) -> dict[str, Any]:
    return {**_allow(actions, [table]), "Condition": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": items}}}
