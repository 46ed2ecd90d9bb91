"""A commit's files on the disk, byte for byte as committed."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path

from orchestrator.effects.git import own_folder
from orchestrator.effects.git.command import GitCommand
from orchestrator.effects.git.objects import EXECUTABLE, LINK, SUBMODULE, TreeFile, object_id
from orchestrator.errors import DependencyError
from orchestrator.model.text.quoting import escaped

_NO_SETTINGS = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
}


def export(common_dir: Path, commit: str, files: Collection[TreeFile], destination: Path) -> None:
    """Writes the commit's files to `destination`, which must not exist yet.

    Goes through an index of its own in an empty git folder: no filter, end-of-line conversion, `export-ignore`,
    `export-subst`, hook or configuration of anyone changes a file. What is then on the disk is hashed and compared with
    `files`, what the commit's trees name. All or nothing: a failure, a full disk for one, leaves no destination behind.
    """
    what = f"commit {commit[:12]} cannot be exported to {destination}"
    if os.path.lexists(destination):
        raise DependencyError(f"{what}: it exists already")
    destination.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".export-", dir=destination.parent))
    try:
        tree = scratch / "tree"
        tree.mkdir()
        sha256 = len(commit) == 64
        own = own_folder.make(scratch / "git", common_dir, sha256=sha256, attributes=own_folder.AS_COMMITTED_BYTES)
        env = {**own, **_NO_SETTINGS, "GIT_WORK_TREE": str(tree)}
        git = GitCommand(tree)
        git.run("read-tree", commit, env=env)
        git.run("checkout-index", "--all", env=env)
        _compare(tree, files)
        tree.rename(destination)
    except DependencyError as error:
        hint = error.hint or f"Is there room for it, and a limit on files (`df {destination.parent}`, `ulimit -f`)?"
        raise DependencyError(f"{what}: {error.message}", hint=hint) from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _compare(tree: Path, files: Collection[TreeFile]) -> None:
    """Git writes what an object holds, whether or not that is what its id says; raises DependencyError."""
    wanted = {file.path: file for file in files if file.mode != SUBMODULE}
    for path, file in wanted.items():
        if _written(tree / path, file) != file.id:
            raise DependencyError(f"{escaped(path)} is not what the commit names", hint="Run `git fsck`.")
    there = {path for base, folders, names in os.walk(tree) for path in _below(tree, base, folders, names)}
    for path in sorted(there - wanted.keys()):
        raise DependencyError(f"{escaped(path)} is not in the commit", hint="Run `git fsck`.")


def _below(tree: Path, base: str, folders: list[str], names: list[str]) -> Iterator[str]:
    links = [name for name in folders if os.path.islink(os.path.join(base, name))]
    return (os.path.relpath(os.path.join(base, name), tree) for name in (*names, *links))


def _written(path: Path, file: TreeFile) -> str | None:
    """The id of what stands there; None where it is missing, or of another kind."""
    try:
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode) and file.mode == LINK:
            return object_id("blob", os.fsencode(os.readlink(path)), like=file.id)
        executable = bool(status.st_mode & stat.S_IXUSR)
        if not stat.S_ISREG(status.st_mode) or file.mode == LINK or executable != (file.mode == EXECUTABLE):
            return None
        return object_id("blob", path.read_bytes(), like=file.id)
    except OSError:
        return None
