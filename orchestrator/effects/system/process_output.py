"""What is done with the output of a program while it runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from orchestrator.errors import DependencyError

_CHUNK = 1 << 20  # bytes
_LONGEST_LINE = 1 << 23


class OutputSink(Protocol):
    """What is done with a program's output while it runs."""

    def read(self, *, last: bool = False) -> None: ...


@dataclass(frozen=True)
class Growth:
    """Watches that files do not grow past a size (bytes)."""

    name: str
    files: tuple[Path, ...]
    limit: int

    def read(self, *, last: bool = False) -> None:
        if any(file.stat().st_size > self.limit for file in self.files):
            raise DependencyError(f"{self.name} printed more than {self.limit} bytes and was stopped")


class Unheard:
    """Output that nobody wants any more."""

    def read(self, *, last: bool = False) -> None:
        pass


class Lines:
    """Hands complete lines of a growing file to a listener."""

    def __init__(self, source: IO[bytes], listener: Callable[[str], None]) -> None:
        self._source = source
        self._listener = listener
        self._rest = b""

    def read(self, *, last: bool = False) -> None:
        """Some megabytes, and at the end all: who writes faster than we read must not keep us here."""
        left = os.fstat(self._source.fileno()).st_size - self._source.tell() if last else _LONGEST_LINE
        while left > 0 and (chunk := self._source.read(min(_CHUNK, left))):
            left -= len(chunk)
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            if len(self._rest) > _LONGEST_LINE:
                lines, self._rest = [*lines, self._rest], b""
            self._hand_over(lines)
        if last and self._rest:
            line, self._rest = self._rest, b""
            self._hand_over([line])

    def _hand_over(self, lines: Sequence[bytes]) -> None:
        for line in lines:
            self._listener(line.decode(errors="replace"))
