"""Runs the commands of a build one after another, each in a shell of its own that goes on where the last one ended.

Exported variables and the current folder are carried from command to command, as CodeBuild's agent does for version
0.2 of the build specification. Output goes to the build's log file.
"""

from __future__ import annotations

import shlex
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from orchestrate_sandbox.pipeline.confinement import Confinement
from orchestrate_sandbox.pipeline.processes import end_all

_TICK = 0.2  # seconds

_DRIVER = """\
. {environment} || exit
cd "$(cat {folder})" || exit
trap 'status=$?; trap - EXIT; export -p > {environment}; pwd > {folder}; exit $status' EXIT
. {command}
"""


class BuildEnded(Exception):
    """The build was ended from outside: STOPPED or TIMED_OUT."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


@dataclass
class Shell:
    """`folder` is for its own files; `tick` is called a few times a second while a command runs."""

    folder: Path
    program: str
    variables: Mapping[str, str]
    log: Path
    marker: str
    deadline: float  # of the monotonic clock
    stopped: Callable[[], bool]
    tick: Callable[[], object]
    confinement: Confinement
    _files: dict[str, Path] = field(default_factory=dict)

    def start_in(self, source: Path) -> None:
        self.folder.mkdir()
        self._files = {name: self.folder / f"{name}.sh" for name in ("environment", "folder", "command", "driver")}
        self._files["environment"].touch()
        self._files["folder"].write_text(f"{source}\n")
        quoted = {name: shlex.quote(str(path)) for name, path in self._files.items()}
        self._files["driver"].write_text(_DRIVER.format(**quoted))

    def export(self, name: str, value: str) -> None:
        with self._files["environment"].open("a") as file:
            file.write(f"export {name}={shlex.quote(value)}\n")

    def run(self, command: str) -> int:
        """The command's exit code. Raises Ended when the build is stopped or its time is up."""
        self._files["command"].write_text(f"{command}\n")
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                self.confinement.command(self.program, str(self._files["driver"])),
                env=dict(self.variables),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            return self._waited(process)
        except BaseException:
            end_all(process.pid, self.marker)
            process.wait()
            raise

    def value(self, name: str) -> str:
        """Of an exported variable, as the last command left it; empty where there is none."""
        script = f'. {shlex.quote(str(self._files["environment"]))}; printf %s "${{{name}}}"'
        command = self.confinement.command(self.program, "-c", script)
        folder, env = self.folder, dict(self.variables)
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
        return done.stdout

    def _waited(self, process: subprocess.Popen[bytes]) -> int:
        while True:
            try:
                return process.wait(_TICK)
            except subprocess.TimeoutExpired:
                self.tick()
            if self.stopped():
                raise BuildEnded("STOPPED")
            if time.monotonic() > self.deadline:
                raise BuildEnded("TIMED_OUT")
