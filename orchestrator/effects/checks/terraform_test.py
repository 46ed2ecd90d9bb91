"""`terraform test` of one folder: what its runs say, as cases and findings.

It gets no credentials and no home: tests that need AWS fail here, and those of mocked providers pass everywhere.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec
from msgspec.structs import replace

from orchestrator.effects.checks.terraform_in_tree import PrintedDiagnostic, TerraformInTree
from orchestrator.effects.checks.tool import ToolResult, answer
from orchestrator.effects.terraform.surroundings import environment
from orchestrator.effects.tools.providers import own_configuration
from orchestrator.model.checks.check import CaseResult, Observed
from orchestrator.model.checks.coverage import LOCK_FILE
from orchestrator.model.checks.finding import Finding
from orchestrator.model.rules.check_names import Check
from orchestrator.model.text import decoding

CHECK: Check = "test"
_LONGEST_LINE = 1 << 24  # bytes; one line holds one message
# Without these the AWS provider would look for credentials in the home folder and on the network.
_NO_CREDENTIALS = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


class _Run(msgspec.Struct):
    path: str
    run: str
    status: str = ""


class _TestSummary(msgspec.Struct):
    status: str
    passed: int
    failed: int
    errored: int
    skipped: int

    @property
    def counts(self) -> dict[str, int]:
        return {"pass": self.passed, "fail": self.failed, "error": self.errored, "skip": self.skipped}


class _TestMessage(msgspec.Struct):
    """One line of `terraform test -json` (Terraform documentation, "Machine-Readable UI")."""

    type: str
    file: str = msgspec.field(name="@testfile", default="")
    run: str = msgspec.field(name="@testrun", default="")
    test_abstract: dict[str, list[str] | None] | None = None
    test_run: _Run | None = None
    test_summary: _TestSummary | None = None
    diagnostic: PrintedDiagnostic | None = None


@dataclass
class _Told:
    """All that one `terraform test` has said; runs by file and name."""

    abstract: dict[str, list[str]] | None = None
    statuses: dict[tuple[str, str], str] = field(default_factory=dict)
    diagnostics: list[_TestMessage] = field(default_factory=list)
    summary: _TestSummary | None = None

    @property
    def errors(self) -> bool:
        return any(one.diagnostic is not None and one.diagnostic.severity == "error" for one in self.diagnostics)

    def take(self, message: _TestMessage) -> None:
        if message.test_abstract is not None:
            self.abstract = {file: runs or [] for file, runs in message.test_abstract.items()}
        if message.test_run is not None and message.test_run.status:
            self.statuses[message.test_run.path, message.test_run.run] = message.test_run.status
        if message.diagnostic is not None:
            self.diagnostics.append(message)
        self.summary = message.test_summary or self.summary


@dataclass(frozen=True)
class TerraformTest:
    """`terraform test` in a scratch folder's tree.

    `lock_file` is the root's: a module without one of its own is tested with the versions that are released.
    """

    terraform: TerraformInTree
    lock_file: bytes | None

    def observe(self, module: str, files: Iterable[str]) -> Observed:
        """Tests the module in the folder `module`, whose test files are `files`, relative to it.

        Raises DependencyError where Terraform neither ran all of them nor said why.
        """
        folder = self.terraform.scratch_dir.tree / module
        with self.terraform.alone():
            borrowed = self._lend_lock_file(folder)
            findings = self.terraform.init(module, CHECK, add_to_lock=borrowed)
            if findings:
                return Observed(tuple(findings), cases=())
            command = ["test", "-json", "-no-color"]
            said = answer(self.terraform.tool, command, self.terraform.scratch_dir, folder, self._env(folder))
        return self._judged(said, module, sorted(files))

    def _lend_lock_file(self, folder: Path) -> bool:
        path = folder / LOCK_FILE
        if path.is_file() or self.lock_file is None:
            return False
        path.write_bytes(self.lock_file)
        return True

    def _env(self, folder: Path) -> dict[str, str]:
        """A CLI configuration of the user's is named: the home folder where it would be found is another one."""
        scratch, settings = self.terraform.scratch_dir, self.terraform.settings
        passed = {name: scratch.env[name] for name in settings.pass_env if name in scratch.env}
        own = own_configuration(scratch.env)
        named = {} if own is None else {"TF_CLI_CONFIG_FILE": str(own)}
        extra = {**named, **self.terraform.own_variables(folder), **_NO_CREDENTIALS}
        return environment(scratch.plain_env(**passed), settings, extra)

    def _judged(self, said: ToolResult, module: str, files: list[str]) -> Observed:
        told = _Told()
        for message in _messages(said):
            told.take(message)
        _check_complete(said, told, files)
        findings = [self._finding(message, module) for message in told.diagnostics]
        cases = tuple(
            CaseResult(os.path.normpath(os.path.join(module, file)), run, _RESULTS[status])
            for (file, run), status in told.statuses.items()
        )
        explained = {finding.resource for finding in findings if finding.severity == "error"}
        unexplained = [case for case in cases if case.result == "failed" and case.address not in explained]
        return Observed((*findings, *map(self._unexplained, unexplained)), cases=cases)

    def _finding(self, message: _TestMessage, module: str) -> Finding:
        assert message.diagnostic is not None
        found = self.terraform.diagnosed(CHECK, CHECK, message.diagnostic.diagnostic, module)
        file = os.path.normpath(os.path.join(module, message.file)) if message.file else None
        case = CaseResult(file, message.run, "failed") if file and message.run else None
        code = message.diagnostic.snippet.code if message.diagnostic.snippet else None
        return replace(
            found, file=found.file or file, code=code or None, resource=case.address if case is not None else None
        )

    def _unexplained(self, case: CaseResult) -> Finding:
        found = self.terraform.finding(CHECK, CHECK, CHECK, "error", f"the run {case.name} failed")
        return replace(found, file=case.file, resource=case.address)


def _check_complete(said: ToolResult, told: _Told, files: list[str]) -> None:
    """Raises DependencyError unless every run has ended, in a way that the counts and the exit code confirm.

    A configuration that Terraform cannot read ends it before the first run, with errors.
    """
    if told.summary is None:
        if said.returncode == 1 and told.errors and not told.statuses:
            return
        raise said.broken("did not finish its tests")
    if told.abstract is None or sorted(map(os.path.normpath, told.abstract)) != files:
        raise said.broken("did not read the test files that are there")
    runs = {(file, run) for file, names in told.abstract.items() for run in names}
    if told.statuses.keys() != runs or Counter(told.statuses.values()) != Counter(told.summary.counts):
        raise said.broken("did not say how every run ended")
    passed = not (told.summary.failed or told.summary.errored or told.errors)
    if (said.returncode, told.summary.status == "pass") != (0 if passed else 1, passed):
        raise said.broken("contradicts itself about whether its tests passed")


_RESULTS: dict[str, Literal["passed", "failed", "skipped"]] = {
    "pass": "passed",
    "fail": "failed",
    "error": "failed",
    "skip": "skipped",
}


def _messages(said: ToolResult) -> Iterator[_TestMessage]:
    with said.stdout.open("rb") as lines:
        while line := lines.readline(_LONGEST_LINE):
            if line.strip():
                try:
                    yield decoding.decode(line, _TestMessage)
                except (msgspec.DecodeError, UnicodeDecodeError) as error:
                    raise said.broken(f"did not print the JSON that it should: {str(error)[:200]}") from None
