"""Runs a build: its phases in CodeBuild's order, as processes of this machine.

Source: "Build phase transitions" (CodeBuild user guide): after a failed install or pre_build phase nothing more is run;
after a failed build phase post_build still is, and artifacts are uploaded.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from orchestrate_sandbox.moto_additions.service_roles import Caller, MayNotAssume
from orchestrate_sandbox.pipeline import aws, buildspec, confinement, results, sources, test_results
from orchestrate_sandbox.pipeline.archives import is_within
from orchestrate_sandbox.pipeline.build import BuildPhase, EmulatedBuild
from orchestrate_sandbox.pipeline.build_log import BuildLog
from orchestrate_sandbox.pipeline.build_variables import VariableError, variables
from orchestrate_sandbox.pipeline.buildspec import Buildspec, BuildspecError
from orchestrate_sandbox.pipeline.confinement import Confinement
from orchestrate_sandbox.pipeline.image import Image
from orchestrate_sandbox.pipeline.place import here
from orchestrate_sandbox.pipeline.processes import end_all
from orchestrate_sandbox.pipeline.repositories import addresses
from orchestrate_sandbox.pipeline.shell import BuildEnded, Shell

PRINCIPAL = "codebuild.amazonaws.com"
_EXPECTED = (
    BotoCoreError,
    BuildspecError,
    ClientError,
    MayNotAssume,
    VariableError,
    results.NothingToUpload,
    sources.SourceError,
)


class PhaseFailed(Exception):
    """The phase is marked as failed already."""


def run(build: EmulatedBuild) -> None:
    """To its end, whatever happens: afterwards the build has a last state."""
    _PipelineRun(build, Image(here().within("builds", build.uuid))).to_the_end()


@dataclass
class _PipelineRun:
    build: EmulatedBuild
    image: Image
    status: str = "SUCCEEDED"

    def __post_init__(self) -> None:
        self.image.folder.mkdir(parents=True)
        self.log = BuildLog(self.image.folder / "output.log", self.build)
        self.log.path.touch()
        self.deadline = time.monotonic() + self.build.limit_seconds

    def to_the_end(self) -> None:
        try:
            with contextlib.suppress(PhaseFailed):
                self._all_phases()
        except BuildEnded as ended:
            self.status = ended.status
        except Exception as error:
            self.status = "FAULT"
            self.log.say(f"INTERNAL_SERVICE_ERROR in the sandbox: {error!r}")
            raise
        finally:
            self._finalize()

    def _all_phases(self) -> None:
        with self._phase("PROVISIONING"):
            self._provision()
        with self._phase("DOWNLOAD_SOURCE"):
            told = sources.download(self.build, self.image.source, self._with_credentials(), lambda: self._client("s3"))
            told["CODEBUILD_RESOLVED_SOURCE_VERSION"] = self.build.resolved_version or ""
            spec = self._read_buildspec()
        with self._shell(spec, told) as shell:
            self._commands(shell, "INSTALL", spec.phases.install)
            self._commands(shell, "PRE_BUILD", spec.phases.pre_build)
            with contextlib.suppress(PhaseFailed):
                self._commands(shell, "BUILD", spec.phases.build)
            if self.status == "SUCCEEDED" or spec.phases.build.on_failure != "ABORT":
                with contextlib.suppress(PhaseFailed):
                    self._commands(shell, "POST_BUILD", spec.phases.post_build)
            self._export(shell, spec)
        with self._phase("UPLOAD_ARTIFACTS"):
            for problem in test_results.keep(self.build, spec, self.image.source):
                self.log.say(problem)
            if self.status == "SUCCEEDED" or spec.artifacts is not None:
                results.upload(self.build, spec, self.image.source, self._client("s3"))

    def _provision(self) -> None:
        self.image.make(addresses(self.build.account))
        if self.build.logs_wanted:
            self.log.open_stream(self._client("logs"))

    def _with_credentials(self) -> dict[str, str]:
        from orchestrate_sandbox.moto_additions import service_roles

        caller = self._caller(f"AWSCodeBuild-{self.build.uuid}")
        keys = service_roles.session(self.build.project["serviceRole"], self.build.region, caller)
        self._variables = variables(self.build, self.image, keys)
        return self._variables

    def _read_buildspec(self) -> Buildspec:
        """Inline, or a file of the source."""
        text = self.build.project["source"].get("buildspec") or "buildspec.yml"
        if "\n" not in text and text.endswith((".yml", ".yaml")):
            path = self.image.source / text
            if not path.is_file() or not is_within(self.image.source, path):
                raise BuildspecError(f"YAML_FILE_ERROR: {text}: the source has no such file")
            text = path.read_text()
        return buildspec.parse(text)

    @contextlib.contextmanager
    def _shell(self, spec: Buildspec, told: dict[str, str]) -> Iterator[Shell]:
        defaults = {name: str(value) for name, value in spec.env.variables.items()}
        program = shutil.which(os.path.basename(spec.env.shell)) or spec.env.shell
        shell = Shell(
            folder=self.image.folder / "shell",
            program=program,
            variables={**defaults, **self._variables, **told},
            log=self.log.path,
            marker=f"CODEBUILD_BUILD_ID={self.build.id}",
            deadline=self.deadline,
            stopped=self.build.stopped.is_set,
            tick=self.log.send_now_and_then,
            confinement=self._confined(),
        )
        shell.start_in(self.image.source)
        yield shell

    def _confined(self) -> Confinement:
        found = confinement.of_build((self.image.folder, self.image.temporary), self.build.account)
        if found.refused:
            self.log.say(f"Sandbox: commands run with all rights of your user ({found.refused})")
        return found

    def _commands(self, shell: Shell, name: str, wanted: buildspec.Phase) -> None:
        with contextlib.ExitStack() as stack:
            if wanted.on_failure == "CONTINUE":
                stack.enter_context(contextlib.suppress(PhaseFailed))
            phase = stack.enter_context(self._phase(name))
            self._run_commands(shell, phase, wanted.commands)
            self._run_commands(shell, phase, wanted.finally_)

    def _run_commands(self, shell: Shell, phase: BuildPhase, commands: list[str]) -> None:
        for command in commands:
            self.log.say(f"Running command {command}")
            code = shell.run(command)
            if code != 0:
                self.log.say(f"Command did not exit successfully {command} exit status {code}")
                message = f"Error while executing command: {command}. Reason: exit status {code}"
                phase.status, phase.context = "FAILED", phase.context or ("COMMAND_EXECUTION_ERROR", message)
                shell.export("CODEBUILD_BUILD_SUCCEEDING", "0")
                return

    def _export(self, shell: Shell, spec: Buildspec) -> None:
        self.build.exported = {name: shell.value(name) for name in spec.env.exported_variables}

    @contextlib.contextmanager
    def _phase(self, name: str) -> Iterator[BuildPhase]:
        """Raises PhaseFailed at its end where it has failed, and Ended where the build was ended."""
        phase = self.build.enter(name)
        try:
            if self.build.stopped.is_set() and name != "FINALIZING":
                raise BuildEnded("STOPPED")
            yield phase
        except BuildEnded as ended:
            phase.status = ended.status
            raise
        except _EXPECTED as error:
            phase.status, phase.context = "FAILED", (_code(error), str(error))
        except Exception:
            phase.status = "FAULT"
            raise
        finally:
            phase.ended, phase.status = dt.datetime.now(dt.UTC), phase.status or "SUCCEEDED"
            self._tell(phase)
        if phase.status == "FAILED":
            self.status = "FAILED"
            raise PhaseFailed

    def _tell(self, phase: BuildPhase) -> None:
        self.log.say(f"Phase complete: {phase.type} State: {phase.status}")
        code, message = phase.context or ("", "")
        self.log.say(f"Phase context status code: {code} Message: {message}")
        self.log.send_now_and_then()

    def _caller(self, session: str) -> Caller:
        return Caller(PRINCIPAL, str(self.build.project["arn"]), session)

    def _client(self, service: str) -> Any:
        role = self.build.project["serviceRole"]
        return aws.as_role(service, self.build.region, role, self._caller("AWSCodeBuild"))

    def _finalize(self) -> None:
        """What a build has left running ends with its container."""
        with contextlib.suppress(PhaseFailed, BuildEnded), self._phase("FINALIZING"):
            end_all(None, f"CODEBUILD_BUILD_ID={self.build.id}")
        with contextlib.suppress(BotoCoreError, ClientError):  # the log group may be gone by now
            self.log.send(all_of_it=True)
        self.image.remove()
        self.build.enter("COMPLETED")
        self.build.status, self.build.ended = self.status, dt.datetime.now(dt.UTC)


def _code(error: Exception) -> str:
    if isinstance(error, BuildspecError):
        return "YAML_FILE_ERROR"
    if isinstance(error, ClientError):
        return str(error.response["Error"]["Code"])
    return "ACCESS_DENIED" if isinstance(error, MayNotAssume) else "CLIENT_ERROR"
