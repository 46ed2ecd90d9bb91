"""Objects of a git repository, asked of one `git cat-file` that stays open."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import weakref
from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.effects.git.command import GitCommand, failure
from orchestrator.effects.system import process as processes
from orchestrator.errors import DependencyError

_ANSWER = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64}) (commit|tree|blob|tag) ([0-9]+)")
_NO_SUCH_OBJECT = (b" missing", b" ambiguous", b" submodule")


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

    @property
    def is_file(self) -> bool:
        return self.mode.startswith("100")

    @property
    def is_submodule(self) -> bool:
        return self.mode == "160000"

    @property
    def is_link(self) -> bool:
        return self.mode == "120000"


class Objects:
    """Answers by object name; safe to use from several threads."""

    def __init__(self, command: GitCommand) -> None:
        self._command = command
        self._one_at_a_time = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def get(self, name: str) -> GitObject | None:
        """The object of this name (gitrevisions(7)), None where there is none; DependencyError where git fails.

        Only names that begin with an object id or a ref that is known to exist are safe to ask: for any other, git
        searches branches, tags and remotes in turn.
        """
        if "\n" in name or "\0" in name:
            return None
        with self._one_at_a_time:
            try:
                return self._ask(os.fsencode(name))
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


def entries(tree: bytes, object_id: str) -> Iterator[TreeEntry]:
    """The names in a tree object's content; names that are not UTF-8 keep their bytes (PEP 383)."""
    id_length, at = len(object_id) // 2, 0
    while at < len(tree):
        end = tree.index(b"\0", at)
        mode, _, name = tree[at:end].partition(b" ")
        yield TreeEntry(mode.decode("ascii"), os.fsdecode(name))
        at = end + 1 + id_length
