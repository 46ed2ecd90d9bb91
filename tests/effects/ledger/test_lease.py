"""The deployment lock on the emulated AWS, with short leases."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from orchestrator.effects.aws.session import Session
from orchestrator.effects.ledger.lease import Holder, Leases
from orchestrator.effects.ledger.ledger import Ledger
from orchestrator.errors import Locked
from orchestrator.model.ledger.ledger import Draft
from tests.support.emulator import make_table

TABLE, REGION = "leases", "us-east-1"
HOLDER = Holder("arn:aws:iam::000000000000:user/ann", "dev_global/research/1.0", "laptop")
LENGTH = 2.0

HOLD = f"""
import sys, time
from orchestrator.effects.aws.session import Session
from orchestrator.effects.ledger.lease import Holder, Leases
leases = Leases(Session("{REGION}"), "{TABLE}", "{REGION}", "dev", {LENGTH})
with leases.held("t", Holder("bob", "dev_global/research/0.9", "elsewhere"), print):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def aws(module_boto_env: None) -> Session:
    session = Session(REGION)
    make_table(session, TABLE)
    return session


@pytest.fixture
def leases(aws: Session) -> Leases:
    return Leases(aws, TABLE, REGION, "dev", LENGTH)


@pytest.fixture
def said() -> list[str]:
    return []


def elsewhere() -> subprocess.Popen[str]:
    """Another process that holds the lease until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    with process:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(30)


def test_the_numbers_of_a_target_only_grow(leases: Leases, said: list[str]) -> None:
    tokens = []
    for _ in range(3):
        with leases.held("growing", HOLDER, said.append) as lease:
            tokens.append(lease.token)
    assert tokens == [1, 2, 3]
    assert said == []


@pytest.mark.slow
def test_a_living_holder_is_told_apart_and_named(leases: Leases, said: list[str]) -> None:
    process = elsewhere()
    try:
        with (
            pytest.raises(Locked, match=r"bob \(releasing dev_global/research/0\.9 on elsewhere\)"),
            leases.held("t", HOLDER, said.append),
        ):
            pytest.fail("both hold it")
    finally:
        end(process)
    assert ["watching" in line for line in said] == [True], "it is not taken for dead"


@pytest.mark.slow
def test_a_holder_that_was_killed_is_outwaited_for_its_own_length(aws: Session, said: list[str]) -> None:
    process = elsewhere()
    process.kill()
    with process:
        process.wait(30)
    began = time.monotonic()
    with Leases(aws, TABLE, REGION, "dev", 30 * LENGTH).held("t", HOLDER, said.append) as lease:
        assert lease.token > 1
    assert LENGTH <= time.monotonic() - began < 30 * LENGTH
    assert "watching for up to 2 s" in said[0]
    assert "taken over" in said[-1]


def test_a_holder_that_renews_at_the_last_moment_keeps_its_lease(aws: Session, leases: Leases) -> None:
    key = {"pk": {"S": "lease#late"}, "sk": {"S": "lease"}}
    numbers = {name: {"N": number} for name, number in (("token", "1"), ("renewals", "7"), ("length", "0"))}
    aws.client("dynamodb").put_item(TableName=TABLE, Item={**key, **numbers, "holder": {"S": "x"}, "by": {"S": "bob"}})

    def renewed(said: str) -> None:
        if "taken over" in said:
            aws.client("dynamodb").update_item(
                TableName=TABLE,
                Key=key,
                UpdateExpression="ADD renewals :one",
                ExpressionAttributeValues={":one": {"N": "1"}},
            )

    with pytest.raises(Locked, match="released by bob"), leases.held("late", HOLDER, renewed):
        pytest.fail("it was taken over")


def test_a_holder_that_was_taken_over_can_record_nothing(aws: Session, leases: Leases, said: list[str]) -> None:
    ledger = Ledger(aws, TABLE, REGION, "dev")
    draft = Draft("applied", HOLDER.tag, "0" * 40, HOLDER.by)
    with leases.held("fenced", HOLDER, said.append) as old:
        assert ledger.append("fenced", lambda _: draft, old).seq == 1
        key = {"pk": {"S": "lease#fenced"}, "sk": {"S": "lease"}}
        aws.client("dynamodb").update_item(
            TableName=TABLE,
            Key=key,
            UpdateExpression="SET holder = :other ADD #token :one",
            ExpressionAttributeNames={"#token": "token"},
            ExpressionAttributeValues={":other": {"S": "other"}, ":one": {"N": "1"}},
        )
        with pytest.raises(Locked, match="taken over"):
            ledger.append("fenced", lambda _: draft, old)
        assert old.lost.wait(LENGTH), "the renewal finds out as well"
    assert len(ledger.history("fenced").entries) == 1


@pytest.mark.slow
def test_a_holder_that_cannot_reach_aws_gives_up_before_its_lease_ends(
    aws: Session, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    offline = Session(REGION)
    with Leases(aws, TABLE, REGION, "dev", LENGTH).held("cut-off", HOLDER, said.append) as lease:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        monkeypatch.setattr(aws, "_clients", {("dynamodb", REGION): offline.client("dynamodb")})
        began = time.monotonic()
        assert lease.lost.wait(3 * LENGTH)
        assert time.monotonic() - began < 2 * LENGTH
