"""boto3 clients of a sandbox, as any of its accounts: for tests and for looking into it."""

from __future__ import annotations

from typing import Any

from orchestrate_sandbox.keys import for_clients
from orchestrate_sandbox.layout import ORGANIZATION_ROLE
from orchestrate_sandbox.process import Sandbox


def client(sandbox: Sandbox, service: str, *, account: str | None = None, region: str | None = None) -> Any:
    """Without `account`, one with the credentials of the sandbox's environment: the tooling account.

    Every call is made once, so that a failure inside the emulator shows at once.
    """
    import boto3
    from botocore.config import Config

    keys = for_clients(sandbox.env["AWS_ACCESS_KEY_ID"], sandbox.secret)
    if account is not None:
        keys = assumed(sandbox, f"arn:{_partition(sandbox)}:iam::{account}:role/{ORGANIZATION_ROLE}")
    make: Any = boto3.client  # the service's name is not a literal
    return make(
        service,
        region_name=region or sandbox.env["AWS_REGION"],
        endpoint_url=sandbox.endpoint,
        config=Config(retries={"total_max_attempts": 1}, proxies={}),
        **keys,
    )


def assumed(sandbox: Sandbox, role_arn: str, **options: Any) -> dict[str, str]:
    """The credentials of a role that the tooling account assumes; `options` are AssumeRole's own."""
    sts = client(sandbox, "sts")
    found = sts.assume_role(RoleArn=role_arn, RoleSessionName="sandbox", **options)["Credentials"]
    return {
        "aws_access_key_id": found["AccessKeyId"],
        "aws_secret_access_key": found["SecretAccessKey"],
        "aws_session_token": found["SessionToken"],
    }


def _partition(sandbox: Sandbox) -> str:
    from orchestrator.model.rules.region import partition_of

    return partition_of(sandbox.env["AWS_REGION"])
