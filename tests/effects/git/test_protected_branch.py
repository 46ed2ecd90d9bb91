"""The protected branch is the remote's: what stands in the clone alone decides nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from orchestrator.effects.git.protected_branch import protected_commit
from orchestrator.errors import DependencyError, InvalidInput
from tests.support.git_project import GitProject


def protected(project: GitProject, told: list[str] | None = None) -> str:
    return protected_commit(project.open(), (told if told is not None else []).append)


@pytest.fixture
def origin(git_project: GitProject, tmp_path: Path) -> GitProject:
    git_project.git("clone", "--quiet", "--bare", ".", str(tmp_path / "origin.git"))
    git_project.git("remote", "add", "origin", str(tmp_path / "origin.git"))
    git_project.git("fetch", "--quiet", "origin")
    return GitProject(tmp_path / "origin.git")


def test_without_a_remote_it_is_the_local_main_and_that_is_told(git_project: GitProject) -> None:
    told: list[str] = []

    assert protected(git_project, told) == git_project.git("rev-parse", "main")
    assert "no remote" in told[0]


@pytest.mark.parametrize("ref", ["refs/remotes/origin/main", "refs/remotes/origin/HEAD", "refs/heads/main"])
def test_refs_that_were_moved_here_do_not_count(git_project: GitProject, origin: GitProject, ref: str) -> None:
    told: list[str] = []
    stranger = git_project.git("commit-tree", "-m", "unmerged", "HEAD^{tree}")
    git_project.git("update-ref", ref, stranger)

    assert protected(git_project, told) == origin.git("rev-parse", "main")
    assert told == []


def test_the_branch_is_the_one_that_the_remote_calls_its_head(git_project: GitProject, origin: GitProject) -> None:
    git_project.git("switch", "--quiet", "--create", "trunk")
    commit = git_project.commit()
    git_project.git("push", "--quiet", "origin", "trunk")
    assert protected(git_project) != commit

    origin.git("symbolic-ref", "HEAD", "refs/heads/trunk")
    assert protected(git_project) == commit


def test_a_tip_that_is_not_here_yet_must_be_fetched(git_project: GitProject, origin: GitProject) -> None:
    new = origin.git("commit-tree", "-m", "merged by somebody", "main^{tree}", "-p", "main")
    origin.git("update-ref", "refs/heads/main", new)

    with pytest.raises(DependencyError, match=f"is at {new[:12]}") as error:
        protected(git_project)
    assert error.value.hint == "Run `git fetch origin`."

    git_project.git("fetch", "--quiet", "origin")
    assert protected(git_project) == new


def test_a_remote_that_cannot_be_asked_is_told_with_what_works_offline(
    git_project: GitProject, origin: GitProject
) -> None:
    shutil.rmtree(origin.folder)

    with pytest.raises(DependencyError, match="cannot be asked") as error:
        protected(git_project)
    assert "show" in (error.value.hint or "")


def test_another_remote_is_not_taken_for_the_one(git_project: GitProject, origin: GitProject) -> None:
    git_project.git("remote", "rename", "origin", "upstream")

    with pytest.raises(InvalidInput, match="none of that name"):
        protected(git_project)


def test_an_empty_remote_has_no_protected_branch(git_project: GitProject, tmp_path: Path) -> None:
    git_project.git("init", "--quiet", "--bare", str(tmp_path / "empty.git"))
    git_project.git("remote", "add", "origin", str(tmp_path / "empty.git"))

    with pytest.raises(InvalidInput, match="has no branch main"):
        protected(git_project)
