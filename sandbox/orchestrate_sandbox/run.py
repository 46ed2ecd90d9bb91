"""Runs one command in a sandbox of its own.

The command is told of a signal once: in a terminal Ctrl-C goes to everything in the foreground, the command included,
so there is nothing to pass on; elsewhere the command gets a process group of its own, to which we pass it on.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from orchestrate_sandbox import environment, process
from orchestrate_sandbox.layout import SandboxLayout
from orchestrator.errors import DependencyError

_PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(command: Sequence[str], layout: SandboxLayout, log: Path | None = None) -> int:
    """The command's exit code, or 128 + N where signal N ended it, as a shell says it."""
    with process.start(layout, log=log) as sandbox:
        code = _ended(command, environment.within(os.environ, sandbox.env))
    return code if code >= 0 else 128 - code


def _ended(command: Sequence[str], variables: dict[str, str]) -> int:
    own_group = not _has_terminal()
    try:
        child = subprocess.Popen(command, env=variables, process_group=0 if own_group else None)
    except OSError as error:
        raise DependencyError(f"cannot run {command[0]}: {error.strerror}") from None
    with _passing_signals_on(child, own_group=own_group):
        return child.wait()


@contextlib.contextmanager
def _passing_signals_on(child: subprocess.Popen[bytes], *, own_group: bool) -> Iterator[None]:
    def pass_on(number: int, _: object) -> None:
        if number != signal.SIGTERM and _is_foreground():
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, number) if own_group else child.send_signal(number)

    # One that is ignored (nohup, a job of a script) stays ignored, here and in the command.
    numbers = [number for number in _PASSED_ON if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, pass_on) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _has_terminal() -> bool:
    return _terminals_group() is not None


def _is_foreground() -> bool:
    return _terminals_group() == os.getpgrp()


def _terminals_group() -> int | None:
    """The process group that the controlling terminal's Ctrl-C goes to; None without a terminal."""
    try:
        descriptor = os.open(os.ctermid(), os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return None
    try:
        return os.tcgetpgrp(descriptor)
    except OSError:
        return None
    finally:
        os.close(descriptor)
