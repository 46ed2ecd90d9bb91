"""Exit codes and messages of the command as a whole."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import click
import pytest

from orchestrator import __version__
from orchestrator.cli import main as cli
from orchestrator.cli.main import main
from orchestrator.effects.system import interruption
from orchestrator.errors import Locked, OrchestrateError, Refused, StageFailed, WaitingForApproval
from tests.support.git_project import GitProject

ORCHESTRATE = Path(sys.executable).with_name("orchestrate")


def run(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(ORCHESTRATE), *arguments], capture_output=True, text=True, timeout=60, **options)  # type: ignore[call-overload, no-any-return]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "Usage: orchestrate"),
        (["shwo"], 2, "Did you mean show?"),
        (["--", "-x"], 2, "No such"),
        (["shwo\x1b[31m"], 2, r"there is no command 'shwo\x1b[31m'"),
        (["--unknown"], 2, "No such option"),
        (["show"], 2, "name either a tag (--tag) or a receipt (--receipt)"),
        (["show", "--tag"], 2, "requires an argument"),
        (["show", "--tag", "x", "--format", "yaml"], 2, "'yaml' is not one of"),
        (["show", "--tag", "x", "extra"], 2, "unexpected extra argument"),
        (["--format", "env", "targets"], 2, "'env' is not one of 'text', 'json'"),
        (["--repo", "/nonexistent", "targets"], 2, "does not exist"),
        (["--repo", __file__, "targets"], 2, "is a file"),
        (["show", "--tag", "x", "--repo", __file__], 2, "is a file"),
        (
            ["tag", "--env", "dev", "--team", "t", "--version", "1.0"],
            2,
            "either --scope",
        ),
        (["verify", "--tag", "x", "--timeout", "nan"], 2, "'nan' is not a number of seconds"),
        (["verify", "--tag", "x", "--timeout", "inf"], 2, "is not in the range"),
        (["verify", "--tag", "x", "--timeout", "-1"], 2, "is not in the range"),
        (["schema"], 2, "say which, `project`"),
        (["schema", "team"], 2, "'team' is not one of"),
    ],
)
def test_wrong_usage(arguments: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == code
    out, err = capsys.readouterr()
    assert message in err
    assert out == ""


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--help"], ["-h"], ["show", "--help"], ["tag", "-h"]):
        assert main(arguments) == 0
        assert "Usage: orchestrate" in capsys.readouterr().out
    assert main(["--version"]) == 0
    assert __version__ in capsys.readouterr().out


@pytest.mark.parametrize("name", sorted(cli._COMMANDS))
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    assert f"Usage: orchestrate {name}" in capsys.readouterr().out


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Makes `show` end in an error."""

    def fail(*arguments: object) -> None:
        raise error

    monkeypatch.setattr("orchestrator.stages.tags.resolve.resolve", fail)
    monkeypatch.setattr("orchestrator.cli.context.Context.repository", lambda context: None)


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (StageFailed("no", hint="do"), 1, "Error: no\ndo\n"),
        (Refused("no"), 4, "Error: no\n"),
        (click.exceptions.Exit(9), 9, ""),
        (Locked("no"), 5, "Error: no\n"),
        (WaitingForApproval("no"), 7, "Waiting: no\n"),
        (KeyboardInterrupt(), 130, "\nError: interrupted\n"),
        (click.Abort(), 130, "Error: interrupted\n"),
        (PermissionError(13, "Permission denied", "/x"), 6, "Error: Permission denied: /x\n"),
        (OSError("odd"), 6, "Error: OSError\n"),
    ],
)
def test_errors_become_exit_codes(
    error: BaseException, code: int, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch, error)
    assert main(["show", "--tag", "x"]) == code
    assert capsys.readouterr().err == message


def test_a_bug_shows_neither_traceback_nor_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch, KeyError("password"))
    assert main(["show", "--tag", "x"]) == 1
    err = capsys.readouterr().err
    assert "orchestrate itself failed (KeyError)" in err
    assert "password" not in err
    assert "Traceback" not in err
    assert main(["show", "--tag", "x", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_what_an_interruption_makes_fail_is_interrupted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch, RuntimeError("cannot join a thread"))
    monkeypatch.setattr(interruption, "_came", True)
    assert main(["show", "--tag", "x"]) == 130
    assert capsys.readouterr().err == "Error: interrupted\n"


def test_debug_shows_the_traceback_of_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch, StageFailed("no"))
    assert main(["--debug", "show", "--tag", "x"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_each_error_class_has_its_own_exit_code() -> None:
    codes = [kind.exit_code for kind in OrchestrateError.__subclasses__()]
    assert sorted(codes) == [1, 2, 3, 4, 5, 6, 7, 130]


def test_python_m_is_the_same_command() -> None:
    done = subprocess.run([sys.executable, "-m", "orchestrator", "--version"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, run("--version").stdout)


def test_a_reader_that_goes_away_is_no_error(git_project: GitProject) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as closed:
        done = subprocess.run(
            [str(ORCHESTRATE), "targets"], cwd=git_project.folder, stdout=closed, stderr=subprocess.PIPE
        )
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_output_that_cannot_be_written(git_project: GitProject) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [str(ORCHESTRATE), "targets"], cwd=git_project.folder, stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert (done.returncode, done.stderr.splitlines()[0]) == (6, "Error: No space left on device")


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_with_130(git_project: GitProject, tmp_path: Path, sent: signal.Signals) -> None:
    """A git that never answers, and a signal while we wait for it."""
    fake = tmp_path / "bin" / "git"
    fake.parent.mkdir()
    started = tmp_path / "started"
    os.mkfifo(started)
    fake.write_text(f'#!/bin/sh\n[ "$1" = version ] && exec echo git version 2.39.0\necho > {started}\nexec sleep 60\n')
    fake.chmod(0o755)
    process = subprocess.Popen(
        [str(ORCHESTRATE), "show", "--tag", "dev_us-east-1/research/1.0"],
        cwd=git_project.folder,
        env=os.environ | {"PATH": f"{fake.parent}:{os.environ['PATH']}"},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            started.read_text()
            process.send_signal(sent)
            _, err = process.communicate(timeout=20)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    assert (process.returncode, err) == (130, "\nError: interrupted\n")


TIDYING = """
import os, signal, time
from orchestrator.effects.system import interruption

class Tidied:
    def __del__(self):
        signal.raise_signal(signal.SIGTERM)

interruption.listen()
Tidied()
try:
    time.sleep(20)
except KeyboardInterrupt:
    print("interrupted")
"""


# As if it came just before the main thread begins to wait: that it is another thread which gets it does the same.
NOT_HEARD = """
import os, signal, threading, time
from orchestrator.effects.system import interruption

go_on = threading.Event()

def other():
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
    time.sleep(20)
    print("it was not heard while it waited")
    go_on.set()

interruption.listen()
threading.Timer(0.1, other).start()
try:
    go_on.wait()
except KeyboardInterrupt:
    print("interrupted", flush=True)
    os._exit(0)
"""


@pytest.mark.parametrize("script", [TIDYING, NOT_HEARD], ids=["while Python tidies up", "before a wait"])
def test_an_interruption_is_not_lost(script: str) -> None:
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("interrupted\n", "")


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_also_reaches_what_waits_for_a_program_in_another_thread(
    git_project: GitProject, tmp_path: Path, sent: signal.Signals
) -> None:
    """A Terraform that never says its version, asked while the code is linted and scanned at the same time."""
    fake, started = tmp_path / "terraform", tmp_path / "started"
    os.mkfifo(started)
    fake.write_text(f"#!/bin/sh\necho > {started}\nexec sleep 60\n")
    fake.chmod(0o755)
    missing = {name: str(tmp_path / "none") for name in ("ORCHESTRATE_TFLINT", "ORCHESTRATE_CHECKOV")}
    process = subprocess.Popen(
        [str(ORCHESTRATE), "check"],
        cwd=git_project.folder,
        env=os.environ | missing | {"ORCHESTRATE_TERRAFORM": str(fake)},
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            started.read_text()
            process.send_signal(sent)
            _, err = process.communicate(timeout=20)
        finally:
            process.kill()
    assert (process.returncode, err.splitlines()[-1]) == (130, "Error: interrupted")


def test_in_the_background_ctrl_c_is_ignored_but_not_by_what_it_starts(tmp_path: Path) -> None:
    """A shell lets what it starts in the background ignore SIGINT; Terraform must still be able to be stopped by it."""
    program = tmp_path / "terraform"
    program.write_text(f"#!/bin/sh\ngrep SigIgn /proc/self/status > {tmp_path}/ignored\necho Terraform v1.11.4\n")
    program.chmod(0o755)
    background = ["/bin/sh", "-c", 'trap "" INT; exec "$0" "$@"', str(ORCHESTRATE), "tools", "path", "terraform"]
    done = subprocess.run(background, env={**os.environ, "ORCHESTRATE_TERRAFORM": str(program)}, check=False)
    assert done.returncode == 0
    assert not int((tmp_path / "ignored").read_text().split()[1], 16) & 1 << (signal.SIGINT - 1)


SECRET = "hunter2/hunter2?"
DISGUISES = (SECRET, base64.b64encode(SECRET.encode()).decode(), quote(SECRET, safe=""), SECRET.encode().hex())


@pytest.mark.parametrize("said", DISGUISES)
@pytest.mark.parametrize("name", ["GITHUB_TOKEN", "TF_VAR_api_key", "AWS_SECRET_ACCESS_KEY"])
def test_no_secret_of_the_environment_leaves(name: str, said: str) -> None:
    """Whatever prints it: an error of ours, a usage error of the command line's library, or a traceback."""
    env = {**os.environ, name: SECRET}
    for arguments in ([said], ["show", "--tag", said], ["--format", said, "show"], ["--debug", "show", "--tag", said]):
        done = run(*arguments, env=env)
        assert done.returncode != 0
        assert "***" in done.stderr
        assert said not in done.stdout + done.stderr


@pytest.mark.parametrize("word", ["\n::error::x", "\n##[error]x", "\r\x1b[2Jx", "\n  ::x", "\u202ex", "##vso[x]"])
def test_nothing_that_is_said_steers_a_terminal_or_a_pipeline(word: str) -> None:
    for arguments in (["--format", word, "show"], ["show", "--tag", "x", word], ["--debug", "show", "--tag", word]):
        done = run(*arguments)
        lines = done.stderr.splitlines()
        assert not [line for line in lines if line.lstrip().startswith("::") or "##[" in line or "##vso[" in line]
        assert not set("\r\x1b\u202e") & set(done.stderr)
