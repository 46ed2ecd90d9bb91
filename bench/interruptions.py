"""`python -m bench.interruptions`: runs that are killed, doubled, cut off from AWS or given a wrong clock.

After each the state, the ledger and what was really done are compared. Anything that does not hold is a fault, and the
program ends with 1. The results of a run are kept in docs/hostile-series.md.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import click

from bench.hostile import CommandEnd, HostileProject, Invariants, ended, kill, ready
from tests.support.faults import FaultRequest, InjectedFault, between

DAY = 86400.0
_MOMENTS = (0.0, 1.6)  # seconds; an apply takes that long from its entry in the ledger on an idle machine
_EARLY = 5  # one of so many is killed while it prepares
_VICTIMS = ("orchestrate", "Terraform", "both")
_FAULTS = (
    InjectedFault(500, "InternalError"),
    InjectedFault(500, "InternalError", late=True),
    InjectedFault(503, "SlowDown"),
    InjectedFault(400, "ThrottlingException"),
)


@dataclass
class Series:
    """One series: its rows for people, and all that did not hold."""

    title: str
    rows: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def add(self, row: str, faults: list[str]) -> None:
        self.rows.append(f"{row}{' **FAULT**' if faults else ''}")
        self.faults += [f"{row}: {fault}" for fault in faults]
        click.echo(self.rows[-1], err=True)


def kills(project: HostileProject, watch: Invariants, count: int) -> Series:
    """kill -9 at random moments of an apply, of orchestrate, of Terraform, or of both."""
    series = Series("`kill -9` at a random moment of apply")
    number = 0
    while number < count:
        project.release()
        project.approved()
        process = project.begin("apply", "--tag", project.tag)
        victim, moment = _VICTIMS[number % len(_VICTIMS)], random.uniform(*_MOMENTS)
        from_ = "its entry" if number % _EARLY else "its start"
        if from_ == "its entry":
            project.has_begun(process)
        time.sleep(moment)
        if process.poll() is not None:  # it was done before: that is not a kill
            ended(process)
            project.settle()
            continue
        number += 1
        own = [] if victim == "Terraform" else [process.pid]
        theirs = [] if victim == "orchestrate" else [pid for pid in project.processes() if pid != process.pid]
        kill(*own, *theirs)
        done = ended(process)
        project.quiet()
        recovered = json.loads(project.ok("recover", "--format", "json").out)
        again = json.loads(project.ok("recover", "--format", "json").out)
        project.settle()
        how = recovered["runs"][0]["ended"] if recovered["runs"] else _without_run(recovered)
        locks, unknown = len(recovered["released"]), sum(len(run["unknown"]) for run in recovered["runs"])
        faults = watch.faults() + (["recover is not idempotent"] if again["result"] != "nothing to recover" else [])
        when = f"{moment:.1f} s after {from_}"
        series.add(
            f"| {number} | {victim} | {when} | {done.code} | {how} | {locks} | {unknown} |",
            faults,
        )
    return series


def _without_run(recovered: dict[str, object]) -> str:
    return "no apply had begun, or its end is recorded" if recovered["entry"] else "nothing to recover"


def doubles(project: HostileProject, watch: Invariants, count: int) -> Series:
    """Two applies of the same approved plan, up to 0.3 s apart."""
    series = Series("Two applies of one plan at once")
    codes: Counter[tuple[int, ...]] = Counter()
    for number in range(1, count + 1):
        project.release()
        project.approved()
        first = project.begin("apply", "--tag", project.tag)
        time.sleep(random.uniform(0, 0.3))
        second = project.begin("apply", "--tag", project.tag)
        both = tuple(sorted(ended(process).code for process in (first, second)))
        codes[both] += 1
        faults = watch.faults()
        if both[0] != 0 or both[1] not in (4, 5):
            faults.append(f"they ended with {both}")
        series.faults += [f"pair {number}: {fault}" for fault in faults]
        click.echo(f"pair {number}: {both} {faults or ''}", err=True)
    for pair, times in sorted(codes.items()):
        series.rows.append(f"| {pair[0]} and {pair[1]} | {times} |")
    return series


def disturbed(project: HostileProject, watch: Invariants, count: int) -> Series:
    """Plan, approve and apply while AWS fails one request in twelve; where one of them fails, recover and go on."""
    series = Series("500s and throttling between us and AWS")
    for number in range(1, count + 1):
        project.release()
        failed = Counter[str]()

        def rule(asked: FaultRequest, failed: Counter[str] = failed) -> InjectedFault | None:
            if random.random() > 1 / 12:
                return None
            fault = random.choice(_FAULTS)
            failed["late" if fault.late else fault.code] += 1
            return fault

        with between(project.endpoint, rule) as endpoint:
            codes = [done.code for done in _stages(project, endpoint)]
        project.ok("recover")
        project.settle()
        told = ", ".join(f"{times} {code}" for code, times in sorted(failed.items()))
        series.add(f"| {number} | {' '.join(map(str, codes))} | {told} |", watch.faults())
    return series


def _stages(project: HostileProject, endpoint: str) -> Iterator[CommandEnd]:
    """Each is tried again as a person would, twice at most."""
    for command in (("plan",), ("approve", "--yes"), ("apply",)):
        for _ in range(3):
            done = project.run(*command, AWS_ENDPOINT_URL=endpoint)
            yield done
            if done.code == 0:
                break
            if command == ("apply",) and done.code in (4, 5):
                return  # begun before: it is for recover and a new plan
        else:
            return


def clocks(project: HostileProject, watch: Invariants) -> Series:
    """A clock that is wrong by days, of who plans or of who applies."""
    series = Series("Wrong clocks")
    cases: list[tuple[str, float, float, Callable[[CommandEnd], bool]]] = [
        ("planned two days ahead: not yet", 2 * DAY, 0, lambda done: done.code == 4 and "yet to come" in done.err),
        ("planned two days behind: expired", -2 * DAY, 0, lambda done: done.code == 4 and "expired" in done.err),
        ("applied two days ahead: expired", 0, 2 * DAY, lambda done: done.code == 4 and "expired" in done.err),
        ("applied two days behind: not yet", 0, -2 * DAY, lambda done: done.code == 4 and "yet to come" in done.err),
    ]
    for what, planner, applier, expected in cases:
        project.release()
        planned = project.run("plan", skew=planner)
        project.run("approve", "--yes", skew=planner)
        done = project.run("apply", skew=applier)
        project.settle()
        faults = watch.faults() + ([] if planned.code == 0 and expected(done) else [f"apply ended with {done.code}"])
        series.add(f"| {what} | {done.code} |", faults)
    for skew in (-DAY, DAY):
        series.add(*_lease(project, watch, skew))
    return series


def _lease(project: HostileProject, watch: Invariants, skew: float) -> tuple[str, list[str]]:
    """A lease that is held is not taken over, whatever the other's clock says."""
    project.release()
    project.approved()
    first = project.begin("apply", "--tag", project.tag)
    time.sleep(1.0)
    second = project.run("apply", skew=skew)
    codes = (ended(first).code, second.code)
    project.settle()
    faults = watch.faults() + ([] if codes[0] == 0 and codes[1] in (4, 5) else [f"they ended with {codes}"])
    return f"| two applies, one clock {skew / DAY:+.0f} day | {codes[0]} and {codes[1]} |", faults


@click.command()
@click.option("--kills", "killed", default=20, show_default=True, help="Applies that are killed.")
@click.option("--doubles", "doubled", default=50, show_default=True, help="Plans that are applied twice at once.")
@click.option("--faults", "faulty", default=15, show_default=True, help="Releases while AWS fails at random.")
@click.option("--clocks/--no-clocks", "skewed", default=True, show_default=True, help="Wrong clocks.")
@click.option("--seed", default=1, show_default=True, help="Of the random choices.")
def main(killed: int, doubled: int, faulty: int, skewed: bool, seed: int) -> None:
    """Measure what hostile surroundings do to releases."""
    random.seed(seed)
    with ready() as project:
        watch = Invariants(project)
        found = [
            *([kills(project, watch, killed)] if killed else []),
            *([doubles(project, watch, doubled)] if doubled else []),
            *([disturbed(project, watch, faulty)] if faulty else []),
            *([clocks(project, watch)] if skewed else []),
        ]
    for series in found:
        click.echo("\n".join([f"## {series.title}", *series.rows, *(f"FAULT {fault}" for fault in series.faults), ""]))
    sys.exit(1 if any(series.faults for series in found) else 0)


if __name__ == "__main__":
    main()
