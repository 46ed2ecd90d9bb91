"""Terraform at work in a copy of the code: `init` without a backend, and what it says as findings."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from orchestrator.effects.checks.tool import ScratchDir, ToolResult, answer
from orchestrator.effects.terraform.data_folder import installed_providers
from orchestrator.effects.terraform.modules import ModuleTree, check_modules
from orchestrator.effects.terraform.surroundings import for_fetching, without_credentials
from orchestrator.effects.tools.providers import lint_cli_config
from orchestrator.errors import DependencyError, InvalidInput, OrchestrateError, Refused
from orchestrator.model.checks.coverage import LOCK_FILE
from orchestrator.model.checks.finding import Finding, Severity
from orchestrator.model.rules.check_names import Check
from orchestrator.model.rules.check_settings import ModuleSource
from orchestrator.model.rules.config import TerraformSettings as Settings
from orchestrator.model.terraform.allowed_providers import refuse_others
from orchestrator.model.terraform.checked_providers import CheckedProviders, not_allowed, unavailable
from orchestrator.model.terraform.errors import failure
from orchestrator.model.terraform.events import CommandOutput, Diagnostic
from orchestrator.model.terraform.provider_lock import locked_versions, parse_lock_file
from orchestrator.model.tools.tool import Tool


@dataclass(frozen=True)
class TerraformInTree:
    """Terraform in a scratch folder's tree. `data` is kept from run to run: what `init` installs."""

    tool: Tool
    scratch_dir: ScratchDir
    settings: Settings
    data: Path
    module_sources: tuple[ModuleSource, ...] = ()
    """Modules from outside the commit that the rules allow."""
    protected: tuple[str, ...] = ()
    """Addresses of the providers that the protected branch locks."""
    checked: CheckedProviders | None = None
    """The only providers that may run, where the rules are not to be trusted: `init` gets no login then."""

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else uses the installed providers and modules meanwhile."""
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.utime(self.data)
        with _alone(self.data):
            yield

    def init(self, root: str, check: Check, *, add_to_lock: bool = False) -> list[Finding]:
        """Initializes the root configuration in the folder `root`; returns why that is not possible.

        Where there is a lock file, it names all providers, unless `add_to_lock` allows others. Raises DependencyError
        where providers or modules cannot be had.
        """
        folder = self.scratch_dir.tree / root
        options = ["-backend=false", "-input=false", "-no-color", "-json"]
        locked = ["-lockfile=readonly"] if (folder / LOCK_FILE).is_file() and not add_to_lock else []
        shared = Path(self.scratch_dir.env.get("TF_PLUGIN_CACHE_DIR") or self.data)
        with _alone(shared) if shared != self.data and shared.is_dir() else contextlib.nullcontext():
            shutil.rmtree(self.data / "modules", ignore_errors=True)  # what an earlier commit has called
            said = self.run(["init", *options, *locked], folder)
        if said.returncode != 0:
            return self._not_initialized(said, root, check)
        return self._not_allowed(root, check)

    def _not_initialized(self, said: ToolResult, root: str, check: Check) -> list[Finding]:
        output = CommandOutput()
        with said.stdout.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                output.take(line.rstrip("\n"))
        strange = [a for a in unavailable(output) if self.checked is not None and not self.checked.holds(a)]
        if strange:
            return [self._refused(root, check, not_allowed(strange))]
        error = failure(f"{self.tool.name} init", output, said.returncode, program=self.tool.name)
        if not output.errors or isinstance(error, DependencyError):
            raise error if output.errors else said.broken("could not initialize the root")
        remediation = error.hint if isinstance(error, InvalidInput) else None
        placed = [diagnostic for diagnostic in output.errors if diagnostic.place]  # the others introduce these
        return [self.diagnosed(check, "init", one, root, remediation) for one in placed or output.errors]

    def _not_allowed(self, root: str, check: Check) -> list[Finding]:
        """What the plan would refuse as well, before a provider runs: modules from outside the commit, providers."""
        folder = self.scratch_dir.tree / root
        try:
            check_modules(ModuleTree(self.data, folder, self.scratch_dir.tree), self.module_sources)
            lock_file = folder / LOCK_FILE  # `init` has written it where the commit has none
            text = lock_file.read_text("utf-8", errors="replace") if lock_file.is_file() else ""
            if self.checked is None:
                refuse_others(locked_versions(parse_lock_file(text)), self.settings.providers, self.protected)
            else:
                self._check_installed(self.checked)
        except (InvalidInput, Refused) as error:
            return [self._refused(root, check, error)]
        return []

    def _refused(self, root: str, check: Check, error: OrchestrateError) -> Finding:
        found = self.finding(check, "init", "not_allowed", "error", error.message)
        return msgspec.structs.replace(found, file=root or ".", remediation=error.hint)

    def _check_installed(self, allowed: CheckedProviders) -> None:
        """Terraform starts every provider that `init` has installed, wherever the user's own settings found it."""
        strange = sorted(address for address in installed_providers(self.data) if not allowed.holds(address))
        if strange:
            shutil.rmtree(self.data / "providers")
            raise not_allowed(strange)

    def diagnosed(
        self, check: Check, command: str, found: Diagnostic, root: str, remediation: str | None = None
    ) -> Finding:
        """A diagnostic of a command that ran in the folder `root`."""
        file, line = None, None
        if found.place and (match := re.fullmatch(r"(.+):(\d+)", found.place, re.DOTALL)):
            file, line = os.path.normpath(os.path.join(root, match[1])), int(match[2])
        message = " ".join(f"{found.summary}. {found.detail}".split()) if found.detail else found.summary
        # A provider's warning that something is deprecated must not stop every release on the day it appears.
        severity: Severity = "error" if found.severity == "error" else "notice"
        made = self.finding(check, command, command, severity, message)
        return msgspec.structs.replace(made, file=file, line=line, remediation=remediation)

    def finding(self, check: Check, command: str, rule: str, severity: Severity, message: str) -> Finding:
        """The rule is called the same whichever program finds it: skips and baselines name it."""
        return Finding(check, f"{self.tool.name} {command}", f"terraform_{rule}", severity, message)

    def run(self, arguments: list[str], folder: Path) -> ToolResult:
        env = without_credentials(self.scratch_dir.terraform_env(), self.own_variables(folder))
        fetching = for_fetching(self.scratch_dir.env) if self.checked is None and arguments[0] == "init" else {}
        return answer(self.tool, arguments, self.scratch_dir, folder, env | fetching)

    def own_variables(self, folder: Path) -> dict[str, str]:
        """Where providers come from, and where they are kept."""
        lock_file = folder / LOCK_FILE
        locked = None
        if lock_file.is_file():
            with contextlib.suppress(InvalidInput):  # Terraform itself says it better
                locked = locked_versions(parse_lock_file(lock_file.read_text("utf-8", errors="replace")))
        return {"TF_DATA_DIR": str(self.data), **lint_cli_config(self.scratch_dir.env, self.checked, locked=locked)}


class _Position(msgspec.Struct):
    line: int


class _PrintedRange(msgspec.Struct):
    filename: str
    start: _Position


class _Snippet(msgspec.Struct):
    code: str = ""


class PrintedDiagnostic(msgspec.Struct):
    """As Terraform prints it with `-json`."""

    severity: str
    summary: str
    detail: str = ""
    range: _PrintedRange | None = None
    snippet: _Snippet | None = None

    @property
    def diagnostic(self) -> Diagnostic:
        place = f"{self.range.filename}:{self.range.start.line}" if self.range else None
        return Diagnostic(self.severity, self.summary, self.detail, place)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """`init` writes in the folder, and Terraform's plugin cache is not safe for two at once: they take turns."""
    with (folder / ".orchestrate.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
