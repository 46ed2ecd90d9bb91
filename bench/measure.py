"""Measures commands: time by the wall clock and of the processors, and the memory of a process by itself."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True)
class MeasuredRun:
    """Seconds: `wall` by the clock, `cpu` of the processors, the processes it started included."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Spread:
    """The middle one and the extremes of some numbers."""

    median: float
    min: float
    max: float

    @staticmethod
    def of(numbers: Sequence[float]) -> Spread:
        return Spread(median(numbers), min(numbers), max(numbers))


def timed(command: Sequence[str], cwd: Path, env: Mapping[str, str]) -> MeasuredRun:
    """Runs a command, which must succeed; what it prints is kept only to be shown where it fails."""
    with tempfile.TemporaryFile() as output:
        begun = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            output.seek(0)
            raise SystemExit(f"{' '.join(command)} failed:\n{output.read().decode(errors='replace')}")
    return MeasuredRun(wall, used.ru_utime + used.ru_stime)


def peak_memory(arguments: Sequence[str], cwd: Path, env: Mapping[str, str]) -> int:
    """The most bytes that `orchestrate ARGUMENTS` holds itself, without the programs that it starts."""
    with tempfile.NamedTemporaryFile("r") as file:
        # The wrapper is named by its path: the repository that is planned is the current folder.
        timed((sys.executable, str(Path(__file__).with_name("peak.py")), file.name, *arguments), cwd, env)
        return int(file.read())
