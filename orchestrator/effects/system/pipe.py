"""Hands a program what it can only read from a file, without any of it ever lying on a disk.

What is secret must not be left behind where we are killed, and a program that wants a name that ends in `.json` cannot
be given a descriptor: so the name is that of a pipe, which holds nothing.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path

_LOOK_SECONDS = 0.02


@contextlib.contextmanager
def readable_once(path: Path, content: bytes) -> Iterator[None]:
    """Inside, whoever opens `path` reads `content`, once; a second reader waits until it is stopped."""
    os.mkfifo(path, 0o600)
    done = threading.Event()
    writer = threading.Thread(target=_write, args=(path, content, done), daemon=True)
    writer.start()
    try:
        yield
    finally:
        done.set()
        path.unlink(missing_ok=True)
        writer.join(1.0)


def _write(path: Path, content: bytes, done: threading.Event) -> None:
    """Without a reader a pipe cannot be opened to write; a reader that ends early closes it."""
    while not done.wait(_LOOK_SECONDS):
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno == errno.ENXIO:
                continue
            return
        os.set_blocking(descriptor, True)
        with contextlib.suppress(BrokenPipeError), open(descriptor, "wb") as pipe:
            pipe.write(content)
        return
