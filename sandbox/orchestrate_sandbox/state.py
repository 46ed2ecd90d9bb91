"""Where the background sandbox of a repository keeps its state, and how one knows that it runs.

The server holds a lock on a file for as long as it lives, so "does it run?" is never answered by a process number
that another program may have by now.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from orchestrate_sandbox.layout import Address, SandboxLayout
from orchestrator.errors import DependencyError
from orchestrator.model.text import decoding

LOST_SECONDS = 15.0
"""How long a background server goes on once its state file has been taken away (somebody cleared the cache)."""


@dataclass(frozen=True)
class ServerState:
    """The running server and the layout that it was last filled with."""

    address: Address
    layout: SandboxLayout


def folder_of(repository: Path) -> Path:
    """The folder for one repository's sandbox in the user's cache, made where it is missing (mode 0700)."""
    name = hashlib.sha256(os.fsencode(repository.resolve())).hexdigest()[:16]
    folder = base_folder() / name
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise DependencyError(
            f"cannot use {folder} for the sandbox: {error.strerror}",
            hint="XDG_CACHE_HOME may name another folder.",
        ) from None
    return folder


def base_folder() -> Path:
    """Where the folders of all repositories are; what is in them is for their server and its user alone."""
    return _cache() / "orchestrate" / "sandbox"


def _cache() -> Path:
    """As the XDG Base Directory Specification has it: a relative path is ignored."""
    configured = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return configured if configured.is_absolute() else Path.home() / ".cache"


@contextlib.contextmanager
def one_command_at_a_time(folder: Path) -> Iterator[None]:
    """`up`, `down` and `reset` of one repository wait for each other."""
    with _open(folder / "command.lock") as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


def claim(folder: Path) -> int:
    """For the server: marks it as running until the returned descriptor is closed, at the latest when the process ends.

    Raises BlockingIOError if another server runs.
    """
    descriptor = _opened(_alive_lock(folder))
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def forget(folder: Path, pid: int) -> None:
    """Removes the state, unless it is another server's."""
    if names(folder, pid):
        _state_file(folder).unlink(missing_ok=True)


def names(folder: Path, pid: int) -> bool:
    found = read(folder)
    return found is not None and found.address.pid == pid


def is_alive(folder: Path) -> bool:
    with _open(_alive_lock(folder)) as descriptor:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def gone_within(folder: Path, seconds: float) -> bool:
    """Waits until no server runs; False when one still does after `seconds`."""

    def wait_for_the_lock() -> None:
        with _open(_alive_lock(folder)) as descriptor:
            fcntl.flock(descriptor, fcntl.LOCK_SH)

    waiting = threading.Thread(target=wait_for_the_lock, daemon=True)
    waiting.start()
    waiting.join(seconds)
    return not waiting.is_alive()


def write(folder: Path, state: ServerState) -> None:
    """Whole or not at all, mode 0600."""
    descriptor, name = tempfile.mkstemp(dir=folder, prefix="state.")
    with open(descriptor, "wb") as file:
        file.write(msgspec.json.encode(state))
    Path(name).replace(_state_file(folder))


def read(folder: Path) -> ServerState | None:
    """What was written last, whether or not it is still true; None where there is nothing readable."""
    try:
        return decoding.decode(_state_file(folder).read_bytes(), ServerState)
    except (FileNotFoundError, msgspec.DecodeError):  # a ValidationError is a DecodeError
        return None


def _state_file(folder: Path) -> Path:
    return folder / "state.json"


def _alive_lock(folder: Path) -> Path:
    return folder / "server.lock"


@contextlib.contextmanager
def _open(path: Path) -> Iterator[int]:
    descriptor = _opened(path)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
