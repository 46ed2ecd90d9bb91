"""The bundle that travels between machines: a bare clone of the repository, as a zip archive."""

from __future__ import annotations

import zipfile
from pathlib import Path

from orchestrator.effects.git.command import GitCommand

CLONE = "repository.git"
"""The clone's folder in the archive."""

# Nothing that could run or point elsewhere where the clone is opened.
_LEFT_OUT = ("hooks", "logs", "info", "description", "FETCH_HEAD")


def origin_of(folder: Path) -> str:
    """Where a clone was made from; the repository itself where it is not a clone."""
    return GitCommand(folder).run("remote", "get-url", "origin", missing="") or str(folder)


def clone(url: str, folder: Path) -> Path:
    """A full bare clone of branches and tags in `folder`; DependencyError where git cannot make it."""
    made = folder / CLONE
    git = GitCommand(folder, online=True)
    git.run("clone", "--bare", "--quiet", "--no-local", "--template=", "--end-of-options", url, str(made))
    return made


def pack(clone: Path, archive: Path) -> None:
    """Writes the archive; what a clone need not have is left out, its settings but for the format included."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as target:
        for path in sorted(path for path in clone.rglob("*") if path.is_file()):
            relative = path.relative_to(clone)
            if relative.parts[0] not in (*_LEFT_OUT, "config"):
                target.write(path, f"{CLONE}/{relative.as_posix()}")
        target.writestr(f"{CLONE}/config", _config(clone))
        for folder in ("objects", "refs"):  # git takes a folder for a repository only with both
            target.writestr(f"{CLONE}/{folder}/", "")


def _config(clone: Path) -> str:
    """Without the remote: its address may hold a login."""
    kind = GitCommand(clone).run("rev-parse", "--show-object-format")
    if kind == "sha256":
        return "[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectFormat = sha256\n"
    return "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"
