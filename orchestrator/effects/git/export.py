"""A commit's files on the disk, byte for byte as committed."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from orchestrator.effects.git.command import GitCommand
from orchestrator.errors import DependencyError

# gitattributes(5): what stands in info/attributes comes before every .gitattributes.
_ATTRIBUTES = "* -text !eol -ident !filter !working-tree-encoding\n"


def export(common_dir: Path, commit: str, destination: Path) -> None:
    """Writes the commit's files to `destination`, which must not exist yet.

    Goes through an index of its own in an empty git folder: no filter, end-of-line conversion, `export-ignore`,
    `export-subst`, hook or configuration of anyone changes a file. All or nothing: a failure, a full disk for one,
    leaves no destination behind.
    """
    what = f"commit {commit[:12]} cannot be exported to {destination}"
    if os.path.lexists(destination):
        raise DependencyError(f"{what}: it exists already")
    destination.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".export-", dir=destination.parent))
    try:
        tree = scratch / "tree"
        tree.mkdir()
        env = _git_folder(scratch / "git", common_dir, sha256=len(commit) == 64) | {"GIT_WORK_TREE": str(tree)}
        git = GitCommand(tree)
        git.run("read-tree", commit, env=env)
        git.run("checkout-index", "--all", env=env)
        tree.rename(destination)
    except DependencyError as error:
        hint = error.hint or f"Is there room for it, and a limit on files (`df {destination.parent}`, `ulimit -f`)?"
        raise DependencyError(f"{what}: {error.message}", hint=hint) from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _git_folder(folder: Path, common_dir: Path, *, sha256: bool) -> dict[str, str]:
    """Makes a git folder of our own that borrows the repository's objects; returns the environment that uses it."""
    for name in ("objects", "refs", "info"):
        (folder / name).mkdir(parents=True)
    (folder / "HEAD").write_text("ref: refs/heads/none\n")
    (folder / "info" / "attributes").write_text(_ATTRIBUTES)
    settings = "[core]\n\trepositoryformatversion = 1\n\tbare = false\n"
    (folder / "config").write_text(settings + ("[extensions]\n\tobjectFormat = sha256\n" if sha256 else ""))
    return {
        "GIT_DIR": str(folder),
        "GIT_INDEX_FILE": str(folder / "index"),
        "GIT_OBJECT_DIRECTORY": str(common_dir.absolute() / "objects"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
    }
