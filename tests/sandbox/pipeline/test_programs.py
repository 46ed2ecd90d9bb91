"""The small programs that builds and git run, called as they are: with arguments, standard input and an exit code."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrate_sandbox.pipeline import aws_cli, post_receive, processes, sha256sum
from tests.support.emulator import surround
from tests.support.workbench import ACCOUNT, REGION, Workbench, git, runs


def call(patch: pytest.MonkeyPatch, program: object, *arguments: str, stdin: str = "") -> object:
    """What sys.exit was called with; 0 where it was not."""
    patch.setattr(sys, "argv", ["program", *arguments])
    patch.setattr(sys, "stdin", io.StringIO(stdin))
    try:
        program.main()  # type: ignore[attr-defined]
    except SystemExit as error:
        return error.code
    return 0


@pytest.fixture
def inside(aws: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workbench:
    """As in a build: the sandbox's environment and a folder of one's own."""
    surround(aws.sandbox, monkeypatch)
    monkeypatch.chdir(tmp_path)
    return aws


class TestAws:
    def test_objects_come_and_go(self, inside: Workbench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        (tmp_path / "out/deep").mkdir(parents=True)
        (tmp_path / "out/deep/a").write_text("a")
        (tmp_path / "out/b").write_text("b")
        store, base = f"s3://{inside.store}", "programs"
        assert call(monkeypatch, aws_cli, "s3", "cp", "--recursive", "out", f"{store}/{base}/all/") == 0
        assert call(monkeypatch, aws_cli, "s3", "cp", "--quiet", "out/b", f"{store}/{base}/") == 0
        assert call(monkeypatch, aws_cli, "s3", "cp", "out/b", f"{store}/{base}/c") == 0
        listed = inside("s3").list_objects_v2(Bucket=inside.store, Prefix=base)["Contents"]
        assert [one["Key"] for one in listed] == [f"{base}/{name}" for name in ("all/b", "all/deep/a", "b", "c")]
        assert call(monkeypatch, aws_cli, "s3", "cp", "--recursive", f"{store}/{base}/all/", "back") == 0
        assert (tmp_path / "back/deep/a").read_text() == "a"
        assert call(monkeypatch, aws_cli, "s3", "cp", f"{store}/{base}/c", "back/") == 0
        assert call(monkeypatch, aws_cli, "s3", "cp", f"{store}/{base}/c", "back/named") == 0
        assert [(tmp_path / "back" / name).read_text() for name in ("c", "named")] == ["b", "b"]

    @pytest.mark.parametrize(
        ("source", "destination", "said"),
        [
            ("s3://{}/none", "x", "fatal error"),
            ("s3://{}/none", "s3://{}/more", "between this machine and a bucket"),
            ("--recursive", "s3://{}/no/such/prefix/ .", "nothing is there"),
        ],
    )
    def test_what_cannot_be_copied_is_told(
        self, inside: Workbench, monkeypatch: pytest.MonkeyPatch, source: str, destination: str, said: str
    ) -> None:
        arguments = f"{source} {destination}".format(*[inside.store] * 2).split()
        assert said in str(call(monkeypatch, aws_cli, "s3", "cp", *arguments))

    def test_everything_else_is_the_real_ones(self, tmp_path: Path) -> None:
        """In a process of its own, which becomes that program."""
        command = [sys.executable, aws_cli.__file__, "sts", "get-caller-identity"]
        own, other = tmp_path / "own", tmp_path / "other"
        for folder, text in ((own, "exit 9"), (other, 'echo "real $@"')):
            folder.mkdir()
            (folder / "aws").write_text(f"#!/bin/sh\n{text}\n")
            (folder / "aws").chmod(0o755)
        env = {**os.environ, "SANDBOX_COMMANDS": str(own), "PATH": f"{own}{os.pathsep}{other}{os.pathsep}/bin"}
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
        assert done.stdout == "real sts get-caller-identity\n"
        done = subprocess.run(command, env={**env, "PATH": str(own)}, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert "install the AWS CLI" in done.stderr


class TestSha256sum:
    def test_files_are_compared(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: object) -> None:
        path = tmp_path / "a file"
        path.write_bytes(b"content")
        good = f"{hashlib.sha256(b'content').hexdigest()}  {path}\n"
        assert call(monkeypatch, sha256sum, "--check", "--quiet", stdin=good) == 0
        assert call(monkeypatch, sha256sum, "-c", "-", stdin=good) == 0
        (tmp_path / "sums").write_text(good)
        assert call(monkeypatch, sha256sum, "--check", str(tmp_path / "sums")) == 0
        path.write_bytes(b"other")
        assert call(monkeypatch, sha256sum, "--check", "--quiet", stdin=good) == 1

    @pytest.mark.parametrize("stdin", ["", f"{'0' * 64}  /no/such/file\n"])
    def test_nothing_checked_is_no_success(self, monkeypatch: pytest.MonkeyPatch, stdin: str) -> None:
        assert call(monkeypatch, sha256sum, "--check", stdin=stdin) == 1

    def test_it_does_nothing_else(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert "--check alone" in str(call(monkeypatch, sha256sum, "file"))


class TestHook:
    def test_what_the_server_says_is_shown_to_whoever_pushes(
        self, aws: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        name, remote = aws.repository()
        git(tmp_path, "init", "--quiet", "--initial-branch=main", ".")
        git(tmp_path, "commit", "--quiet", "--allow-empty", "--message", "A change")
        git(tmp_path, "push", "--quiet", remote, "main")
        commit = git(tmp_path, "rev-parse", "HEAD").strip()
        address = f"{aws.sandbox.endpoint}/sandbox-api/received"
        place = (address, ACCOUNT, REGION)
        hook = Path(remote, "hooks/post-receive").read_text()
        monkeypatch.setenv(post_receive.TOKEN, hook.partition(f"{post_receive.TOKEN}=")[2].split()[0])
        line = f"{'0' * 40} {commit} refs/notes/n\n"
        assert call(monkeypatch, post_receive, *place, name, stdin=line) == 0
        assert capsys.readouterr().out == "Sandbox: referenceCreated refs/notes/n; no rule is for it\n"
        assert call(monkeypatch, post_receive, *place, "another", stdin=line) == 0
        assert "only the repository's own hook" in capsys.readouterr().out
        aws("codecommit").delete_repository(repositoryName=name)
        assert call(monkeypatch, post_receive, *place, name, stdin=line) == 0
        assert "no longer has this repository" in capsys.readouterr().out

    def test_without_a_server_the_push_is_stored_and_that_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        said = call(monkeypatch, post_receive, "http://127.0.0.1:1/x", ACCOUNT, REGION, "name")
        assert "the push is stored" in str(said)


def test_without_a_list_of_environments_descendants_are_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on macOS."""
    monkeypatch.setattr(processes, "_PROC", tmp_path / "none")
    script = "sleep 600 & echo $!; wait"
    with subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        processes.end_all(process.pid, "NONE=none")
        assert process.wait() == -9
    assert not runs(child)
