"""Ctrl-C and SIGTERM: Python tells of them in the main thread alone; what waits in another thread asks here."""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType
from typing import NoReturn

_AGAIN = 0.1  # seconds

_came = threading.Event()


def listen() -> None:
    """From now on both raise KeyboardInterrupt in the main thread, and `here` is true in all others."""
    signal.signal(signal.SIGTERM, _interrupt)
    # A shell starts what it puts in the background with SIGINT ignored. What we start would inherit that, and
    # Terraform could not be stopped.
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    signal.signal(signal.SIGINT, _ignore if ignored else _interrupt)
    sys.unraisablehook = _once_more


def came() -> bool:
    """Whether either has come."""
    return _came.is_set()


def here() -> bool:
    """Whether this thread should stop; the main thread is told by an exception, and may have work left to do then."""
    return came() and threading.current_thread() is not threading.main_thread()


def _interrupt(signal_number: int, frame: FrameType | None) -> NoReturn:
    _came.set()
    raise KeyboardInterrupt


def _once_more(lost: sys.UnraisableHookArgs) -> None:
    """Python drops what is raised while it tidies up an object; an interruption that went that way comes again."""
    if isinstance(lost.exc_value, KeyboardInterrupt):
        again = threading.Timer(_AGAIN, signal.pthread_kill, (threading.main_thread().ident, signal.SIGTERM))
        again.daemon = True
        again.start()
    else:
        sys.__unraisablehook__(lost)


def _ignore(signal_number: int, frame: FrameType | None) -> None:
    pass
