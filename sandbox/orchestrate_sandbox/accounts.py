"""Fills the emulated IAM with the accounts and roles of a layout (in moto's own process, through its models)."""

from __future__ import annotations

import json
from typing import Any

from moto.iam.models import iam_backends

from orchestrate_sandbox.layout import ORGANIZATION_ROLE, RoleSpec, SandboxLayout
from orchestrator.model.rules.region import partition_of

MADE_HERE = "made by the sandbox"
_READ_SERVICES = (
    "acm apigateway autoscaling cloudfront cloudtrail cloudwatch codebuild codecommit codepipeline dynamodb ec2 ecr "
    "ecs eks elasticache elasticloadbalancing events iam kms lambda logs organizations rds route53 s3 secretsmanager "
    "sns sqs ssm states sts tag wafv2"
)


def fill(layout: SandboxLayout) -> None:
    organization = (RoleSpec(account, ORGANIZATION_ROLE, "admin") for account in layout.workload_accounts())
    for role in (*layout.roles, *organization):
        _create(role, layout)


def _create(role: RoleSpec, layout: SandboxLayout) -> None:
    partition = partition_of(layout.region)
    backend = iam_backends[role.account][partition]
    backend.create_role(
        role_name=role.name,
        assume_role_policy_document=json.dumps(_trust(role, partition, layout.tooling_account)),
        path="/",
        permissions_boundary=None,
        description=MADE_HERE,
        tags=[],
        max_session_duration="3600",
    )
    backend.put_role_policy(role.name, role.access, json.dumps(_permissions(role)))


def _trust(role: RoleSpec, partition: str, tooling_account: str) -> dict[str, Any]:
    """TagSession as well: without it AWS refuses an AssumeRole that passes session tags."""
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{partition}:iam::{tooling_account}:root"},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
    }
    if role.external_id is not None:
        statement["Condition"] = {"StringEquals": {"sts:ExternalId": role.external_id}}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _permissions(role: RoleSpec) -> dict[str, Any]:
    actions = ["*"] if role.access == "admin" else _reading()
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}


def _reading() -> list[str]:
    """In the manner of AWS's managed policy ReadOnlyAccess."""
    verbs = ("BatchGet", "Describe", "Get", "List")
    return [f"{service}:{verb}*" for service in _READ_SERVICES.split() for verb in verbs]
