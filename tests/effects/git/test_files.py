"""Files of commits and of working trees."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestrator.effects.git.files import CommitFiles, FolderFiles, digest, lfs_pointers, write_out
from orchestrator.errors import DependencyError
from orchestrator.model.checks.coverage import Coverage
from tests.support.git_project import GitProject


def of_commit(project: GitProject) -> CommitFiles:
    return CommitFiles.of(project.open(), project.git("rev-parse", "HEAD"))


def everything(files: CommitFiles | FolderFiles) -> Coverage:
    plain = {path: path for path, kind in files.kinds.items() if kind != "link"}
    links = {path: os.fsdecode(files.read(path)) for path, kind in files.kinds.items() if kind == "link"}
    return Coverage(dict(sorted(plain.items())), dict(sorted(links.items())), ())


def test_a_clean_working_tree_has_the_digest_of_its_commit(git_project: GitProject) -> None:
    git_project.write({"a/run.sh": "true", "a/\u00e4 b\n.tf": "x", ".gitattributes": "*.tf text eol=crlf"})
    (git_project.folder / "a/run.sh").chmod(0o755)
    (git_project.folder / "link").symlink_to("a")
    git_project.commit()
    commit, folder = of_commit(git_project), FolderFiles.around(git_project.folder / "a")

    assert folder.top == git_project.folder
    assert folder.kinds == commit.kinds
    assert commit.kinds["a/run.sh"] == "executable"
    assert commit.kinds["link"] == "link"
    assert digest(folder, everything(folder)) == digest(commit, everything(commit))


def test_names_that_are_not_utf_8_are_kept(git_project: GitProject) -> None:
    name = os.fsdecode(b"a-\xff.tf")
    git_project.commit({name: "x"})

    for files in (of_commit(git_project), FolderFiles.around(git_project.folder)):
        assert files.read(name) == b"x"
        assert digest(files, everything(files))


def test_new_files_count_ignored_and_deleted_ones_do_not(git_project: GitProject) -> None:
    git_project.commit({".gitignore": "*.secret\n", "gone.tf": "x"})
    git_project.write({"new.tf": "x", "mine.secret": "x"})
    (git_project.folder / "gone.tf").unlink()

    kinds = FolderFiles.around(git_project.folder).kinds

    assert "new.tf" in kinds
    assert not {"mine.secret", "gone.tf"} & set(kinds)


def test_a_folder_outside_any_repository_is_walked(tmp_path: Path) -> None:
    for name in ("a/main.tf", ".terraform/x.tf", "node_modules/y.tf"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "link").symlink_to("a")
    os.mkfifo(tmp_path / "fifo")

    files = FolderFiles.around(tmp_path)

    assert dict(files.kinds) == {"a/main.tf": "file", "link": "link"}


def test_submodules_are_no_files(git_project: GitProject) -> None:
    head = git_project.git("rev-parse", "HEAD")
    git_project.git("update-index", "--add", "--cacheinfo", f"160000,{head},sub")
    git_project.git("commit", "--quiet", "--message", "A submodule")

    assert "sub" not in of_commit(git_project).kinds


@pytest.mark.slow
def test_git_starts_no_program_of_the_repository(git_project: GitProject, tmp_path: Path) -> None:
    """A repository that somebody packed up may bring its own configuration."""
    mark = tmp_path / "started"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {mark}\n")
    program.chmod(0o755)
    git_project.git("config", "core.fsmonitor", str(program))

    FolderFiles.around(git_project.folder)

    assert not mark.exists()


def test_variables_of_a_hook_do_not_lead_elsewhere(
    git_project: GitProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))

    assert "envs/dev.yaml" in FolderFiles.around(git_project.folder).kinds


def test_a_repository_that_git_cannot_read_is_an_error(git_project: GitProject) -> None:
    (git_project.folder / ".git/index").write_bytes(b"nonsense")

    with pytest.raises(DependencyError, match="git cannot list"):
        FolderFiles.around(git_project.folder)


def test_what_is_covered_is_written_out_and_nothing_else(git_project: GitProject, tmp_path: Path) -> None:
    git_project.commit({"a/x.tf": "one", "a/run.sh": "true", "b/y.tf": "two"})
    target = tmp_path / "out"

    write_out(of_commit(git_project), Coverage({"a/x.tf": "a/x.tf", "a/z.tf": "b/y.tf"}, {"l": "a"}, ()), target)

    assert sorted(path.relative_to(target).as_posix() for path in target.rglob("*")) == ["a", "a/x.tf", "a/z.tf", "l"]
    assert (target / "a/z.tf").read_text() == "two"
    assert (target / "a/x.tf").stat().st_mode & 0o777 == 0o600


def test_files_that_are_kept_in_git_lfs_are_found_by_their_pointers(tmp_path: Path) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
    (tmp_path / "a").mkdir()
    (tmp_path / "a/big.bin").write_text(pointer)
    (tmp_path / "a/fetched.bin").write_text("content")
    (tmp_path / "a" / "gone").symlink_to("nowhere")
    assert list(lfs_pointers(tmp_path)) == []
    (tmp_path / "a/.gitattributes").write_text("*.bin filter=lfs diff=lfs merge=lfs -text\n")
    assert list(lfs_pointers(tmp_path)) == ["a/big.bin"]
