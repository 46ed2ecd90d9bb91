"""What `orchestrate plan` and its kin take for the protected branch."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.cli.main import main
from tests.support.git_project import GitProject

TAG = "dev_us-east-1/research/1.0"


@pytest.fixture
def project(git_project: GitProject, monkeypatch: pytest.MonkeyPatch) -> GitProject:
    """With a remote that cannot be reached, and AWS neither: nothing but git decides here."""
    monkeypatch.chdir(git_project.folder)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    git_project.tag(TAG)
    git_project.git("remote", "add", "origin", str(git_project.folder.parent / "gone.git"))
    return git_project


@pytest.mark.parametrize("command", ["plan", "approve", "apply", "release", "lint", "scan", "verify"])
def test_rules_that_somebody_names_decide_nothing(
    project: GitProject, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert main([command, "--tag", TAG, "--rules-ref", "main"]) == 2
    assert "for looking only" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["plan", "approve", "apply", "release", "lint"])
def test_offline_nothing_is_decided_and_everything_is_shown(
    project: GitProject, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert main([command, "--tag", TAG]) == 6
    assert "`orchestrate show`" in capsys.readouterr().err
    assert main(["show", "--tag", TAG]) == 0
    assert main(["show", "--tag", TAG, "--rules-ref", "main"]) == 0


def test_a_moved_ref_of_the_clone_makes_no_commit_merged(
    project: GitProject, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    project.git("clone", "--quiet", "--bare", ".", str(tmp_path / "gone.git"))
    project.git("remote", "set-url", "origin", str(tmp_path / "gone.git"))
    project.commit({"modules/workload/main.tf": "# nobody has merged this\n"})
    tag = "dev_us-east-1/research/1.1"
    project.tag(tag)
    for ref in ("refs/remotes/origin/main", "refs/remotes/origin/HEAD", "refs/heads/main"):
        project.git("update-ref", ref, "HEAD")

    assert main(["show", "--tag", tag]) == 0, "who only looks is told what the clone says"
    capsys.readouterr()
    assert main(["plan", "--tag", tag]) == 4
    assert "is not on the protected branch" in capsys.readouterr().err
