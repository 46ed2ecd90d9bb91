"""Work that goes on behind the answers to requests: at once or later, on a few threads of their own."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

Call = Callable[[], object]
_THREADS = 8


@dataclass(order=True)
class Later:
    """A call that is due at a time of the monotonic clock."""

    due: float
    number: int
    call: Call = field(compare=False)


_ready: queue.SimpleQueue[Call] = queue.SimpleQueue()
_later: list[Later] = []
_changed = threading.Condition()
_numbers = itertools.count()
_start_once = threading.Lock()
_started = False


def soon(call: Call) -> None:
    """On one of the threads; a failure is written to the log and ends nothing else."""
    _start()
    _ready.put(call)


def after(seconds: float, call: Call) -> None:
    _start()
    later = Later(time.monotonic() + seconds, next(_numbers), call)
    with _changed:
        heapq.heappush(_later, later)
        _changed.notify()


def forget_all() -> None:
    """For a reset: what is due later belongs to an emulated AWS that is gone."""
    with _changed:
        _later.clear()


def _start() -> None:
    global _started
    with _start_once:
        if not _started:
            _started = True
            names = [(f"work-{number}", _serve) for number in range(_THREADS)]
            for name, target in [*names, ("work-later", _wait)]:
                threading.Thread(target=target, name=name, daemon=True).start()


def _serve() -> None:
    while True:
        run(_ready.get())


def run(call: Call) -> None:
    try:
        call()
    except Exception as error:
        with contextlib.suppress(OSError):
            sys.stderr.write("sandbox: failed behind the scenes\n")
            traceback.print_exception(error, file=sys.stderr)


def _wait() -> None:
    while True:
        with _changed:
            wait = _later[0].due - time.monotonic() if _later else None
            if wait is None or wait > 0:
                _changed.wait(wait)
                continue
            due = heapq.heappop(_later)
        _ready.put(due.call)
