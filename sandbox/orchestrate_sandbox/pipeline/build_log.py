"""The log of a build: a file that its commands write to, whose lines go to CloudWatch Logs."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrate_sandbox.pipeline.build import EmulatedBuild

_EVERY = 1.0  # seconds
_MOST_EVENTS = 1000  # in one call
_LONGEST_LINE = 100_000  # characters; an event has at most 256 KB


@dataclass
class BuildLog:
    path: Path
    build: EmulatedBuild
    client: Any = None  # None until the stream is open, and where no logs are wanted
    _sent: int = 0  # bytes of the file
    _last: float = 0.0

    def open_stream(self, client: Any) -> None:
        """Raises ClientError where the build's role may not. CodeBuild makes a group that is not there."""
        group, stream = self.build.log_group, self.build.log_stream
        with contextlib.suppress(client.exceptions.ResourceNotFoundException):
            client.create_log_stream(logGroupName=group, logStreamName=stream)
            self.client = client
            return
        with contextlib.suppress(client.exceptions.ResourceAlreadyExistsException):  # another build was first
            client.create_log_group(logGroupName=group)
        client.create_log_stream(logGroupName=group, logStreamName=stream)
        self.client = client

    def say(self, text: str) -> None:
        now = dt.datetime.now(dt.UTC)
        with self.path.open("a") as file:
            file.write(f"[Container] {now:%Y/%m/%d %H:%M:%S.%f} {text}\n")

    def send_now_and_then(self) -> None:
        if time.monotonic() - self._last >= _EVERY:
            self.send()

    def send(self, *, all_of_it: bool = False) -> None:
        """Whole lines; at the end also a last one without its line break."""
        self._last = time.monotonic()
        if self.client is None:
            return
        with self.path.open("rb") as file:
            file.seek(self._sent)
            data = file.read()
        if not all_of_it:
            data = data[: data.rfind(b"\n") + 1]
        self._sent += len(data)
        self._put(data.decode(errors="replace").splitlines())

    def _put(self, lines: list[str]) -> None:
        now = int(time.time() * 1000)
        events = [{"timestamp": now, "message": f"{line[:_LONGEST_LINE]}\n"} for line in lines]
        for start in range(0, len(events), _MOST_EVENTS):
            self.client.put_log_events(
                logGroupName=self.build.log_group,
                logStreamName=self.build.log_stream,
                logEvents=events[start : start + _MOST_EVENTS],
            )
