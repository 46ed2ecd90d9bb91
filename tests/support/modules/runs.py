"""`terraform test` with many runs in one process: what each process does first, reading the provider's schema, takes
longer than most runs.

A run may be of any module: in a folder that has nothing but runs it is the same as in the module's own.
"""

from __future__ import annotations

import re
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from orchestrator.model.text.decoding import decode

_RUN = re.compile(r'^(run "[a-z0-9_]+" \{)$', re.MULTILINE)
_NO_CHANGE = (["no-op"], ["read"])


class _Change(msgspec.Struct):
    actions: list[str]
    after: Any = None


class _Resource(msgspec.Struct):
    address: str
    mode: str
    type: str
    change: _Change


class _Plan(msgspec.Struct):
    """With it comes the provider's schema, 13 MB that are passed over."""

    resource_changes: list[_Resource] = []


class _Progress(msgspec.Struct):
    status: str = ""


class _TestDiagnostic(msgspec.Struct):
    severity: str
    summary: str
    detail: str = ""


class _Message(msgspec.Struct):
    """One line of `terraform test -json`."""

    file: str = msgspec.field(name="@testfile", default="")
    run: str = msgspec.field(name="@testrun", default="")
    test_run: _Progress = msgspec.field(default_factory=_Progress)
    diagnostic: _TestDiagnostic | None = None
    test_plan: _Plan | None = None


@dataclass
class ModuleRun:
    """`said` are its errors, each on one line; `planned` is its plan, where plans were asked for."""

    status: str = ""
    said: list[str] = field(default_factory=list)
    planned: list[_Resource] = field(default_factory=list)

    @property
    def types(self) -> list[str]:
        return [one.type for one in self.planned if one.mode == "managed"]

    @property
    def resources(self) -> dict[str, dict[str, Any]]:
        """What is planned of each managed resource, by address."""
        return {one.address: one.change.after for one in self.planned if one.mode == "managed"}

    @property
    def changes(self) -> dict[str, str]:
        """What the plan would do, by address; what stays as it is not."""
        changing = {one.address: one.change.actions for one in self.planned if one.change.actions not in _NO_CHANGE}
        return {address: "-".join(actions) for address, actions in changing.items()}


@dataclass(frozen=True)
class RunsOutcome:
    """The runs by file, without its ending, and by name; `said` are errors of no run in particular."""

    code: int
    runs: Mapping[str, Mapping[str, ModuleRun]]
    said: list[str]

    def of(self, file: str) -> Mapping[str, ModuleRun]:
        assert file in self.runs, self.said
        return self.runs[file]


def run(folder: Path, program: str, env: Mapping[str, str], *, with_plans: bool = False) -> RunsOutcome:
    """All runs of a folder; those of one file share a state, and one that fails ends the runs of its file alone."""
    init = [program, "init", "-backend=false", "-input=false", "-no-color"]
    done = subprocess.run(init, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    command = [program, "test", "-json", *(["-verbose"] if with_plans else [])]
    with subprocess.Popen(
        command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        runs, said = _read(decode(line, _Message) for line in process.stdout if line.startswith(b"{"))
    return RunsOutcome(process.returncode, runs, said)


def _read(messages: Iterable[_Message]) -> tuple[dict[str, dict[str, ModuleRun]], list[str]]:
    runs: dict[str, dict[str, ModuleRun]] = defaultdict(lambda: defaultdict(ModuleRun))
    nowhere = ModuleRun()
    for message in messages:
        found = runs[Path(message.file).name.partition(".")[0]][message.run] if message.run else nowhere
        found.status = message.test_run.status or found.status
        if message.test_plan is not None:
            found.planned = message.test_plan.resource_changes
        if message.diagnostic is not None and message.diagnostic.severity == "error":
            found.said.append(" ".join(f"{message.diagnostic.summary}: {message.diagnostic.detail}".split()))
    return {file: dict(found) for file, found in runs.items()}, nowhere.said


def of_module(module: str, text: str) -> str:
    """A module's own runs as they have to be written in another folder beside it."""
    return _RUN.sub(rf'\1\n  module {{\n    source = "../{module}"\n  }}\n', text)
