"""The time limit of a request is for all of it."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from orchestrator.effects.system.web import ask

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"


@pytest.fixture(params=[HEAD, b""], ids=["the page", "the head"])
def trickling(request: pytest.FixtureRequest) -> Iterator[str]:
    """A server that sends one byte at a time, so that no pause is ever long."""
    ended = threading.Event()
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            connection, _ = server.accept()
            with connection:
                connection.sendall(request.param)
                while not ended.wait(0.05):
                    connection.sendall(b"x")

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}/"
    ended.set()
    server.close()
    thread.join()


def test_one_byte_at_a_time_does_not_keep_us(trickling: str) -> None:
    begun = time.monotonic()
    answer = ask(trickling, 0.4)
    assert answer.status is None
    assert "within 0.4 s" in answer.body
    assert time.monotonic() - begun < 5
