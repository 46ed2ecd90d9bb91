"""Ctrl-C, SIGTERM and SIGHUP (the terminal was closed, the connection lost).

Python tells of them in the main thread alone; what waits in another thread asks here.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from types import FrameType
from typing import NoReturn

_AGAIN = 0.1  # seconds

_came = False


def listen() -> None:
    """From now on all raise KeyboardInterrupt in the main thread, and `here` is true in all others."""
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as under nohup
        signal.signal(signal.SIGHUP, _interrupt)
    # A shell starts what it puts in the background with SIGINT ignored. What we start would inherit that, and
    # Terraform could not be stopped.
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    signal.signal(signal.SIGINT, _ignore if ignored else _interrupt)
    sys.unraisablehook = _once_more
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(reader,), daemon=True).start()


def came() -> bool:
    """Whether one has come."""
    return _came


def here() -> bool:
    """Whether this thread should stop; the main thread is told by an exception, and may have work left to do then."""
    return came() and threading.current_thread() is not threading.main_thread()


def _interrupt(signal_number: int, frame: FrameType | None) -> NoReturn:
    global _came  # no event, whose lock a second signal might find taken
    _came = True
    raise KeyboardInterrupt


def _watch(reader: int) -> None:
    """Sees to it that the main thread hears of a signal: of one that comes just before it begins to wait for another
    thread, Python tells it when that wait has ended. A signal that comes while it waits ends the wait.
    """
    while True:
        number = os.read(reader, 1)[0]
        while signal.getsignal(number) is _interrupt and not _came:  # one that a command passes on is not ours
            time.sleep(_AGAIN)
            if not _came:
                _send_to_main_thread(number)


def _send_to_main_thread(number: int) -> None:
    signal.pthread_kill(threading.main_thread().ident or 0, number)


def _once_more(lost: sys.UnraisableHookArgs) -> None:
    """Python drops what is raised while it tidies up an object; an interruption that went that way comes again."""
    if isinstance(lost.exc_value, KeyboardInterrupt):
        again = threading.Timer(_AGAIN, _send_to_main_thread, (signal.SIGTERM,))
        again.daemon = True
        again.start()
    else:
        sys.__unraisablehook__(lost)


def _ignore(signal_number: int, frame: FrameType | None) -> None:
    pass
