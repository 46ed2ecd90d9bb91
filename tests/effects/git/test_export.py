"""Exports: byte for byte what was committed, all or nothing."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.errors import DependencyError
from tests.support.git_project import GitProject
from tests.support.mounts import Mounted

ATTRIBUTES = """\
*.tf export-ignore
subst.txt export-subst
ident.txt ident
crlf.txt text eol=crlf
auto.txt text=auto
*.bin filter=lfs diff=lfs merge=lfs -text
utf16.txt text working-tree-encoding=UTF-16
macro.txt binary
"""
CONTENTS: dict[str, bytes] = {
    "main.tf": b"# ignored by git archive\n",
    "subst.txt": b"$Format:%H$\n",
    "ident.txt": b"$Id$\n",
    "crlf.txt": b"one\ntwo\n",
    "auto.txt": b"one\r\ntwo\r\n",
    "large.bin": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    "utf16.txt": "é\n".encode(),
    "macro.txt": b"a\r\nb\n",
    "sub/.gitattributes": b"* text eol=crlf\n",
    "sub/inner.txt": b"x\ny\n",
    "empty": b"",
}


def tree_of(folder: Path) -> dict[bytes, tuple[str, bytes]]:
    """Kind and content of everything below a folder, by path in bytes."""
    found: dict[bytes, tuple[str, bytes]] = {}
    for parent, folders, names in os.walk(os.fsencode(folder)):
        for name in [*names, *(name for name in folders if os.path.islink(os.path.join(parent, name)))]:
            path = os.path.join(parent, name)
            key = os.path.relpath(path, os.fsencode(folder))
            mode = os.lstat(path).st_mode
            if stat.S_ISLNK(mode):
                found[key] = ("link", os.readlink(path))
            else:
                found[key] = ("executable" if mode & stat.S_IXUSR else "file", Path(os.fsdecode(path)).read_bytes())
    return found


def committed(project: GitProject, commit: str) -> dict[bytes, tuple[str, bytes]]:
    """What git says the commit holds, in the same shape."""
    kinds = {"100644": "file", "100755": "executable", "120000": "link"}
    found: dict[bytes, tuple[str, bytes]] = {}
    listing = subprocess.run(
        ["git", "ls-tree", "-rz", commit], cwd=project.folder, check=True, capture_output=True
    ).stdout
    for entry in listing.split(b"\0")[:-1]:
        meta, _, name = entry.partition(b"\t")
        mode, _, blob = meta.decode().split(" ")
        content = subprocess.run(["git", "cat-file", "blob", blob], cwd=project.folder, check=True, capture_output=True)
        found[name] = (kinds[mode], content.stdout)
    return found


def commit_as_is(project: GitProject, contents: dict[str, bytes]) -> str:
    """Commits these bytes, whatever the attributes say."""
    for name, content in contents.items():
        blob = project.git("hash-object", "-w", "--no-filters", "--stdin", input=content)
        project.git("update-index", "--add", "--cacheinfo", f"100644,{blob},{name}")
    project.git("commit", "--quiet", "--message", "x")
    return project.git("rev-parse", "HEAD")


def test_attributes_and_settings_change_nothing(
    git_project: GitProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = tmp_path / "ran"
    settings = {
        "filter.lfs.smudge": f"touch {marker}; sed s/oid/evil/",
        "filter.lfs.required": "true",
        "core.autocrlf": "true",
        "core.eol": "crlf",
        "core.attributesFile": str(tmp_path / "attributes"),
        "core.fsmonitor": f"touch {marker}",
        "core.hooksPath": str(tmp_path / "hooks"),
    }
    (tmp_path / "attributes").write_text("* text eol=crlf filter=lfs\n")
    (tmp_path / "hooks").mkdir()
    (tmp_path / "hooks/post-checkout").write_text(f"#!/bin/sh\ntouch {marker}\n")
    (tmp_path / "hooks/post-checkout").chmod(0o755)
    commit = commit_as_is(git_project, {".gitattributes": ATTRIBUTES.encode(), **CONTENTS})
    for name, value in settings.items():
        git_project.git("config", name, value)
        git_project.git("config", "--global", name, value)
    (git_project.folder / ".git/info/attributes").write_text("* text eol=crlf filter=lfs\n")
    monkeypatch.setenv("GIT_ATTR_SOURCE", "HEAD")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    git_project.open().export(commit, tmp_path / "out")
    expected = committed(git_project, commit)
    assert tree_of(tmp_path / "out") == expected
    assert {name: expected[name.encode()][1] for name in CONTENTS} == CONTENTS
    assert not marker.exists()


def test_names_modes_and_links(git_project: GitProject, tmp_path: Path) -> None:
    names = [
        b"a b",
        b"-rf",
        b"--help",
        b"new\nline",
        b"tab\there",
        b"quote\"'",
        b"\xff\xfe not UTF-8",
        "é".encode(),
        b"*?[",
        b"$(id);`",
    ]
    for name in [*names, b"folder with blank/-x\n/deep"]:
        path = Path(os.fsdecode(os.fsencode(git_project.folder) + b"/" + name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"content of " + name)
    (git_project.folder / "run.sh").write_text("#!/bin/sh\n")
    (git_project.folder / "run.sh").chmod(0o755)
    links = {"link": "envs/dev.yaml", "outside": "/etc/passwd", "folder": "envs", "dangling": "nowhere\n"}
    for link, target in links.items():
        (git_project.folder / link).symlink_to(target)
    commit = git_project.commit()
    git_project.open().export(commit, tmp_path / "out")
    found = tree_of(tmp_path / "out")
    assert found == committed(git_project, commit)
    assert found[b"run.sh"][0] == "executable"
    assert found[b"outside"] == ("link", b"/etc/passwd")
    assert found[b"folder with blank/-x\n/deep"][0] == "file"


def test_the_working_tree_and_its_index_play_no_part(git_project: GitProject, tmp_path: Path) -> None:
    commit = git_project.git("rev-parse", "HEAD")
    git_project.write({"envs/dev.yaml": "changed", "untracked": "x", "staged": "x"})
    git_project.git("add", "staged")
    index = (git_project.folder / ".git/index").read_bytes()
    git_project.open().export(commit, tmp_path / "out")
    assert tree_of(tmp_path / "out") == committed(git_project, commit)
    assert (git_project.folder / ".git/index").read_bytes() == index
    assert not list(tmp_path.glob(".export-*"))


def test_submodules_are_empty(git_project: GitProject, tmp_path: Path) -> None:
    git_project.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},vendor")
    git_project.git("commit", "--quiet", "--message", "x")
    git_project.open().export(git_project.git("rev-parse", "HEAD"), tmp_path / "out")
    assert not (tmp_path / "out/vendor").is_dir() or not list((tmp_path / "out/vendor").iterdir())


@pytest.mark.parametrize("name", [".git", "..", "a/../../evil"])
def test_a_tree_that_would_leave_its_folder_is_refused(git_project: GitProject, tmp_path: Path, name: str) -> None:
    """Such trees cannot be made by `git add`; a hostile client can push them."""
    blob = git_project.git("hash-object", "-w", "--stdin", input=b"evil")
    entry = b"100644 " + name.encode() + b"\0" + bytes.fromhex(blob)
    tree = git_project.git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", input=entry)
    commit = git_project.git("commit-tree", "-m", "x", tree)
    with pytest.raises(DependencyError, match="cannot be exported"):
        git_project.open().export(commit, tmp_path / "deep/er/out")
    assert not list(tmp_path.rglob("evil"))
    assert list((tmp_path / "deep/er").iterdir()) == []


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch, lambda path: path.symlink_to("nowhere")])
def test_an_existing_destination_is_not_touched(git_project: GitProject, tmp_path: Path, make: object) -> None:
    make(tmp_path / "out")  # type: ignore[operator]
    with pytest.raises(DependencyError, match="exists already"):
        git_project.open().export(git_project.git("rev-parse", "HEAD"), tmp_path / "out")
    assert os.path.lexists(tmp_path / "out")


def test_a_commit_that_is_not_there(git_project: GitProject, tmp_path: Path) -> None:
    with pytest.raises(DependencyError, match="the commit 1111111111111111111111111111111111111111 is missing"):
        git_project.open().export("1" * 40, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_full_disk_leaves_nothing_behind(git_project: GitProject, tmp_path: Path) -> None:
    """No file may grow beyond 64 KiB in a process of its own, which is what a full disk does to git's writes."""
    commit = git_project.commit({"small": "x", "large": os.urandom(300_000)})
    code = (
        "import resource, sys\nfrom pathlib import Path\nfrom orchestrator.effects.git.repository import Repository\n"
        "from orchestrator.errors import OrchestrateError\n"
        "before = resource.getrlimit(resource.RLIMIT_FSIZE)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (65536, before[1]))\n"
        f"try: Repository.open(Path({str(git_project.folder)!r})).export({commit!r}, Path({str(tmp_path / 'out')!r}))\n"
        "except OrchestrateError as error: print(error); sys.exit(error.exit_code)\n"
        "finally: resource.setrlimit(resource.RLIMIT_FSIZE, before)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (6, "")
    assert f"commit {commit[:12]} cannot be exported" in done.stdout
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".export-*"))


@pytest.mark.parametrize("free", [200, 8, 0])
def test_a_file_system_that_is_full(git_project: GitProject, mounted: Mounted, free: int) -> None:
    small_disk = mounted(256)
    commit = git_project.commit({"large": os.urandom(300_000)})
    (small_disk / "ballast").write_bytes(b"x" * (248 - free) * 1024)
    repository = git_project.open()
    with pytest.raises((DependencyError, OSError), match=r"(?i)cannot be exported|no space left"):
        repository.export(commit, small_disk / "out")
    assert [path.name for path in small_disk.iterdir()] == ["ballast"]
