"""What tests ask of the emulator itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import boto3
import pytest

from orchestrate_sandbox.layout import RESET_PATH, SandboxLayout
from orchestrate_sandbox.private import post
from orchestrate_sandbox.process import Sandbox, start
from orchestrator.effects.aws.session import Session
from tests.support.command import MEASURE


@contextmanager
def unmeasured(layout: SandboxLayout) -> Iterator[Sandbox]:
    """A sandbox whose coverage is not measured, which takes as long as all that it does: tests/sandbox covers it."""
    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv(MEASURE, raising=False)
            sandbox = stack.enter_context(start(layout))
        yield sandbox


def surround(sandbox: Sandbox, patch: pytest.MonkeyPatch) -> None:
    """boto3 in the test itself asks it; its own session may hold the keys of another sandbox."""
    patch.setattr(boto3, "DEFAULT_SESSION", None)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        patch.delenv(name)
    for name, value in sandbox.env.items():
        patch.setenv(name, value)


def make_table(aws: Session, name: str) -> None:
    """With the keys of a ledger."""
    aws.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )


def reset(sandbox: Sandbox) -> None:
    """Empties it, but for what its layout names."""
    post(sandbox, RESET_PATH, b"")


def enforce_policies(sandbox: Sandbox, after: str) -> None:
    """IAM policies count after so many requests; `inf` is never."""
    post(sandbox, "/moto-api/reset-auth", after.encode())
