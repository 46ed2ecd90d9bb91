"""People who call, as IAM knows them."""

from __future__ import annotations

import json
from dataclasses import replace

import boto3
import pytest

from orchestrator.effects.aws.session import Identity
from orchestrator.stages.context.context import Surroundings
from tests.support.accounts import TOOLING


@pytest.fixture
def oncall(boto_env: None) -> Identity:
    """A session of the role OnCall, as IAM knows it."""
    iam = boto3.client("iam")
    try:
        role = iam.get_role(RoleName="OnCall")["Role"]
    except iam.exceptions.NoSuchEntityException:
        document = {"Version": "2012-10-17", "Statement": []}
        role = iam.create_role(RoleName="OnCall", AssumeRolePolicyDocument=json.dumps(document))["Role"]
    arn = f"arn:aws:sts::{TOOLING}:assumed-role/OnCall/olga"
    return Identity(TOOLING, arn, f"{role['RoleId']}:olga")


def called_by(at: Surroundings, caller: Identity) -> Surroundings:
    there = replace(at)
    object.__setattr__(there.aws, "_identity", caller)
    return there
