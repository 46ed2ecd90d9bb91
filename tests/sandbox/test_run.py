"""`orchestrate sandbox run`: the command's exit code, one signal for one Ctrl-C, nothing left running."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ORCHESTRATE = [sys.executable, "-c", "from orchestrator.cli.main import run; run()"]

# Says where it is, then counts SIGINT until SIGTERM (or the end of its input) ends it.
COUNTER = """
import os, signal, sys
seen = []
signal.signal(signal.SIGINT, lambda *_: (seen.append(1), print("interrupted", flush=True)))
signal.signal(signal.SIGTERM, lambda *_: (print("count", len(seen), flush=True), sys.exit(5)))
print("ready", os.environ["AWS_ENDPOINT_URL"], flush=True)
sys.stdin.buffer.read()
print("count", len(seen), flush=True)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    envs = tmp_path / "envs"
    envs.mkdir()
    (envs / "orchestrate.yaml").write_text(
        'state: {prefix: acme, region: us-east-1}\ntooling: {account: "000000000000"}\nworkload: {external_id: acme}\n'
    )
    (envs / "dev.yaml").write_text(
        "regions: [us-east-1]\nglobal_resource_deploy_from_region: us-east-1\n"
        'teams: {research: {account: "111111111111"}}\n'
    )
    return tmp_path


def sandbox_run(project: Path, *command: str) -> list[str]:
    return [*ORCHESTRATE, "--repo", str(project), "sandbox", "run", "--", *command]


@contextlib.contextmanager
def started(arguments: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Without a terminal, as in CI."""
    process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
    with process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[bytes], word: str) -> str:
    """The next line of output that holds the word."""
    assert process.stdout is not None
    for found in process.stdout:
        if word in found.decode():
            return found.decode().strip()
    raise AssertionError(f"{word!r} never came")


def is_gone(endpoint: str) -> bool:
    with contextlib.suppress(ConnectionRefusedError), socket.create_connection(address(endpoint), timeout=10):
        return False
    return True


def address(endpoint: str) -> tuple[str, int]:
    parts = urlsplit(endpoint)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "code"),
    [(["sh", "-c", "kill -TERM $$"], 143), (["/does/not/exist"], 6)],
)
def test_the_exit_code_is_the_commands(project: Path, command: list[str], code: int) -> None:
    assert subprocess.run(sandbox_run(project, *command), check=False).returncode == code


@pytest.mark.slow
def test_the_command_is_in_a_sandbox_with_the_configured_accounts_and_its_exit_code_is_ours(project: Path) -> None:
    script = """
import boto3, os
sts = boto3.client("sts")
role = "arn:aws:iam::111111111111:role/InfraBuildRole"
found = sts.assume_role(RoleArn=role, RoleSessionName="test", ExternalId="acme")
print(sts.get_caller_identity()["Account"], found["AssumedRoleUser"]["Arn"], os.environ.get("AWS_PROFILE"))
raise SystemExit(7)
"""
    surroundings = {**os.environ, "AWS_PROFILE": "prod", "AWS_SESSION_TOKEN": "secret"}
    command = sandbox_run(project, sys.executable, "-c", script)
    done = subprocess.run(command, env=surroundings, capture_output=True, text=True, check=False)
    assert done.returncode == 7
    assert done.stdout.split() == ["000000000000", "arn:aws:sts::111111111111:assumed-role/InfraBuildRole/test", "None"]


@pytest.mark.slow
def test_a_signal_is_passed_on_once_and_an_ignored_one_stays_ignored(project: Path) -> None:
    """`nohup orchestrate sandbox run ...`"""
    command = sandbox_run(project, sys.executable, "-c", COUNTER)
    with started(["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *command]) as process:
        endpoint = line(process, "ready").split()[1]
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGINT)
        line(process, "interrupted")
        process.send_signal(signal.SIGTERM)
        assert line(process, "count") == "count 1"
        assert process.wait(30) == 5
    assert is_gone(endpoint)


@pytest.mark.slow
def test_ctrl_c_in_a_terminal_reaches_the_command_once(project: Path) -> None:
    in_terminal = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
    command = sandbox_run(project, sys.executable, "-c", COUNTER)
    with started([sys.executable, "-c", in_terminal, *command]) as process:
        endpoint = line(process, "ready").split()[1]
        assert process.stdin is not None
        process.stdin.write(b"\x03")
        process.stdin.flush()
        line(process, "interrupted")
        process.stdin.write(b"\x04")  # Ctrl-D: the end of its input
        process.stdin.flush()
        assert line(process, "count") == "count 1"
        assert process.wait(30) == 0
    assert is_gone(endpoint)


@pytest.mark.slow
def test_a_killed_run_leaves_no_sandbox(project: Path) -> None:
    with started(sandbox_run(project, sys.executable, "-c", COUNTER)) as process:
        endpoint = line(process, "ready").split()[1]
        with socket.create_connection(address(endpoint), timeout=30) as connection:
            process.kill()
            with contextlib.suppress(ConnectionResetError):
                assert connection.recv(1) == b""  # only the server's end closes it
        assert is_gone(endpoint)
