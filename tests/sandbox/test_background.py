"""`orchestrate sandbox up|down|reset|env`: one background sandbox for each repository."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from orchestrator.errors import SurroundingsFailed
from orchestrator.sandbox import background, process, server, state
from orchestrator.sandbox.clients import assumed, client
from orchestrator.sandbox.layout import Address, SandboxLayout
from orchestrator.sandbox.process import Sandbox
from orchestrator.sandbox.state import State

ORCHESTRATE = [sys.executable, "-c", "from orchestrator.cli.main import run; run()"]
LAYOUT = SandboxLayout("000000000000", "us-east-1")


@dataclass(frozen=True)
class Project:
    folder: Path
    cache: Path

    def configure(self, *accounts: str, tooling: str = "000000000000") -> None:
        envs = self.folder / "envs"
        envs.mkdir(exist_ok=True)
        (envs / "orchestrate.yaml").write_text(
            f'state: {{prefix: acme, region: us-east-1}}\ntooling: {{account: "{tooling}"}}\n'
        )
        teams = ", ".join(f't{account}: {{account: "{account}"}}' for account in accounts)
        (envs / "dev.yaml").write_text(
            f"regions: [us-east-1]\nglobal_resource_deploy_from_region: us-east-1\nteams: {{{teams}}}\n"
        )

    def sandbox(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command of the group, started in a folder below the repository's root."""
        return subprocess.run(
            [*ORCHESTRATE, "sandbox", *arguments],
            cwd=self.folder / "envs",
            env={**os.environ, "XDG_CACHE_HOME": str(self.cache)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def up(self) -> Sandbox:
        done = self.sandbox("up", "--format", "json")
        assert done.returncode == 0, done.stderr
        return Sandbox(**json.loads(done.stdout))

    def state_folder(self) -> Path:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_CACHE_HOME", str(self.cache))
            return state.folder_of(self.folder)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = Project(tmp_path / "repository", tmp_path / "cache")
    made.folder.mkdir()
    made.configure("111111111111")
    yield made
    made.sandbox("down")


@contextlib.contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """As if a server ran."""
    descriptor = state.claim(folder)
    try:
        yield
    finally:
        os.close(descriptor)


def buckets(sandbox: Sandbox) -> list[str]:
    found: list[dict[str, Any]] = client(sandbox, "s3").list_buckets()["Buckets"]
    return [bucket["Name"] for bucket in found]


def test_up_env_and_down(project: Project) -> None:
    first = project.up()
    assert client(first, "sts", account="111111111111").get_caller_identity()["Account"] == "111111111111"
    assert project.up() == first
    again = project.sandbox("up")
    assert "was running already" in again.stderr
    assert again.stdout == project.sandbox("env").stdout
    script = f'{again.stdout}\nprintf \'%s %s %s\' "$AWS_ENDPOINT_URL" "$http_proxy" "$HTTPS_PROXY"'
    shell = subprocess.run(
        ["sh", "-c", script], env={"HTTPS_PROXY": "kept"}, capture_output=True, text=True, check=True
    )
    assert shell.stdout == f"{first.endpoint} {first.proxy} kept"

    assert project.sandbox("down").returncode == 0
    with pytest.raises(EndpointConnectionError):
        client(first, "sts").get_caller_identity()
    gone = project.sandbox("env")
    assert (gone.returncode, gone.stdout) == (6, "")
    assert "orchestrate sandbox up" in gone.stderr
    assert project.sandbox("down").returncode == 0
    assert project.sandbox("reset").returncode == 6


def test_its_files_are_the_users_alone(project: Project) -> None:
    project.up()
    folder = project.state_folder()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "state.json").stat().st_mode) == 0o600


def test_two_at_once_start_one(project: Project) -> None:
    with ThreadPoolExecutor(3) as pool:
        found = [future.result() for future in [pool.submit(project.up) for _ in range(3)]]
    assert len({sandbox.pid for sandbox in found}) == 1


def test_reset_empties_it_and_follows_the_configuration(project: Project) -> None:
    sandbox = project.up()
    client(sandbox, "s3").create_bucket(Bucket="left-over")
    project.configure("111111111111", "222222222222")
    assert "configuration has changed" in project.sandbox("up").stderr
    assert project.sandbox("reset").returncode == 0
    assert buckets(sandbox) == []
    client(sandbox, "s3", account="222222222222").create_bucket(Bucket="left-over")
    assert assumed(sandbox, "arn:aws:iam::222222222222:role/InfraPlanRole")
    assert "configuration has changed" not in project.sandbox("up").stderr


def test_a_bare_one_has_the_accounts_but_not_the_deployment_roles(project: Project) -> None:
    done = project.sandbox("up", "--bare", "--format", "json")
    sandbox = Sandbox(**json.loads(done.stdout))
    iam = client(sandbox, "iam", account="111111111111")
    assert [role["RoleName"] for role in iam.list_roles()["Roles"]] == ["OrganizationAccountAccessRole"]
    assert project.sandbox("reset").returncode == 0
    assert assumed(sandbox, "arn:aws:iam::111111111111:role/InfraPlanRole")


def test_reset_refuses_another_tooling_account(project: Project) -> None:
    project.up()
    project.configure("111111111111", tooling="333333333333")
    refused = project.sandbox("reset")
    assert refused.returncode == 4
    assert "orchestrate sandbox down" in refused.stderr


def test_a_server_that_was_killed_is_replaced(project: Project) -> None:
    first = project.up()
    os.kill(first.pid, signal.SIGKILL)
    assert state.gone_within(project.state_folder(), 30)
    assert project.sandbox("env").returncode == 6
    assert project.up().pid != first.pid


def test_a_process_number_in_other_hands_is_left_alone(project: Project) -> None:
    with subprocess.Popen(["sleep", "600"]) as other:
        try:
            stale = State(Address(other.pid, "http://127.0.0.1:9", "http://127.0.0.1:9"), LAYOUT)
            state.write(project.state_folder(), stale)
            assert project.sandbox("env").returncode == 6
            assert project.sandbox("down").returncode == 0
            assert project.up().pid != other.pid
            assert other.poll() is None
        finally:
            other.kill()


def test_a_server_that_does_not_listen_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = """
import signal, sys
from pathlib import Path
from orchestrator.sandbox import state
signal.signal(signal.SIGTERM, signal.SIG_IGN)
state.claim(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.read()
"""
    monkeypatch.setattr(process, "STOP_SECONDS", 0.1)
    with subprocess.Popen(
        [sys.executable, "-c", script, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as deaf:
        assert deaf.stdout is not None
        assert deaf.stdout.readline()
        state.write(tmp_path, State(Address(deaf.pid, "http://127.0.0.1:9", "http://127.0.0.1:9"), LAYOUT))
        with pytest.raises(SurroundingsFailed, match="does not answer"):
            background.reset(tmp_path, LAYOUT)
        assert background.down(tmp_path)
    assert deaf.returncode == -signal.SIGKILL


def test_a_server_whose_state_is_gone_is_told_of_and_ends_by_itself(tmp_path: Path) -> None:
    with claimed(tmp_path):
        with pytest.raises(SurroundingsFailed, match=r"its state .* is gone"):
            background.running(tmp_path)
        server._wait_until_lost(tmp_path)
        state.write(tmp_path, State(Address(1, "http://127.0.0.1:9", "http://127.0.0.1:9"), LAYOUT))
        server._wait_until_lost(tmp_path)
        state.forget(tmp_path, os.getpid())
        assert state.read(tmp_path) is not None  # another server's


def test_a_second_server_does_not_start(tmp_path: Path) -> None:
    with claimed(tmp_path), pytest.raises(SurroundingsFailed, match="did not start"):
        process.start_in_background(LAYOUT, tmp_path)


def test_where_the_state_lives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    folder = state.folder_of(Path("/one"))
    assert folder.parent == tmp_path / ".cache" / "orchestrate" / "sandbox"
    assert state.folder_of(Path("/two")) != folder
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(SurroundingsFailed, match="XDG_CACHE_HOME"):
        state.folder_of(Path("/one"))


def test_an_unreadable_state_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text('{"address": {"pid": "x"}}')
    assert state.read(tmp_path) is None
