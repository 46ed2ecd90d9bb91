"""`make bench`: `orchestrate plan` beside a shell script that does the same; start-up; memory.

A goal that is missed is said and does not fail: a loaded machine is not a fault of the code.
"""

from __future__ import annotations

import json
import sys

import click

from bench import results as report
from bench.example import ORCHESTRATE, TAG, Example, ready
from bench.measure import peak_memory, timed
from bench.results import Pair, Results

_STARTS = 20
_MEMORY_RUNS = 2


@click.command()
@click.option("--pairs", default=9, show_default=True, type=click.IntRange(min=7), help="Pairs of plans to measure.")
@click.option("--json", "as_json", is_flag=True, help="Results as JSON.")
def bench(pairs: int, as_json: bool) -> None:
    """Measure what `orchestrate` costs beside Terraform itself."""
    _tell("Making an example in an emulated AWS")
    with ready() as example:
        measured = Results(
            pairs=[_pair(example, number, pairs) for number in range(1, pairs + 1)],
            **_start(example),
            memory=[peak_memory(("plan", "--tag", TAG), example.repository, example.env) for _ in range(_MEMORY_RUNS)],
        )
    click.echo(json.dumps(report.fields(measured), indent=2) if as_json else report.text(measured))


def _pair(example: Example, number: int, pairs: int) -> Pair:
    ours = timed((str(ORCHESTRATE), "plan", "--tag", TAG), example.repository, example.env)
    theirs = timed(example.script, example.repository, example.script_env)
    _tell(f"{number} of {pairs}: orchestrate {ours.wall:.2f} s, script {theirs.wall:.2f} s")
    return Pair(ours, theirs)


def _start(example: Example) -> dict[str, list[float]]:
    """By turns, for the same reason as the pairs."""
    _tell("Start-up")
    commands = {
        "start": (str(ORCHESTRATE), "show", "--tag", TAG),
        "python": (sys.executable, "-c", "pass"),
    }
    runs: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(_STARTS):
        for name, command in commands.items():
            runs[name].append(timed(command, example.repository, example.env).wall)
    return runs


def _tell(message: str) -> None:
    click.echo(message, err=True)


if __name__ == "__main__":
    bench()
