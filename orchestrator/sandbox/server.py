"""The sandbox's server: `python -m orchestrator.sandbox.server`, started by `process` alone.

Reads its layout from the first line of standard input, starts the emulated AWS and the proxy, says so in one line on
standard output, and serves until SIGTERM. Without `--folder` it also ends when standard input ends.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO
from uuid import uuid4

import msgspec

from orchestrator.sandbox import layout as layouts
from orchestrator.sandbox import state
from orchestrator.sandbox.layout import Address
from orchestrator.sandbox.pipeline import forgetting
from orchestrator.sandbox.state import State


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="orchestrator.sandbox.server")
    parser.add_argument("--folder", type=Path, help="keep state here and outlive the one who starts us")
    folder: Path | None = parser.parse_args(arguments).folder
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    starter = _standard_output_is_for_the_starter()
    layout = layouts.decode(sys.stdin.buffer.readline())
    if folder is None:
        own = Path(tempfile.gettempdir(), f"orchestrate-sandbox-{uuid4()}")
        try:
            _say_ready(starter, _serve(layout, own))
            sys.stdin.buffer.read()
        finally:
            _clean_up(own)
        return
    state.claim(folder)  # never given up: `down` waits for the end of the process
    address = _serve(layout, _emptied(folder / "pipeline"))
    try:
        state.write(folder, State(address, layout))
        _say_ready(starter, address)
        _wait_until_lost(folder)
    finally:
        state.forget(folder, os.getpid())
        _clean_up(folder / "pipeline")


def _standard_output_is_for_the_starter() -> IO[bytes]:
    """The starter's pipe; what anything else prints goes to the log (moto prints what it cannot route)."""
    starter = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return starter


def _serve(layout: layouts.SandboxLayout, own: Path) -> Address:
    """Imports moto only here: its settings are read from the environment when it is imported."""
    from orchestrator.sandbox import emulator, proxy
    from orchestrator.sandbox.pipeline import place

    endpoint = emulator.serve(layout)
    address = Address(pid=os.getpid(), endpoint=endpoint, proxy=proxy.serve(endpoint))
    place.settle(place.Place(address.endpoint, address.proxy, own))
    return address


def _clean_up(own: Path) -> None:
    """The starter both ends our standard input and sends a signal; one of them is enough."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    forgetting.end_what_runs()
    shutil.rmtree(own, ignore_errors=True)


def _emptied(folder: Path) -> Path:
    """What a server that was killed has left there is gone with its emulated AWS."""
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def _say_ready(starter: IO[bytes], address: Address) -> None:
    with contextlib.suppress(BrokenPipeError), starter:
        starter.write(msgspec.json.encode(address) + b"\n")


def _wait_until_lost(folder: Path) -> None:
    """Nobody could find or stop a server whose state is gone."""
    while state.names(folder, os.getpid()):
        threading.Event().wait(state.LOST_SECONDS)


if __name__ == "__main__":
    main()
