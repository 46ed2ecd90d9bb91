"""Asks web addresses; the standard proxy variables are honoured."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException

_LARGEST = 1 << 20


@dataclass(frozen=True)
class WebAnswer:
    """`status` is None where nothing answered; `body` is then the reason."""

    status: int | None
    body: str


def ask(url: str, timeout: float) -> WebAnswer:
    """One GET of an http or https address; never raises for what the network or the server does.

    `timeout` is for all of it, in seconds: a server that sends one byte at a time would keep a reader for ever, for
    each byte begins the time limit of a socket anew. Who does not answer in time is left behind.
    """
    answers: list[WebAnswer] = []
    asking = threading.Thread(target=lambda: answers.append(_ask(url, timeout)), daemon=True)
    asking.start()
    asking.join(timeout)
    return answers[0] if answers else WebAnswer(None, f"no whole answer within {timeout:g} s")


def _ask(url: str, timeout: float) -> WebAnswer:
    request = urllib.request.Request(url, headers={"User-Agent": "orchestrate"})  # noqa: S310 - the caller checks
    opener = urllib.request.build_opener()  # the shared one would keep the proxies of its first use
    try:
        with opener.open(request, timeout=timeout) as response:
            return WebAnswer(response.status, response.read(_LARGEST).decode(errors="replace"))
    except urllib.error.HTTPError as error:
        with error:
            return WebAnswer(error.code, error.read(_LARGEST).decode(errors="replace"))
    except (OSError, HTTPException, ValueError) as error:
        return WebAnswer(None, str(getattr(error, "reason", error)))
