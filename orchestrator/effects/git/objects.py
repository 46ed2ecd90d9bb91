"""Objects of a git repository, asked of one `git cat-file` that stays open, and hashed as they come.

Git itself does not hash what it reads: a repository that somebody hands over may hold any content under any id. So
only ids are asked for, and the way from a tag to its commit, to its trees and from there to a file is gone here.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import subprocess
import threading
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from orchestrator.effects.git.command import GitCommand, failure
from orchestrator.effects.system import process as processes
from orchestrator.errors import DependencyError

_ANSWER = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64}) (commit|tree|blob|tag) ([0-9]+)")
_NO_SUCH_OBJECT = (b" missing", b" ambiguous", b" submodule")
EXECUTABLE, LINK, SUBMODULE, _FOLDER = "100755", "120000", "160000", "40000"
_OBJECT_ID = re.compile("[0-9a-f]{40}([0-9a-f]{24})?")
_DEEPEST = 64  # tags of tags; git's own tools never make one of more than a few
_DEEPEST_FOLDER = 200
_KEPT_TREES = 10_000


@dataclass(frozen=True)
class GitObject:
    """`kind` is commit, tree, blob or tag."""

    id: str
    kind: str
    content: bytes


@dataclass(frozen=True)
class TreeEntry:
    """One name in a folder; `mode` as git has it: 100644, 100755 (files), 120000 (link), 40000 (folder)."""

    mode: str
    name: str
    id: str

    @property
    def is_folder(self) -> bool:
        return self.mode == _FOLDER

    @property
    def is_file(self) -> bool:
        return self.mode.startswith("100")

    @property
    def is_submodule(self) -> bool:
        return self.mode == SUBMODULE

    @property
    def is_link(self) -> bool:
        return self.mode == LINK


@dataclass(frozen=True)
class TreeFile:
    """A file, link or submodule of a commit; `path` is from the top of the repository."""

    path: str
    mode: str
    id: str


class Objects:
    """Answers by object id; safe to use from several threads."""

    def __init__(self, command: GitCommand) -> None:
        self._command = command
        self._one_at_a_time = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._trees: dict[str, tuple[TreeEntry, ...]] = {}

    def get(self, id: str) -> GitObject | None:
        """The object of this id, None where there is none; DependencyError where git fails, or it is another one."""
        found = self._read(id) if _OBJECT_ID.fullmatch(id) else None
        if found is not None and (found.id != id or object_id(found.kind, found.content, like=id) != id):
            raise DependencyError(
                f"the object {id} of this repository is not what its id says", hint="Run `git fsck`, and clone anew."
            )
        return found

    def peeled(self, id: str) -> GitObject | None:
        """The commit that this object is, or that a tag leads to; None where there is none."""
        for _ in range(_DEEPEST):
            found = self.get(id)
            if found is None or found.kind != "tag":
                return found if found is not None and found.kind == "commit" else None
            id = _first(found.content, b"object")
        return None

    def parents(self, commit: str) -> list[str]:
        """The ids that a commit names as its parents; DependencyError where it is missing."""
        return _parents(self._must(commit, "commit").content)

    def tree_of(self, commit: str) -> str:
        """The id of a commit's top folder."""
        return _first(self._must(commit, "commit").content, b"tree")

    def tree(self, id: str) -> tuple[TreeEntry, ...]:
        """What stands in a folder; DependencyError where it is missing."""
        if id not in self._trees:
            if len(self._trees) >= _KEPT_TREES:
                self._trees.clear()
            self._trees[id] = tuple(entries(self._must(id, "tree").content, id))
        return self._trees[id]

    def at(self, commit: str, path: str) -> TreeEntry | None:
        """What a commit has at a path (`.`: its top folder); None where nothing stands there."""
        here: TreeEntry | None = TreeEntry(_FOLDER, ".", self.tree_of(commit))
        for part in PurePosixPath(path).parts:
            if here is None or not here.is_folder:
                return None
            here = next((entry for entry in self.tree(here.id) if entry.name == part), None)
        return here

    def files(self, commit: str) -> Iterator[TreeFile]:
        """Every file, link and submodule of a commit, in the order of its trees."""
        yield from self._files(self.tree_of(commit), "", 0)

    def _files(self, tree: str, prefix: str, depth: int) -> Iterator[TreeFile]:
        if depth > _DEEPEST_FOLDER:
            raise DependencyError("the commit has folders within folders without end")
        for entry in self.tree(tree):
            if entry.is_folder:
                yield from self._files(entry.id, f"{prefix}{entry.name}/", depth + 1)
            else:
                yield TreeFile(prefix + entry.name, entry.mode, entry.id)

    def _must(self, id: str, kind: str) -> GitObject:
        found = self.get(id)
        if found is None or found.kind != kind:
            raise DependencyError(
                f"the {kind} {id} is missing from the repository, or broken",
                hint="`git fsck` tells more. Is the clone complete? Objects are not fetched while it is read.",
            )
        return found

    def _read(self, id: str) -> GitObject | None:
        with self._one_at_a_time:
            try:
                return self._ask(id.encode())
            except OSError as error:
                raise self._failed(error.strerror) from None
            except BaseException:  # an answer may be half read: the next question needs a process of its own
                self._process = None
                raise

    def _ask(self, name: bytes) -> GitObject | None:
        if self._process is None:
            self._process = self._command.start("cat-file", "--batch")
            weakref.finalize(self, processes.end, self._process)
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(name + b"\n")
        stdin.flush()
        answer = stdout.readline().removesuffix(b"\n")
        found = _ANSWER.fullmatch(answer)
        if found is None:
            if answer.endswith(_NO_SUCH_OBJECT):
                return None
            raise self._failed(None)
        content = stdout.read(int(found[3]) + 1)
        return GitObject(found[1].decode(), found[2].decode(), content[:-1])

    def _failed(self, reason: str | None) -> DependencyError:
        process, self._process = self._process, None
        assert process is not None
        assert process.stderr is not None
        process.terminate()
        said = process.stderr.read().decode(errors="replace")
        return failure("git cannot read the repository", said or reason or "it ended without an answer")


def entries(tree: bytes, tree_id: str) -> Iterator[TreeEntry]:
    """The names in a tree object's content; names that are not UTF-8 keep their bytes (PEP 383)."""
    id_length, at = len(tree_id) // 2, 0
    while at < len(tree):
        end = tree.index(b"\0", at)
        mode, _, name = tree[at:end].partition(b" ")
        id = tree[end + 1 : end + 1 + id_length].hex()
        yield TreeEntry(mode.decode("ascii"), os.fsdecode(name), id)
        at = end + 1 + id_length


def object_id(kind: str, content: bytes, *, like: str) -> str:
    """The id of such an object, in the hash function of the id `like`."""
    hashed = hashlib.sha256 if len(like) == 64 else hashlib.sha1
    return hashed(f"{kind} {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()


def _parents(commit: bytes) -> list[str]:
    """As git reads them: the lines that follow the first, whatever stands further down."""
    lines = itertools.islice(commit.split(b"\n"), 1, None)
    return [_id(line) for line in itertools.takewhile(lambda line: line.startswith(b"parent "), lines)]


def _first(content: bytes, name: bytes) -> str:
    """The id in the first line, which is a commit's tree and a tag's object; else no id."""
    line = content.partition(b"\n")[0]
    return _id(line) if line.startswith(name + b" ") else ""


def _id(line: bytes) -> str:
    return line.partition(b" ")[2].decode("ascii", "replace")
