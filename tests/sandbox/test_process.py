"""The server as a process: starts, tells its addresses, never outlives its starter."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

import pytest

from orchestrate_sandbox import layout as layouts
from orchestrate_sandbox import process
from orchestrate_sandbox.clients import client
from orchestrate_sandbox.layout import RoleSpec, SandboxLayout
from orchestrator.errors import DependencyError

TOOLING = "000000000000"
RESEARCH = "111111111111"
LAYOUT = SandboxLayout(TOOLING, "us-east-1", (RoleSpec(RESEARCH, "Plan", "read"),))


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.slow
def test_sandboxes_side_by_side_share_nothing() -> None:
    china = SandboxLayout("333333333333", "cn-north-1", (RoleSpec(RESEARCH, "Plan", "read"),))
    with process.start(LAYOUT) as one, process.start(china) as other:
        client(one, "s3").create_bucket(Bucket="only-here")
        assert client(other, "s3").list_buckets()["Buckets"] == []
        arns = [client(found, "sts", account=RESEARCH).get_caller_identity()["Arn"] for found in (one, other)]
        accounts = [client(found, "sts").get_caller_identity()["Account"] for found in (one, other)]
    assert accounts == [TOOLING, "333333333333"]
    assert [arn.split(":")[1] for arn in arns] == ["aws", "aws-cn"]
    assert not is_running(one.pid)
    assert not is_running(other.pid)


def test_the_surroundings_do_not_reach_the_emulator() -> None:
    with contextlib.ExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MOTO_ACCOUNT_ID", "999999999999")
            patch.setenv("AWS_PROFILE", "prod")
            patch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
            sandbox = stack.enter_context(process.start(LAYOUT))
        assert client(sandbox, "sts").get_caller_identity()["Account"] == TOOLING


@pytest.mark.slow
def test_why_it_did_not_start_is_told() -> None:
    nowhere = SandboxLayout(TOOLING, "xx-nowhere-1", LAYOUT.roles)
    with pytest.raises(DependencyError, match=r"(?s)the sandbox did not start.*nowhere-1"), process.start(nowhere):
        pass


def test_one_that_is_not_ready_in_time_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(process, "START_SECONDS", 0.0)
    with pytest.raises(DependencyError, match="not ready within"):
        process.start_in_background(LAYOUT, tmp_path)
    assert not (tmp_path / "state.json").exists()


@pytest.mark.slow
def test_one_that_does_not_listen_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "STOP_SECONDS", 0.1)
    with process.start(LAYOUT) as sandbox:
        os.kill(sandbox.pid, signal.SIGSTOP)
    assert not is_running(sandbox.pid)


def test_without_moto_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(DependencyError, match="needs moto, which is not installed"), process.start(LAYOUT):
        pass


@pytest.mark.slow
def test_the_log_holds_what_failed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with process.start(LAYOUT, log=log) as sandbox:
        dynamodb = client(sandbox, "dynamodb")
        with pytest.raises(dynamodb.exceptions.ClientError):
            dynamodb.list_imports()
    assert "sandbox: dynamodb ListImports: not in the sandbox" in log.read_text()


def test_a_layout_passes_to_the_server_as_it_is() -> None:
    assert layouts.decode(layouts.encode(LAYOUT)) == LAYOUT
    assert LAYOUT.workload_accounts() == (RESEARCH,)
