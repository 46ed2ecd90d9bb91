"""Folders that hold what runs with a release's credentials: nobody else may write in them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from pathlib import Path

from orchestrator.errors import DependencyError


def private_folder(path: Path) -> Path:
    """Creates the folder (mode 0700) where it is missing. Raises DependencyError where others may write in it."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DependencyError(f"cannot create {path}: {error.strerror}", hint=_ELSEWHERE) from None
    refuse_if_shared(path)
    return path


def refuse_if_shared(path: Path) -> None:
    """Raises DependencyError unless the folder is ours and nobody else may write in it."""
    status = path.stat()
    if status.st_uid != os.geteuid():
        raise DependencyError(f"{path} belongs to another user, who could replace programs in it", hint=_ELSEWHERE)
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise DependencyError(
            f"others may write in {path}, so they could replace programs in it",
            hint=f"Look through what it holds and run `chmod go-w {path}`, or remove it.",
        )


def note_program(program: Path) -> None:
    """Notes the hash of a program that has just been installed, beside the tools."""
    _note(program, _digest(program))


def refuse_if_replaced(program: Path) -> None:
    """Raises DependencyError where the program is not the one that was installed.

    Its hash is taken anew whenever the file is another one, or was written to, since it was last taken. What an
    earlier version has installed without noting its hash is noted when it is first used.
    """
    note = _note_of(program)
    try:
        digest, _, identity = note.read_text("ascii").partition(" ")
    except FileNotFoundError:
        return note_program(program)
    except (OSError, UnicodeDecodeError):
        digest = identity = ""
    refuse_if_shared(note)
    if identity == _identity(program):
        return None
    if _digest(program) != digest:
        raise DependencyError(
            f"{program} is not the program that was installed there: somebody has replaced or changed it",
            hint=f"Find out who; then remove {program.parent} and run `orchestrate tools install {program.name}`.",
        )
    return _note(program, digest)


def _note_of(program: Path) -> Path:
    """Not in the folder of the programs: it holds nothing but them."""
    return program.parents[2] / "programs" / f"{program.parent.name}.sha256"


def _note(program: Path, digest: str) -> None:
    """Whole or not at all; a cache on a disk that cannot be written is looked through each time."""
    with contextlib.suppress(OSError):
        descriptor, name = tempfile.mkstemp(dir=private_folder(_note_of(program).parent))  # mode 0600
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(f"{digest} {_identity(program)}")
        os.replace(name, _note_of(program))


def _identity(program: Path) -> str:
    """Of the file as it is: nobody but the system sets the time of its last change (ctime)."""
    status = program.stat()
    return f"{status.st_dev} {status.st_ino} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"


def _digest(program: Path) -> str:
    with program.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


_ELSEWHERE = "Set ORCHESTRATE_CACHE to a folder of your own."
