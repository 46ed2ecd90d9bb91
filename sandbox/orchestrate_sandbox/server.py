"""The sandbox's server: `python -m orchestrate_sandbox.server`, started by `process` alone.

Reads its layout from the first line of standard input, starts the emulated AWS and the proxy, says so in one line on
standard output, and serves until SIGTERM. Without `--folder` it also ends when standard input ends.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import select
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO
from uuid import uuid4

import msgspec

from orchestrate_sandbox import layout as layouts
from orchestrate_sandbox import state
from orchestrate_sandbox.keys import SandboxKeys
from orchestrate_sandbox.layout import Address
from orchestrate_sandbox.pipeline import forgetting
from orchestrate_sandbox.state import ServerState


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="orchestrate_sandbox.server")
    parser.add_argument("--folder", type=Path, help="keep state here and outlive the one who starts us")
    folder: Path | None = parser.parse_args(arguments).folder
    told = _told_to_end()
    starter = _standard_output_is_for_the_starter()
    layout = layouts.decode(sys.stdin.buffer.readline())
    if folder is None:
        own = Path(tempfile.gettempdir(), f"orchestrate-sandbox-{uuid4()}")
        try:
            _say_ready(starter, _serve(layout, own))
            select.select([told, sys.stdin], [], [])  # the starter sends nothing more: all there is to read is its end
        finally:
            _clean_up(own)
        return
    state.claim(folder)  # never given up: `down` waits for the end of the process
    address = _serve(layout, _emptied(folder / "pipeline"))
    try:
        state.write(folder, ServerState(address, layout))
        _say_ready(starter, address)
        _wait_until_lost(folder, told)
    finally:
        state.forget(folder, os.getpid())
        _clean_up(folder / "pipeline")


def _told_to_end() -> int:
    """A descriptor that can be read once we are to end; SIGTERM and SIGINT do nothing else.

    The starter both ends our standard input and sends a signal: a handler that raises would do so in the midst of the
    cleaning up, and what the builds run would go on for ever.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    return reader


def _standard_output_is_for_the_starter() -> IO[bytes]:
    """The starter's pipe; what anything else prints goes to the log (moto prints what it cannot route)."""
    starter = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return starter


def _serve(layout: layouts.SandboxLayout, own: Path) -> Address:
    """Imports moto only here: its settings are read from the environment when it is imported."""
    from orchestrate_sandbox import emulator, proxy
    from orchestrate_sandbox.pipeline import place

    keys = SandboxKeys()
    endpoint = emulator.serve(layout, keys)
    address = Address(os.getpid(), endpoint, proxy.serve(endpoint, keys), keys.secret)
    place.settle(place.Workplace(address.endpoint, address.proxy, own, keys))
    return address


def _clean_up(own: Path) -> None:
    forgetting.end_what_runs()
    shutil.rmtree(own, ignore_errors=True)


def _emptied(folder: Path) -> Path:
    """What a server that was killed has left there is gone with its emulated AWS."""
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def _say_ready(starter: IO[bytes], address: Address) -> None:
    with contextlib.suppress(BrokenPipeError), starter:
        starter.write(msgspec.json.encode(address) + b"\n")


def _wait_until_lost(folder: Path, told: int) -> None:
    """Nobody could find or stop a server whose state is gone."""
    while state.names(folder, os.getpid()) and not select.select([told], [], [], state.LOST_SECONDS)[0]:
        pass


if __name__ == "__main__":
    main()
