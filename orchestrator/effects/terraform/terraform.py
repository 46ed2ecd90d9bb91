"""Runs Terraform (or OpenTofu) in a workspace.

python-terraform builds the command lines; `process.follow` runs them. Nothing secret stands on a command line.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from orchestrator.effects.system import clock, process
from orchestrator.effects.system.process import TimeLimits
from orchestrator.effects.terraform.data_folder import BACKEND_SEEN, check_initialized, check_plan_file
from orchestrator.effects.terraform.workspace import Workspace
from orchestrator.errors import MAKE_ROOM, DependencyError, OrchestrateError, StageFailed
from orchestrator.model.release.recovery import locking_lines
from orchestrator.model.rules.config import TerraformSettings as Settings
from orchestrator.model.terraform.errors import TerraformCommand, failure
from orchestrator.model.terraform.events import CommandOutput, Export
from orchestrator.model.terraform.plan import is_plan
from orchestrator.model.terraform.root import ROLE_VARIABLE
from orchestrator.model.text.masking import Masker
from orchestrator.model.text.progress import Progress

PLAN_FILE = "plan.tfplan"
VARIABLES_FILE = "orchestrate.tfvars.json"

_INIT_SECONDS = 900
_SHOW_SECONDS = 600
_SHORT_SECONDS = 120
# Seconds to stop in before Terraform is killed. `init` changes nothing, and does not stop while it waits for AWS.
_GRACE = {"init": 3.0}
_LONGEST_GRACE = 60.0
_NO_CHANGES, _CHANGES = 0, 2
_KEPT_LOCKS = 100
_LEAST_ROOM = 1 << 16  # bytes
_PART = 1 << 20


@dataclass(frozen=True)
class PlanOutcome:
    """Whether a plan would change something, and what Terraform warned of meanwhile (the plan does not hold that)."""

    changes: bool
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Terraform:
    """One program in one workspace; `root` is the root configuration's folder in the exported commit.

    `name` is what the program says that it is: terraform or tofu. `backend` is the only one that it may use, as
    `{type: settings}`. `fetching` are variables that `init` alone sees.
    """

    name: str
    program: Path
    version: str
    workspace: Workspace
    root: Path
    backend: Mapping[str, Any]
    env: Mapping[str, str]
    fetching: Mapping[str, str]
    settings: Settings
    masker: Masker
    progress: Progress
    cancelled: Callable[[], bool] = field(default=lambda: False)

    def init(self) -> None:
        """Installs the locked providers and modules and opens the backend; Refused where that is another one."""
        # The rules say how the state is kept, not what this workspace saw before (or half wrote when it was killed).
        (self.workspace.data / BACKEND_SEEN).unlink(missing_ok=True)
        with self._plugin_cache():
            self._checked("init", "the initialization", _INIT_SECONDS, lockfile="readonly", input=False, json=Flag)
        self._check_backend()

    def plan(self, role: str, var_files: list[Path]) -> PlanOutcome:
        """Plans under `role` and writes the plan file.

        The exit code alone decides: a failed plan also leaves a plan file and prints counts.
        """
        self.plan_file.unlink(missing_ok=True)
        self._check_backend()
        began = clock.now()
        output, code = self._follow(
            "plan",
            self.settings.plan_timeout_minutes * 60,
            role=role,
            out=str(self.plan_file),
            var_file=[str(path) for path in var_files],
            detailed_exitcode=Flag,
            lock_timeout="0s",
            input=False,
            json=Flag,
        )
        # A crashed Terraform ends with 2 as well.
        if code not in (_NO_CHANGES, _CHANGES) or output.errors or output.panic or not self.plan_file.is_file():
            self.plan_file.unlink(missing_ok=True)
            raise self._failure("the plan", output, code, began)
        self.plan_file.chmod(0o600)
        self._check_plan_file()
        return PlanOutcome(code == _CHANGES, output.warnings)

    def plan_json(self) -> bytes:
        """The saved plan as JSON; it holds sensitive values in clear."""
        done = self._run("show", _SHOW_SECONDS, str(self.plan_file), json=Flag)
        if done.returncode != 0:
            raise self._full_disk("the plan") or StageFailed(
                f"the saved plan cannot be read: {self.masker(done.stderr.strip())[:2000]}"
            )
        content = done.stdout.encode()
        if not is_plan(content):
            raise DependencyError(f"{self.program} does not show the saved plan as JSON that can be read")
        return content

    def graph(self) -> str:
        """Terraform's own graph of what a plan walks through (`terraform graph`)."""
        done = self._run("graph", _SHOW_SECONDS, type="plan")
        if done.returncode != 0 or not done.stdout.startswith("digraph"):
            raise StageFailed(f"there is no graph of the configuration: {self.masker(done.stderr.strip())[:2000]}")
        return done.stdout

    def apply(self, role: str) -> dict[str, Any]:
        """Applies the saved plan under `role`; returns the outputs as Terraform tells them (value, sensitive)."""
        self._check_backend()
        self._check_plan_file()
        output = self._checked(
            "apply",
            "the apply",
            self.settings.apply_timeout_minutes * 60,
            str(self.plan_file),
            role=role,
            lock_timeout="0s",
            input=False,
            json=Flag,
        )
        return output.outputs

    def push_state(self, path: Path, *, lock: bool) -> None:
        """Stores a state; Terraform refuses one of another lineage, or older than the stored one.

        Without `lock` the caller knows that the state is locked, by a run that is gone.
        """
        done = self._run("state push", _SHORT_SECONDS, str(path), lock=lock)
        if done.returncode != 0:
            raise StageFailed(f"the state is not stored: {self.masker(done.stderr.strip())[:2000]}")

    @property
    def plan_file(self) -> Path:
        return self.workspace.run / PLAN_FILE

    # ------------------------------------------------------------------------------------------------------------

    def _check_plan_file(self) -> None:
        try:
            check_plan_file(self.plan_file, dict(self.backend))
        except DependencyError as error:
            raise self._full_disk("the plan") or error from None

    def _check_backend(self) -> None:
        check_initialized(self.workspace.data, dict(self.backend))

    def _checked(self, command: str, what: str, seconds: float, *arguments: str, **options: Any) -> CommandOutput:
        began = clock.now()
        output, code = self._follow(command, seconds, *arguments, **options)
        if code != 0:
            raise self._failure(what, output, code, began)
        return output

    def _failure(self, what: str, output: CommandOutput, code: int, began: datetime) -> OrchestrateError:
        full = None if output.errors else self._full_disk(what)
        return full or failure(what, output, code, _this_run(began), program=self.name)

    def _full_disk(self, what: str) -> OrchestrateError | None:
        """Terraform does not notice: it leaves half a plan file, and its last words do not get here."""
        found = os.statvfs(self.workspace.run)
        if found.f_bavail * found.f_frsize >= _LEAST_ROOM:
            return None
        return DependencyError(f"{what} failed: there is no room left in {self.workspace.path}", hint=MAKE_ROOM)

    def _follow(
        self, command: str, seconds: float, *arguments: str, role: str = "", **options: Any
    ) -> tuple[CommandOutput, int]:
        output = CommandOutput(export=Export(str(self.workspace.source), str(self.root)), mask=self.masker)
        log = self.workspace.run / f"{command}.log"
        log.touch(mode=0o600)
        _keep_locks(self.workspace.trace)

        def take(line: str) -> None:
            shown = output.take(line)
            if shown is not None:
                self.progress(shown)

        try:
            code = process.follow(
                self._command(command, *arguments, **options),
                cwd=self.root,
                env={**self._env(role), **(self.fetching if command == "init" else {})},
                log=log,
                on_line=take,
                limits=TimeLimits(seconds, grace=_GRACE.get(command, _LONGEST_GRACE), cancelled=self.cancelled),
                inherit=(self.workspace.lock,),
            )
        except OrchestrateError as error:
            raise _with_errors(error, output) from None
        finally:
            with contextlib.suppress(OSError):  # a full disk costs the log, never what Terraform has done
                _mask(log, self.masker)
                _keep_locks(self.workspace.trace)
        return output, code

    def _run(self, command: str, seconds: float, *arguments: str, **options: Any) -> process.Completed:
        line = self._command(command, *arguments, **options)
        return process.run(line, cwd=self.root, env=self._env(""), timeout=seconds)

    def _command(self, command: str, *arguments: str, **options: Any) -> list[str]:
        from python_terraform import Terraform as CommandLine

        builder = CommandLine(working_dir=str(self.root), terraform_bin_path=str(self.program))
        options = {name: _flag() if value is Flag else value for name, value in options.items()}
        line = builder.generate_cmd_string(command, *arguments, no_color=_flag(), **options)
        return [str(part) for part in line]

    def _env(self, role: str) -> dict[str, str]:
        # Terraform names a lock in its own log before it takes it: whose a lock is can be shown even after kill -9.
        trace = {"TF_LOG_CORE": "INFO", "TF_LOG_PATH": str(self.workspace.trace)}
        own = {"TF_DATA_DIR": str(self.workspace.data), **trace}
        return {**self.env, **own, **({f"TF_VAR_{ROLE_VARIABLE}": role} if role else {})}

    @contextlib.contextmanager
    def _plugin_cache(self) -> Iterator[None]:
        """Terraform's plugin cache is not safe for two `init` at once, so they take turns."""
        folder = self.env.get("TF_PLUGIN_CACHE_DIR")
        if not folder or not Path(folder).is_dir():
            yield
            return
        with (Path(folder) / ".orchestrate.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _mask(log: Path, masker: Masker) -> None:
    """In parts: a log may be larger than the memory. What cannot be written masked is not kept at all."""
    new = log.with_suffix(".new")
    new.touch(mode=0o600)
    try:
        with log.open(encoding="utf-8", errors="replace") as lines, new.open("w", encoding="utf-8") as masked:
            while part := lines.readlines(_PART):
                masked.write(masker("".join(part)))
        new.replace(log)
    except OSError:
        os.truncate(log, 0)
        new.unlink(missing_ok=True)
        raise


def _keep_locks(trace: Path) -> None:
    """Of Terraform's log only what names its last locks; whole or not at all, for we may be killed here as well."""
    lines = locking_lines(trace.read_text("utf-8", errors="replace")) if trace.exists() else []
    new = trace.with_suffix(".new")
    new.touch(mode=0o600)
    new.write_text("".join(f"{line}\n" for line in lines[-_KEPT_LOCKS:]), "utf-8")
    new.replace(trace)


def _this_run(began: datetime) -> TerraformCommand:
    """As Terraform names us in a lock: the user of the process, not of the environment."""
    with contextlib.suppress(KeyError):
        return TerraformCommand(began, f"{pwd.getpwuid(os.geteuid()).pw_name}@{socket.gethostname()}")
    return TerraformCommand(began, f"@{socket.gethostname()}")


class Flag:
    """An option without a value."""


def _flag() -> type[Any]:
    from python_terraform import IsFlagged

    return IsFlagged  # type: ignore[no-any-return]


def _with_errors(error: OrchestrateError, output: CommandOutput) -> OrchestrateError:
    """An interruption or a time-out, with what Terraform said on the way."""
    if output.errors:
        error.args = (error.message,)
        error.hint = "\n".join(filter(None, [error.hint, output.first_errors]))
    return error
