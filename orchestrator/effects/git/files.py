"""The files of a commit or of a working tree, by path from the top of the repository."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from orchestrator.effects.git.command import reading
from orchestrator.effects.system import process
from orchestrator.effects.system.process import TimeLimits
from orchestrator.errors import DependencyError
from orchestrator.model.checks.coverage import Coverage, Kind, Kinds
from orchestrator.model.checks.finding import printable
from orchestrator.model.text.canonical import canonical_json, sha256

if TYPE_CHECKING:
    from orchestrator.effects.git.repository import Repository

_MODES: Mapping[str, Kind] = {"100644": "file", "100664": "file", "100755": "executable", "120000": "link"}
_GIT_SECONDS = 120
_POINTER, _LONGEST_POINTER = b"version https://git-lfs.github.com/spec/", 1024
_PASSED_OVER = frozenset({".git", ".terraform", "node_modules"})


class Files(Protocol):
    """What can be listed and read; it does not change during a run."""

    def __hash__(self) -> int: ...

    @property
    def kinds(self) -> Kinds: ...

    def read(self, path: str) -> bytes:
        """The content of a file, or the target of a link."""

    def sha256(self, path: str) -> str:
        """Of the content, taken once."""


@dataclass(frozen=True, eq=False)
class CommitFiles:
    """The files of one commit; submodules are none of them."""

    repository: Repository
    kinds: Kinds
    ids: Mapping[str, str]

    @staticmethod
    def of(repository: Repository, commit: str) -> CommitFiles:
        entries = [entry for entry in repository.all_files(commit) if entry[1] in _MODES]
        kinds = {path: _MODES[mode] for path, mode, _ in entries}
        return CommitFiles(repository, kinds, {path: object_id for path, _, object_id in entries})

    def read(self, path: str) -> bytes:
        return self.repository.blob(self.ids[path])

    def sha256(self, path: str) -> str:
        return _sha256(self, path)


@dataclass(frozen=True, eq=False)
class FolderFiles:
    """The files of a folder, or of the working tree of a repository: what git tracks or would add."""

    top: Path
    kinds: Kinds

    @staticmethod
    def around(folder: Path) -> FolderFiles:
        """Of the working tree that `folder` is in, or of the folder itself where there is none."""
        found = _work_tree(folder)
        top, paths = found if found is not None else (folder, _walked(folder))
        return FolderFiles(top, _kinds(top, paths))

    def read(self, path: str) -> bytes:
        full = self.top / path
        return os.fsencode(os.readlink(full)) if self.kinds[path] == "link" else full.read_bytes()

    def sha256(self, path: str) -> str:
        return _sha256(self, path)


@lru_cache(maxsize=100_000)
def _sha256(files: Files, path: str) -> str:
    """Targets share most of their files; each is read once."""
    return hashlib.sha256(files.read(path)).hexdigest()


def _work_tree(folder: Path) -> tuple[Path, list[str]] | None:
    """The top of the working tree that `folder` is in, and its files: tracked ones, and new ones not ignored.

    None where there is no repository, or a bare one. Not through GitPython: its import alone takes longer than
    all the rest of a check that is answered from the cache.
    """
    if not any((parent / ".git").exists() for parent in (folder.absolute(), *folder.absolute().parents)):
        return None
    top = _git(folder, "rev-parse", "--show-toplevel").removesuffix("\n")
    listing = _git(Path(top), "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    return Path(top), [path for path in listing.split("\0") if path]


def _git(folder: Path, *arguments: str) -> str:
    """What git prints; names that are not UTF-8 keep their bytes (PEP 383)."""
    with tempfile.TemporaryDirectory(prefix="orchestrate-") as scratch:
        out, err = Path(scratch, "out"), Path(scratch, "err")
        code = process.collect(
            ["git", *arguments],
            cwd=folder,
            env=reading(),
            stdout=out,
            stderr=err,
            limits=TimeLimits(_GIT_SECONDS),
        )
        if code != 0:
            said = err.read_text("utf-8", errors="replace").strip().splitlines() or ["no reason given"]
            raise DependencyError(f"git cannot list the files around {folder}: {printable(said[0], 300)}")
        return os.fsdecode(out.read_bytes())


def _walked(folder: Path) -> list[str]:
    found = []
    for base, folders, names in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(base, name))]
        folders[:] = [name for name in folders if name not in _PASSED_OVER and name not in links]
        found += [os.path.relpath(os.path.join(base, name), folder) for name in (*names, *links)]
    return found


def _kinds(top: Path, paths: list[str]) -> dict[str, Kind]:
    """What is not a file or link (a deleted file, a submodule, a socket) is left out."""
    kinds: dict[str, Kind] = {}
    for path in paths:
        try:
            mode = os.lstat(f"{top}/{path}").st_mode
        except OSError:
            continue
        if stat.S_ISLNK(mode):
            kinds[path] = "link"
        elif stat.S_ISREG(mode):
            kinds[path] = "executable" if mode & stat.S_IXUSR else "file"  # as git has it
    return kinds


def lfs_pointers(folder: Path) -> Iterator[str]:
    """Files that only say what Git LFS has to fetch in their place (its specification, "Pointer format")."""
    if not any(b"filter=lfs" in path.read_bytes() for path in folder.rglob(".gitattributes") if path.is_file()):
        return
    for base, _, names in os.walk(folder):
        for name in names:
            path = Path(base, name)
            if path.is_file() and path.stat().st_size < _LONGEST_POINTER and path.read_bytes().startswith(_POINTER):
                yield printable(str(path.relative_to(folder)), 300)


def digest(files: Files, coverage: Coverage) -> str:
    """SHA-256 over paths, kinds and contents of what is covered; equal digests are equal sources."""
    contents = [[path, files.kinds[source], files.sha256(source)] for path, source in coverage.files.items()]
    links = [[path, "link", target] for path, target in coverage.links.items()]
    plain = [[_ascii(path), kind, _ascii(content)] for path, kind, content in contents + links]
    return sha256(canonical_json({"files": plain, "modules": [_ascii(module) for module in coverage.modules]}))


def _ascii(text: str) -> str:
    """Lone surrogates (a name that is not UTF-8) have no place in JSON."""
    return text.encode("unicode_escape").decode("ascii")


def write_out(files: Files, coverage: Coverage, folder: Path) -> None:
    """Writes what is covered below `folder`, which must be empty; files are read-only for others."""
    for path, source in coverage.files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(target, "xb", opener=_private(files.kinds[source] == "executable")) as file:
            file.write(files.read(source))
    for path, link in coverage.links.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        os.symlink(link, folder / path)


def _private(executable: bool) -> Callable[[str, int], int]:
    return lambda path, flags: os.open(path, flags, 0o700 if executable else 0o600)
