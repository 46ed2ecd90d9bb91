"""What was measured against the goals, as text and JSON."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.measure import MeasuredRun, Spread

OVERHEAD, START, MEMORY = 0.05, 0.150, 120e6


@dataclass(frozen=True)
class Pair:
    """Two runs, one after the other, so that both meet the same load."""

    orchestrate: MeasuredRun
    script: MeasuredRun


@dataclass(frozen=True)
class Results:
    """`start` and `python` in seconds (`show`, and an interpreter that does nothing); `memory` in bytes."""

    pairs: Sequence[Pair]
    start: Sequence[float]
    python: Sequence[float]
    memory: Sequence[int]

    @property
    def overhead(self) -> Spread:
        """Of each pair: by how much of the script's time `orchestrate plan` takes longer."""
        return Spread.of([pair.orchestrate.wall / pair.script.wall - 1 for pair in self.pairs])

    @property
    def processors(self) -> Spread:
        """As `overhead`, in processor time, which other programs disturb less."""
        return Spread.of([pair.orchestrate.cpu / pair.script.cpu - 1 for pair in self.pairs])

    @property
    def goals(self) -> dict[str, bool]:
        return {
            "overhead": self.overhead.median <= OVERHEAD,
            "start": Spread.of(self.start).median <= START,
            "memory": max(self.memory) <= MEMORY,
        }


def fields(results: Results) -> dict[str, Any]:
    start, python = Spread.of(results.start), Spread.of(results.python)
    return {
        "machine": {"system": platform.system(), "processors": os.cpu_count(), "load": os.getloadavg()[0]},
        "pairs": [asdict(pair) for pair in results.pairs],
        "overhead": asdict(results.overhead),
        "overhead_cpu": asdict(results.processors),
        "start": {**asdict(start), "beyond_python": start.median - python.median},
        "memory": max(results.memory),
        "goals": {"overhead": OVERHEAD, "start": START, "memory": MEMORY},
        "reached": results.goals,
    }


def text(results: Results) -> str:
    return "\n".join(_lines(results))


def _lines(results: Results) -> Iterator[str]:
    reached = {name: "reached" if held else "MISSED" for name, held in results.goals.items()}
    ours = Spread.of([pair.orchestrate.wall for pair in results.pairs])
    theirs = Spread.of([pair.script.wall for pair in results.pairs])
    start, python = Spread.of(results.start), Spread.of(results.python)
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
    more = f"{_ms(start.median - python.median)} more than `python -c pass`"
    yield f"{len(results.pairs)} pairs of runs, {load}; of each, the median (and the extremes)"
    yield f"  orchestrate plan  {ours.median:8.2f} s  ({ours.min:.2f} to {ours.max:.2f})"
    yield f"  the shell script  {theirs.median:8.2f} s  ({theirs.min:.2f} to {theirs.max:.2f})"
    yield f"  overhead          {_percent(results.overhead)}; goal {OVERHEAD:.0%}: {reached['overhead']}"
    yield f"  of processor time {_percent(results.processors)}"
    yield f"  start of show     {_ms(start.median):>10}  ({_ms(start.min)} to {_ms(start.max)}), {more}"
    yield f"                    {'':10}  goal {_ms(START)}: {reached['start']}"
    yield f"  memory of plan    {max(results.memory) / 1e6:7.0f} MB  goal {MEMORY / 1e6:.0f} MB: {reached['memory']}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def _percent(spread: Spread) -> str:
    return f"{spread.median:+9.1%}   ({spread.min:+.1%} to {spread.max:+.1%})"
