"""Many releases at once: which are meant, in which order they begin, and what all of them come to.

Pure; where they run, here or on AWS, is the stages' business.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

import msgspec

from orchestrator.errors import OrchestrateError, UsageError
from orchestrator.model.rules.config import Environment
from orchestrator.model.rules.tag import GLOBAL, Tag

RELEASED, WAITING = 0, 7

RESULTS = {
    RELEASED: "released",
    1: "failed",
    2: "wrong usage",
    3: "invalid",
    4: "refused",
    5: "locked",
    6: "surroundings failed",
    WAITING: "waiting for approval",
    130: "interrupted",
}

_LONGEST_WHY = 1000

# What one has to look at first: something is broken, nothing is known, then refusals, then what only takes time.
_WORST_FIRST = (1, 6, 2, 3, 4, 5, 130, WAITING)


@dataclass(frozen=True)
class TargetRun:
    """How far the release of one tag has come; `code` is the exit code that it has ended with, as far as is known.

    One that waits for an approval has the code 7 and may go on. `execution` is there on AWS alone, `log` here alone.
    """

    tag: str
    env: str
    target: str
    commit: str
    wave: int
    begun: bool = False
    stage: str = ""
    code: int | None = None
    why: str = ""
    execution: str = ""
    log: str = ""

    @property
    def moving(self) -> bool:
        return self.begun and self.code is None

    @property
    def waiting(self) -> bool:
        return self.code == WAITING

    @property
    def result(self) -> str:
        if self.code is not None:
            return RESULTS.get(self.code, f"ended with {self.code}")
        return "under way" if self.begun else "not begun"

    def ended(self, error: OrchestrateError) -> TargetRun:
        return replace(self, begun=True, code=error.exit_code, why=str(error))


class RunEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """A release says of itself that a stage begins, or why it did not succeed."""

    stage: str = ""
    why: str = ""

    def of(self, run: TargetRun) -> TargetRun:
        """The run after it."""
        return replace(run, stage=self.stage or run.stage, why=self.why[:_LONGEST_WHY] or run.why)


def wave_of(environment: Environment, scope: str) -> int:
    """The place of a scope in the order of waves; what a Region needs may stand in the global resources."""
    waves = environment.waves or [environment.regions]
    if not any(GLOBAL in wave for wave in waves):
        waves = [[GLOBAL], *waves]
    return next(index for index, wave in enumerate(waves) if scope in wave)


def is_pattern(text: str) -> bool:
    return any(character in text for character in "*?[")


def matching(pattern: str, names: Iterable[str]) -> list[str]:
    """Those that a shell's pattern means; as there, `*` does not go beyond a `/`."""
    parts = pattern.split("/")
    return [
        name for name in names if len(found := name.split("/")) == len(parts) and all(map(fnmatchcase, found, parts))
    ]


def check_targets(tags: Iterable[Tag]) -> None:
    """Raises UsageError where two tags are of one target: only one of them can be meant to run there."""
    seen: dict[tuple[str, str, str], Tag] = {}
    for tag in tags:
        other = seen.setdefault((tag.env, tag.scope, tag.team), tag)
        if other != tag:
            raise UsageError(
                f"{other} and {tag} are two versions of one target",
                hint="Name the version in the pattern, as in 'dev_*/research/1.0'.",
            )


def startable(runs: Sequence[TargetRun], parallel: int) -> list[TargetRun]:
    """Those that begin now: of each environment a wave once all of the one before are released, so many at a time."""
    room = parallel - sum(run.moving for run in runs)
    ready = [run for run in runs if not (run.begun or run.code) and _is_its_turn(run, runs)]
    return ready[: max(0, room)]


def _is_its_turn(run: TargetRun, runs: Sequence[TargetRun]) -> bool:
    before = [other for other in runs if other.env == run.env and other.wave < run.wave]
    return all(other.code == RELEASED for other in before)


def rests(runs: Iterable[TargetRun], *, wait: bool) -> bool:
    """Whether nothing goes on by itself; with `wait` the answer to an approval is waited for."""
    return not any(run.moving or (wait and run.waiting) for run in runs)


def exit_code(runs: Iterable[TargetRun]) -> int:
    """One for all: the worst that any ended with; one that has not begun adds nothing to why it has not."""
    codes = {run.code for run in runs}
    worst = next((code for code in _WORST_FIRST if code in codes), None)
    if worst is not None:
        return worst
    return RELEASED if codes == {RELEASED} else 1
