"""The one place that starts other programs.

Five ways: `run` captures the output of a short command; `follow` runs a long one whose output is watched while it
is written; `collect` writes output of any size to files; `start` leaves a program running that answers questions;
`show` hands a text to a pager. None uses a shell.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from orchestrator.effects.system import interruption
from orchestrator.effects.system.process_output import Growth, Lines, OutputSink, Unheard
from orchestrator.errors import DependencyError, Interrupted, OrchestrateError

Environment = Mapping[str, str]

_LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class Completed:
    """How a captured command ended; output is decoded as UTF-8."""

    returncode: int
    stdout: str
    stderr: str


def run(
    argv: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Environment | None = None,
    timeout: float,
    input: bytes | None = None,
    undecodable: Literal["replace", "surrogateescape"] = "replace",
) -> Completed:
    """Runs a short command to its end and keeps what it prints.

    `timeout` is in seconds; `undecodable` says what becomes of bytes in its output that are not UTF-8. Raises
    DependencyError where the program cannot be started or the time is over, and in threads Interrupted after Ctrl-C;
    the whole process group is then gone.
    The return code is the caller's to judge.
    """
    with _started(argv, cwd=cwd, env=env, stdin=input is not None, out=subprocess.PIPE) as process:
        out, err = _captured(process, argv, input, timeout)
    return Completed(process.returncode, out.decode(errors=undecodable), err.decode(errors="replace"))


def _captured(
    process: subprocess.Popen[bytes], argv: Sequence[str | Path], input: bytes | None, seconds: float
) -> tuple[bytes, bytes]:
    deadline = time.monotonic() + seconds
    while True:
        try:
            return process.communicate(input, timeout=min(_LOOK_SECONDS, max(0.0, deadline - time.monotonic())))
        except subprocess.TimeoutExpired:
            input = None  # it goes on with the first one
        if interruption.here():
            raise Interrupted(f"{_name(argv)} was interrupted and has stopped")
        if time.monotonic() >= deadline:
            raise _too_long(argv, seconds)


def start(argv: Sequence[str | Path], *, env: Environment) -> subprocess.Popen[bytes]:
    """A program that answers on its standard output what it is asked on its standard input, until `end`."""
    try:
        return subprocess.Popen(
            [os.fspath(part) for part in argv],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise _cannot_start(argv, None, error) from None


def show(argv: Sequence[str], text: str, env: Environment) -> None:
    """Gives a text to a program that shows it in our terminal, and waits until it has been read."""
    try:
        process = subprocess.Popen(argv, env=env, stdin=subprocess.PIPE)
    except OSError as error:
        raise _cannot_start(argv, None, error) from None
    with contextlib.suppress(BrokenPipeError):  # who has read enough ends it before it has read all
        process.communicate(text.encode("utf-8", "backslashreplace"))
    process.wait()


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends what `start` has started, whatever state it is in."""
    process.terminate()
    process.wait()
    for stream in filter(None, (process.stdin, process.stdout, process.stderr)):
        with contextlib.suppress(OSError):  # what was written and not yet sent cannot be sent any more
            stream.close()


@dataclass(frozen=True)
class TimeLimits:
    """Seconds: `timeout` until the program is asked to stop, `grace` from there until it is killed.

    `cancelled` is asked ten times a second; True stops the program like Ctrl-C does. `size` is the most that
    `collect` takes, in bytes.
    """

    timeout: float
    grace: float = 60.0
    cancelled: Callable[[], bool] = lambda: False
    size: int = 1 << 29


def follow(
    argv: Sequence[str | Path],
    *,
    cwd: Path,
    env: Environment,
    log: Path,
    on_line: Callable[[str], None],
    limits: TimeLimits,
    inherit: Sequence[int] = (),
) -> int:
    """Runs a long command and passes on each line of its output (both streams) as it comes; returns its exit code.

    The output goes to the file `log` and is read from there. So the program does not depend on us being alive: when
    the orchestrator is killed in the middle of an apply, Terraform still finishes, saves the state and unlocks it (a
    broken pipe would kill it at its next line). The program runs in a session of its own, so that Ctrl-C reaches us
    alone; we pass SIGINT to the program alone, never to its plugins. `inherit` are file descriptors that it keeps
    open: a lock on one of them is then held until both of us have ended.

    Raises Interrupted after Ctrl-C (or SIGTERM), DependencyError when the time is over or it cannot be started, and
    what `on_line` raises, when the program has stopped. A line longer than 8 MB comes in pieces.
    """
    with (
        log.open("wb") as sink,
        log.open("rb") as source,
        _started(argv, cwd=cwd, env=env, stdin=False, out=sink, inherit=inherit) as process,
    ):
        _see_through(process, argv, Lines(source, on_line), limits)
    return process.returncode


def collect(
    argv: Sequence[str | Path],
    *,
    cwd: Path,
    env: Environment,
    stdout: Path,
    stderr: Path,
    limits: TimeLimits,
) -> int:
    """Runs a program whose output may be large into two files; returns its exit code.

    Raises as `follow` does, and DependencyError where one of the two streams grows past `limits.size`.
    """
    with (
        stdout.open("wb") as out,
        stderr.open("wb") as err,
        _started(argv, cwd=cwd, env=env, stdin=False, out=out, err=err) as process,
    ):
        _see_through(process, argv, Growth(_name(argv), (stdout, stderr), limits.size), limits)
    return process.returncode


def _see_through(
    process: subprocess.Popen[bytes], argv: Sequence[str | Path], output: OutputSink, limits: TimeLimits
) -> None:
    """Until the program has ended, by itself or because it was stopped."""
    try:
        ended = _watch(process, output, limits)
    except KeyboardInterrupt:
        _stop(process, output, limits.grace)
        raise Interrupted(f"{_name(argv)} was interrupted and has stopped") from None
    except OrchestrateError:
        raise  # too much output: it is killed
    except Exception:
        # What the listener raised; killed at once, Terraform would lose what it has just made.
        _stop(process, Unheard(), limits.grace)
        raise
    if not ended:
        _stop(process, output, limits.grace)
        raise _too_long(argv, limits.timeout)


def _watch(process: subprocess.Popen[bytes], lines: OutputSink, limits: TimeLimits) -> bool:
    """Reads until the process ends (True) or the time is over (False)."""
    deadline = time.monotonic() + limits.timeout
    while not _ends_within(process, 0.1):
        lines.read()
        if limits.cancelled():
            raise KeyboardInterrupt
        if time.monotonic() > deadline:
            return False
    lines.read(last=True)
    return True


def _ends_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Wakes up at once where the system can tell of the end of a process, else within 50 ms of it."""
    with contextlib.suppress(OSError), _told_of_its_end(process) as told:
        told.poll(seconds * 1000)
        seconds = 0.0
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


@contextlib.contextmanager
def _told_of_its_end(process: subprocess.Popen[bytes]) -> Iterator[select.poll]:
    """OSError where the system cannot (old kernels, no free descriptor), or the process has been waited for."""
    if sys.platform != "linux":
        raise OSError(errno.ENOSYS, "pidfd_open")
    descriptor = os.pidfd_open(process.pid)
    try:
        told = select.poll()
        told.register(descriptor, select.POLLIN)
        yield told
    finally:
        os.close(descriptor)


def _stop(process: subprocess.Popen[bytes], lines: OutputSink, grace: float) -> None:
    """Asks the program to stop, waits, and kills it with everything it started when it does not."""
    process.send_signal(signal.SIGINT)
    deadline = time.monotonic() + grace
    while not _stopped(process, lines, deadline):
        process.send_signal(signal.SIGINT)  # a second Ctrl-C: Terraform then stops without waiting for resources


def _stopped(process: subprocess.Popen[bytes], lines: OutputSink, deadline: float) -> bool:
    try:
        if not _watch(process, lines, TimeLimits(max(0.0, deadline - time.monotonic()))):
            _kill(process)
    except KeyboardInterrupt:
        return False
    return True


@contextlib.contextmanager
def _started(
    argv: Sequence[str | Path],
    *,
    cwd: Path | None,
    env: Environment | None,
    stdin: bool,
    out: int | IO[bytes],
    err: IO[bytes] | None = None,
    inherit: Sequence[int] = (),
) -> Iterator[subprocess.Popen[bytes]]:
    captured = out == subprocess.PIPE
    try:
        process = subprocess.Popen(
            [os.fspath(part) for part in argv],
            cwd=cwd,
            env=env,
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=out,
            stderr=err or (subprocess.PIPE if captured else subprocess.STDOUT),
            start_new_session=True,
            pass_fds=inherit,
        )
    except OSError as error:
        raise _cannot_start(argv, cwd, error) from None
    with process:
        try:
            yield process
        except BaseException:
            _kill(process)
            raise


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _name(argv: Sequence[str | Path]) -> str:
    return Path(argv[0]).name


def _cannot_start(argv: Sequence[str | Path], cwd: Path | None, error: OSError) -> DependencyError:
    if cwd is not None and not cwd.is_dir():
        return DependencyError(f"cannot run {_name(argv)}: the folder {cwd} does not exist")
    return DependencyError(
        f"cannot run {os.fspath(argv[0])}: {error.strerror}",
        hint="`orchestrate tools` shows which tools are found.",
    )


def _too_long(argv: Sequence[str | Path], seconds: float) -> DependencyError:
    return DependencyError(f"{_name(argv)} did not end within {seconds:g} s and was stopped")
