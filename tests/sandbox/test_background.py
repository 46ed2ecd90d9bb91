"""`orchestrate sandbox up|down|reset|env`: one background sandbox for each repository."""

from __future__ import annotations

import contextlib
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

from orchestrate_sandbox import background, process, server, state
from orchestrate_sandbox.clients import assumed, client
from orchestrate_sandbox.layout import Address, SandboxLayout
from orchestrate_sandbox.process import Sandbox
from orchestrate_sandbox.state import ServerState
from orchestrator.errors import DependencyError
from tests.support import command
from tests.support.command import CommandResult

LAYOUT = SandboxLayout("000000000000", "us-east-1")


@dataclass(frozen=True)
class BackgroundProject:
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

    def sandbox(self, *arguments: str) -> CommandResult:
        """A command of the group, started in a folder below the repository's root."""
        env = {**os.environ, "XDG_CACHE_HOME": str(self.cache)}
        return command.run(["sandbox", *arguments], cwd=self.folder / "envs", env=env, timeout=120)

    def up(self, *options: str) -> Sandbox:
        done = self.sandbox("up", *options, "--format", "json")
        assert done.code == 0, done.err
        return Sandbox(**done.json)

    def state_folder(self) -> Path:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_CACHE_HOME", str(self.cache))
            return state.folder_of(self.folder)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[BackgroundProject]:
    made = BackgroundProject(tmp_path / "repository", tmp_path / "cache")
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


@pytest.mark.slow
def test_up_env_and_down(project: BackgroundProject) -> None:
    first = project.up()
    assert client(first, "sts", account="111111111111").get_caller_identity()["Account"] == "111111111111"
    assert project.up() == first
    folder = project.state_folder()
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (folder, folder / "state.json")]
    assert modes == [0o700, 0o600], "its files are the user's alone"
    again = project.sandbox("up")
    assert "was running already" in again.err
    assert again.out == project.sandbox("env").out
    script = f'{again.out}\nprintf \'%s %s %s\' "$AWS_ENDPOINT_URL" "$http_proxy" "$HTTPS_PROXY"'
    shell = subprocess.run(
        ["sh", "-c", script], env={"HTTPS_PROXY": "kept"}, capture_output=True, text=True, check=True
    )
    assert shell.stdout == f"{first.endpoint} {first.proxy} kept"

    assert project.sandbox("down").code == 0
    with pytest.raises(EndpointConnectionError):
        client(first, "sts").get_caller_identity()
    gone = project.sandbox("env")
    assert (gone.code, gone.out) == (6, "")
    assert "orchestrate sandbox up" in gone.err
    assert project.sandbox("down").code == 0
    assert project.sandbox("reset").code == 6


@pytest.mark.slow
def test_two_at_once_start_one(project: BackgroundProject) -> None:
    with ThreadPoolExecutor(3) as pool:
        found = [future.result() for future in [pool.submit(project.up) for _ in range(3)]]
    assert len({sandbox.pid for sandbox in found}) == 1


@pytest.mark.slow
def test_reset_empties_it_and_follows_the_configuration(project: BackgroundProject) -> None:
    """A bare one has the accounts, but not the deployment roles."""
    sandbox = project.up("--bare")
    iam = client(sandbox, "iam", account="111111111111")
    assert [role["RoleName"] for role in iam.list_roles()["Roles"]] == ["OrganizationAccountAccessRole"]
    client(sandbox, "s3").create_bucket(Bucket="left-over")
    project.configure("111111111111", "222222222222")
    assert "configuration has changed" in project.sandbox("up").err
    assert project.sandbox("reset").code == 0
    assert buckets(sandbox) == []
    client(sandbox, "s3", account="222222222222").create_bucket(Bucket="left-over")
    for account in ("111111111111", "222222222222"):
        assert assumed(sandbox, f"arn:aws:iam::{account}:role/InfraPlanRole")
    assert "configuration has changed" not in project.sandbox("up").err
    project.configure("111111111111", tooling="333333333333")
    refused = project.sandbox("reset")
    assert refused.code == 4, "programs in it would be in another account"
    assert "orchestrate sandbox down" in refused.err


@pytest.mark.slow
def test_a_server_that_was_killed_is_replaced_and_who_has_its_number_now_is_left_alone(
    project: BackgroundProject,
) -> None:
    first = project.up()
    os.kill(first.pid, signal.SIGKILL)
    assert state.gone_within(project.state_folder(), 30)
    assert project.sandbox("env").code == 6
    with subprocess.Popen(["sleep", "600"]) as other:
        try:
            stale = ServerState(Address(other.pid, "http://127.0.0.1:9", "http://127.0.0.1:9", "secret"), LAYOUT)
            state.write(project.state_folder(), stale)
            assert project.sandbox("env").code == 6
            assert project.sandbox("down").code == 0
            assert project.up().pid not in (first.pid, other.pid)
            assert other.poll() is None
        finally:
            other.kill()


def test_a_server_that_does_not_listen_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = """
import signal, sys
from pathlib import Path
from orchestrate_sandbox import state
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
        state.write(
            tmp_path, ServerState(Address(deaf.pid, "http://127.0.0.1:9", "http://127.0.0.1:9", "secret"), LAYOUT)
        )
        with pytest.raises(DependencyError, match="does not answer"):
            background.reset(tmp_path, LAYOUT)
        assert background.down(tmp_path)
    assert deaf.returncode == -signal.SIGKILL


def test_a_server_whose_state_is_gone_is_told_of_and_ends_by_itself(tmp_path: Path) -> None:
    with claimed(tmp_path):
        with pytest.raises(DependencyError, match=r"its state .* is gone"):
            background.running(tmp_path)
        server._wait_until_lost(tmp_path, told=0)
        state.write(tmp_path, ServerState(Address(1, "http://127.0.0.1:9", "http://127.0.0.1:9", "secret"), LAYOUT))
        server._wait_until_lost(tmp_path, told=0)
        state.forget(tmp_path, os.getpid())
        assert state.read(tmp_path) is not None  # another server's


def test_a_second_server_does_not_start(tmp_path: Path) -> None:
    with claimed(tmp_path), pytest.raises(DependencyError, match="did not start"):
        process.start_in_background(LAYOUT, tmp_path)


def test_where_the_state_lives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    folder = state.folder_of(Path("/one"))
    assert folder.parent == tmp_path / ".cache" / "orchestrate" / "sandbox"
    assert state.folder_of(Path("/two")) != folder
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(DependencyError, match="XDG_CACHE_HOME"):
        state.folder_of(Path("/one"))


def test_an_unreadable_state_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text('{"address": {"pid": "x"}}')
    assert state.read(tmp_path) is None
