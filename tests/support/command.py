"""`orchestrate` as a process of its own, without waiting each time until all of it is imported."""

from __future__ import annotations

import atexit
import functools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.support import forked

ORCHESTRATE = Path(sys.executable).with_name("orchestrate")
MEASURE = "COVERAGE_PROCESS_CONFIG"  # set by coverage for its patch `subprocess`
_READ_AT_THE_START = re.compile("LC_|LANG|PYTHON")
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class CommandResult:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        return dict(json.loads(self.out))


class RunningCommand:
    """A command that runs. What it offers is what `subprocess.Popen` offers, and does the same.

    As a context it ends with the test, also with one that fails.
    """

    def __init__(self, arguments: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str]) -> None:
        changed = [name for name in env if _READ_AT_THE_START.match(name) and env[name] != os.environ.get(name)]
        assert not changed, f"{changed} count when a process starts: start one"
        self.args = [str(ORCHESTRATE), *map(str, arguments)]
        self.returncode: int | None = None
        self._said: tuple[str, str] | None = None
        self._out, self._err = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115 - `close` does
        self._connection, theirs = socket.socketpair()
        with theirs:
            descriptors = [theirs.fileno(), self._out.fileno(), self._err.fileno()]
            socket.send_fds(_forking(MEASURE in os.environ), [b"1"], descriptors)
        message = json.dumps({"argv": self.args, "cwd": str(cwd), "env": dict(env)}).encode()
        self._connection.sendall(len(message).to_bytes(forked.LENGTH, "big") + message)
        self.pid = self._told()

    def _told(self, *, signed: bool = False) -> int:
        told = self._connection.recv(forked.LENGTH, socket.MSG_WAITALL)
        assert len(told) == forked.LENGTH, "the process that forks off the commands is gone"
        return int.from_bytes(told, "big", signed=signed)

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            self._connection.settimeout(timeout)
            try:
                self.returncode = self._told(signed=True)
            except TimeoutError:
                assert timeout is not None
                raise subprocess.TimeoutExpired(self.args, timeout) from None
        return self.returncode

    def poll(self) -> int | None:
        try:
            return self.wait(0)
        except BlockingIOError:
            return None

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        self.wait(timeout)
        self._said = self._said or (_text(self._out), _text(self._err))
        self.close()
        return self._said

    def told_so_far(self) -> str:
        """On standard error, while it runs. Where it goes on writing is not moved by that."""
        return os.pread(self._err.fileno(), 1 << 20, 0).decode()

    def answer(self, timeout: float | None = None) -> CommandResult:
        out, err = self.communicate(timeout)
        return CommandResult(self.wait(), out, err)

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> RunningCommand:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is not None:
            self.kill()
        self.wait()
        self.close()

    def close(self) -> None:
        for file in (self._out, self._err, self._connection):
            file.close()


def run(arguments: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str], timeout: float = 300) -> CommandResult:
    with RunningCommand(arguments, cwd=cwd, env=env) as command:
        return command.answer(timeout)


def _text(file: Any) -> str:
    file.seek(0)
    return str(file.read().decode())


@functools.cache
def _forking(measured: bool) -> socket.socket:
    """The process that forks off the commands, as its standard input; it ends with ours."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen([sys.executable, "-m", forked.__name__], cwd=_ROOT, stdin=theirs.fileno())

    @atexit.register
    def end() -> None:
        ours.close()
        process.wait()

    return ours
