"""People who call, as IAM knows them."""

from __future__ import annotations

import json
from dataclasses import replace

import boto3
import pytest

from orchestrator.effects.aws.session import CallerIdentity
from orchestrator.stages.context.context import ReleaseContext
from tests.support.accounts import TOOLING


@pytest.fixture
def oncall(boto_env: None) -> CallerIdentity:
    """A session of the role OnCall, as IAM knows it."""
    iam = boto3.client("iam")
    try:
        role = iam.get_role(RoleName="OnCall")["Role"]
    except iam.exceptions.NoSuchEntityException:
        document = {"Version": "2012-10-17", "Statement": []}
        role = iam.create_role(RoleName="OnCall", AssumeRolePolicyDocument=json.dumps(document))["Role"]
    arn = f"arn:aws:sts::{TOOLING}:assumed-role/OnCall/olga"
    return CallerIdentity(TOOLING, arn, f"{role['RoleId']}:olga")


def called_by(ctx: ReleaseContext, caller: CallerIdentity) -> ReleaseContext:
    there = replace(ctx)
    object.__setattr__(there.aws, "_identity", caller)
    return there
