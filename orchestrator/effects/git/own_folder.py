"""A git folder of our own that borrows a repository's objects: nothing that the repository configures is read.

Filters, textconv and diff programs, credential helpers, ssh commands, remote helpers, programs for signing: all of them
are named by configuration, and each version of git knows more of them than the last. So what must not run any of them
works here, with the user's own settings where those are wanted.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

# gitattributes(5): what stands in info/attributes comes before every .gitattributes.
AS_COMMITTED_BYTES = "* -text !eol -ident !filter !working-tree-encoding\n"
NO_PROGRAMS = "* !filter !diff !merge\n"


def make(folder: Path, common_dir: Path, *, sha256: bool, attributes: str) -> dict[str, str]:
    """Makes it; returns the environment that uses it."""
    for name in ("objects", "refs", "info"):
        (folder / name).mkdir(parents=True)
    (folder / "HEAD").write_text("ref: refs/heads/none\n")
    (folder / "info" / "attributes").write_text(attributes)
    settings = "[core]\n\trepositoryformatversion = 1\n\tbare = false\n"
    (folder / "config").write_text(settings + ("[extensions]\n\tobjectFormat = sha256\n" if sha256 else ""))
    shallow = {"GIT_SHALLOW_FILE": str(common_dir.absolute() / "shallow")}
    return {
        "GIT_DIR": str(folder),
        "GIT_INDEX_FILE": str(folder / "index"),
        "GIT_OBJECT_DIRECTORY": str(common_dir.absolute() / "objects"),
        **(shallow if (common_dir / "shallow").exists() else {}),
    }


@contextlib.contextmanager
def temporary(common_dir: Path, *, sha256: bool) -> Iterator[tuple[Path, dict[str, str]]]:
    """One that is gone afterwards, and the environment that uses it. The user's own settings hold in it."""
    with tempfile.TemporaryDirectory(prefix="orchestrate-git-") as name:
        folder = Path(os.path.realpath(name), "git")
        yield folder, make(folder, common_dir, sha256=sha256, attributes=NO_PROGRAMS)
