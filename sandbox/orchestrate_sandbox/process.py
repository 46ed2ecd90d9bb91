"""Starts the sandbox's server as a process of its own, and ends it.

The server gets its layout as the first line of its standard input and answers with one line on its standard output
when it is ready. A private server ends when its standard input ends, so it never outlives the one who started it,
not even after `kill -9`.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from orchestrate_sandbox import environment
from orchestrate_sandbox.keys import KEY_ID, for_clients
from orchestrate_sandbox.layout import Address, SandboxLayout, encode
from orchestrator.errors import DependencyError
from orchestrator.model.text import decoding

START_SECONDS = 60.0
STOP_SECONDS = 10.0
_LAST_LINES = 5
_ABOVE = Path(__file__).parents[1]  # so that the server is the one that we are of


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox; `env` is all that a program needs to be in it (beside a surrounding without `AWS_*`)."""

    env: dict[str, str]
    endpoint: str
    proxy: str
    pid: int

    @property
    def secret(self) -> str:
        """For the paths that are no part of AWS."""
        return self.env["AWS_SECRET_ACCESS_KEY"]


@contextlib.contextmanager
def start(layout: SandboxLayout, *, log: Path | None = None) -> Iterator[Sandbox]:
    """A private sandbox for as long as the block runs; several may run side by side.

    `log` gets what the server writes (failures inside the emulator). Raises DependencyError when it does not
    start.
    """
    with _sink(log) as sink, _private(sink) as server:
        yield _sandbox(_ready(server, layout, sink), layout)


def start_in_background(layout: SandboxLayout, folder: Path) -> Address:
    """Starts a server that outlives us and keeps `state.json` and `server.log` in `folder`; see `background`."""
    log = folder / "server.log"
    with log.open("w+b") as sink:
        server = _popen(["--folder", os.fspath(folder)], sink)
        try:
            address = _ready(server, layout, sink)
        except BaseException:
            _end(server)
            raise
        _close_pipes(server)
    server.returncode = 0  # it is not ours to wait for: keeps Popen from warning about a running child
    return address


def _sandbox(address: Address, layout: SandboxLayout) -> Sandbox:
    keys = for_clients(KEY_ID, address.secret)
    variables = environment.environment(address.endpoint, address.proxy, layout.region, keys)
    return Sandbox(env=variables, endpoint=address.endpoint, proxy=address.proxy, pid=address.pid)


@contextlib.contextmanager
def _sink(log: Path | None) -> Iterator[IO[bytes]]:
    with tempfile.TemporaryFile() if log is None else log.open("w+b") as sink:
        yield sink


@contextlib.contextmanager
def _private(sink: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    server = _popen([], sink)
    try:
        yield server
    finally:
        _end(server)


def _popen(arguments: list[str], sink: IO[bytes]) -> subprocess.Popen[bytes]:
    """A session of its own: Ctrl-C in a terminal is for the command in the sandbox, not for the sandbox."""
    if importlib.util.find_spec("moto") is None:
        raise DependencyError(
            "the sandbox needs moto, which is not installed",
            hint="In a clone of orchestrate, run `make install`, or `make install-to DEST=... WITH=sandbox`.",
        )
    return subprocess.Popen(
        [sys.executable, "-m", "orchestrate_sandbox.server", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=sink,
        env=_server_environment(),
        cwd=_ABOVE,
        start_new_session=True,
    )


def _server_environment() -> dict[str, str]:
    """Nothing that makes botocore or moto differ from machine to machine, and no proxy."""
    ours = {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "MOTO_DISABLE_GLOBAL_CORS": "true",
    }
    kept = {name: value for name, value in os.environ.items() if not _steers_the_emulator(name)}
    return {**kept, **ours}


def _steers_the_emulator(name: str) -> bool:
    return name.startswith(("AWS_", "MOTO_", "BOTO_")) or name.lower().endswith("_proxy")


def _ready(server: subprocess.Popen[bytes], layout: SandboxLayout, sink: IO[bytes]) -> Address:
    assert server.stdin is not None
    assert server.stdout is not None
    with contextlib.suppress(BrokenPipeError):  # then it has ended, and its log says why
        server.stdin.write(encode(layout) + b"\n")
        server.stdin.flush()
    readable, _, _ = select.select([server.stdout], [], [], START_SECONDS)
    line = server.stdout.readline() if readable else b""
    if not line:
        raise DependencyError("the sandbox did not start", hint=_why(sink, late=not readable))
    return decoding.decode(line, Address)


def _why(sink: IO[bytes], *, late: bool) -> str:
    sink.seek(0)
    lines = sink.read().decode(errors="replace").strip().splitlines()[-_LAST_LINES:]
    reasons = [f"It was not ready within {START_SECONDS:g} s."] if late else []
    return "\n".join([*reasons, *lines]) or "It ended without a word."


def _end(server: subprocess.Popen[bytes]) -> None:
    """Ends it for good: asked first, killed when it does not listen. Harmless when it has ended already."""
    _close_pipes(server)
    server.terminate()
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _close_pipes(server: subprocess.Popen[bytes]) -> None:
    for pipe in (server.stdin, server.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
