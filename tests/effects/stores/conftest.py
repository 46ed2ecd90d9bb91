"""One sandbox for all tests of this folder, empty at the start of each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from orchestrate_sandbox.layout import RoleSpec, SandboxLayout
from orchestrate_sandbox.process import Sandbox
from orchestrator.effects.aws.session import Session
from tests.support.emulator import enforce_policies, reset, surround, unmeasured


@pytest.fixture(scope="package")
def sandbox() -> Iterator[Sandbox]:
    roles = (RoleSpec("111111111111", "InfraBuildRole", "admin"),)
    with unmeasured(SandboxLayout(tooling_account="000000000000", region="us-east-1", roles=roles)) as running:
        yield running


@pytest.fixture
def aws(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Session:
    reset(sandbox)
    surround(sandbox, monkeypatch)
    return Session("us-east-1")


@pytest.fixture
def stranger(aws: Session) -> Session:
    """Credentials of another account."""
    role = "arn:aws:iam::111111111111:role/InfraBuildRole"
    found = aws.client("sts").assume_role(RoleArn=role, RoleSessionName="stranger")["Credentials"]
    other = Session("us-east-1")
    keys = {
        "AWS_ACCESS_KEY_ID": found["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": found["SecretAccessKey"],
        "AWS_SESSION_TOKEN": found["SessionToken"],
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in keys.items():
            patch.setenv(name, value)
        other.require_account("111111111111")
        for region in ("us-east-1", "eu-central-1"):
            other.client("s3", region)
    return other


@pytest.fixture
def limited(aws: Session, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Session]]:
    """Credentials of our account that may do the named actions only."""

    def make(*actions: str) -> Session:
        iam = aws.client("iam")
        iam.create_user(UserName="limited")
        allow = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        iam.put_user_policy(UserName="limited", PolicyName="limited", PolicyDocument=policy)
        key = iam.create_access_key(UserName="limited")["AccessKey"]
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
        enforce_policies(sandbox, "0")
        return Session("us-east-1")

    yield make
    enforce_policies(sandbox, "inf")
