"""Whatever a tool does instead of its work is an error."""

from __future__ import annotations

import json
import os
import subprocess
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from orchestrator.effects.checks.tool import ScratchDir, ToolResult, answer, tail
from orchestrator.errors import DependencyError, Interrupted
from orchestrator.model.tools.tool import Tool

Run = Callable[..., ToolResult]


class Word(msgspec.Struct):
    word: str


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a shell script as if it were tflint."""

    def started(script: str, seconds: float = 20, cancelled: Callable[[], bool] = lambda: False) -> ToolResult:
        program = tmp_path / "tflint"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        scratch_dir = ScratchDir(tmp_path, tmp_path, dict(os.environ), seconds, cancelled)
        return answer(Tool("tflint", "0.64.0", program, "PATH"), [], scratch_dir, tmp_path, scratch_dir.plain_env())

    return started


def test_its_json_is_read(run: Run) -> None:
    assert run("""echo ' {"word": "x"}'""").decoded(Word) == Word("x")
    assert run("""echo '[{"word": "x"}, {"word": "y"}]'""").decoded_list(Word) == [Word("x"), Word("y")]


@pytest.mark.parametrize(
    "script",
    ["true", "echo", "echo nonsense", "echo '{}'", "echo '[]'", """echo '{"word": 3}'""", """echo '{"word": "x"'""",
     """echo '[{"word": "x"}, {"word": "y"}]'""", "printf '\\377'", "head -c 100000 /dev/zero | tr '\\0' '['"],
)  # fmt: skip
def test_anything_but_its_json_is_an_error_also_with_exit_code_0(run: Run, script: str) -> None:
    with pytest.raises(DependencyError, match=r"tflint 0\.64\.0 .*exit code 0"):
        run(script).decoded(Word)


def test_a_killed_tool_is_told_as_such(run: Run) -> None:
    said = run("echo half; kill -9 $$")

    assert "was killed by signal 9): half" in str(said.broken("ended"))


@pytest.mark.slow
def test_a_hanging_tool_is_stopped_with_all_it_started(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator.effects.checks.tool._GRACE_SECONDS", 0.2)

    with pytest.raises(DependencyError, match=r"did not end within 0\.3 s"):
        run(f"trap '' INT; sleep 60 & echo $! > {tmp_path}/pid; wait", seconds=0.3)

    child = (tmp_path / "pid").read_text().strip()
    state = subprocess.run(["ps", "-o", "stat=", "-p", child], capture_output=True, text=True).stdout
    assert state.strip()[:1] in ("", "Z")


def test_a_run_can_be_stopped_from_outside(run: Run) -> None:
    with pytest.raises(Interrupted):
        run("exec sleep 60", cancelled=lambda: True)


def test_a_program_that_cannot_be_started_is_an_error(tmp_path: Path) -> None:
    scratch_dir = ScratchDir(tmp_path, tmp_path, {}, 1)

    with pytest.raises(DependencyError, match="cannot run"):
        answer(Tool("tflint", "1", tmp_path / "missing", "PATH"), [], scratch_dir, tmp_path, {})


@pytest.mark.slow
def test_an_answer_of_50_mb_is_read_without_holding_its_text(run: Run, tmp_path: Path) -> None:
    words = [{"word": "x", "rest": "y" * 1000}] * 50_000
    (tmp_path / "large.json").write_text(json.dumps(words))
    said = run(f"cat {tmp_path}/large.json")
    del words

    tracemalloc.start()
    found = said.decoded_list(Word)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert said.stdout.stat().st_size > 50_000_000
    assert len(found) == 50_000
    assert peak < 20_000_000


def test_a_tool_that_floods_is_stopped(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.effects.checks.tool._MOST_BYTES", 1_000_000)

    with pytest.raises(DependencyError, match="printed more than 1000000 bytes"):
        run("yes 2>/dev/null")


def test_what_it_said_is_shown_without_escape_sequences_and_secrets(run: Run) -> None:
    said = run("""printf '\\033]0;title\\007\\033[31mpassword = "hunter2hunter2"\\n' >&2""").said

    assert said.isprintable()
    assert "hunter2" not in said
    assert run("true").said == "it printed nothing"


def test_it_gets_no_credentials_no_home_and_no_settings(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "CKV_CHECK", "BC_API_KEY", "TFLINT_CONFIG_FILE", "PYTHONPATH", "LOG_LEVEL"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("https_proxy", "http://user:password@proxy.example.com")

    seen = dict(line.split("=", 1) for line in run("env").stdout.read_text().splitlines())

    assert not {
        "AWS_SECRET_ACCESS_KEY",
        "CKV_CHECK",
        "BC_API_KEY",
        "TFLINT_CONFIG_FILE",
        "PYTHONPATH",
        "LOG_LEVEL",
        "https_proxy",
    } & set(seen)
    assert seen["HOME"] != os.environ.get("HOME")


def test_only_the_end_of_a_long_output_is_quoted(tmp_path: Path) -> None:
    (tmp_path / "long").write_text("x" * 100_000 + "end")

    assert tail(tmp_path / "long").endswith("end")
    assert len(tail(tmp_path / "long")) <= 20_000


def test_terraform_gets_what_it_fetches_with_and_no_secret(tmp_path: Path) -> None:
    secrets = dict.fromkeys(("AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "TF_TOKEN_example_org", "TF_VAR_a", "HOME"), "x")
    here = ScratchDir(tmp_path, tmp_path, {"PATH": "/bin", "no_proxy": "*", "TF_LOG": "trace", **secrets}, 1)

    assert here.terraform_env() == {
        "PATH": "/bin",
        "HOME": str(tmp_path / "home"),
        "TMPDIR": str(tmp_path),
        "NO_COLOR": "1",
        "no_proxy": "*",
    }
