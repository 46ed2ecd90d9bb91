"""A project in a private sandbox for hostile runs: each apply leaves a line for all it did, beside the state."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from orchestrate_sandbox.layout import SandboxLayout
from orchestrate_sandbox.process import start
from tests.support.processes import working_in

TOOLING, PREFIX = "000000000000", "hostile"
_PATIENCE = 120.0
_DROPPED = ("AWS_", "GIT_", "ORCHESTRATE_", "TF_")
_TARGET = "research/dev-global"
NAMES = ("first", "second", "third")

_ROOT = """\
variable "log" { type = string }
variable "content" { type = string }
"""
_RESOURCE = """\
resource "terraform_data" "%(name)s" {
  input            = var.content
  triggers_replace = var.content
  depends_on       = [%(after)s]
  provisioner "local-exec" {
    command = "echo %(name)s ${var.content} >> '${var.log}'; sleep 0.4"
  }
}
"""
_RULES = {
    "envs/orchestrate.yaml": (
        f"state: {{prefix: {PREFIX}, region: us-east-1}}\n"
        f'tooling: {{account: "{TOOLING}"}}\nworkload: {{root: ., external_id: hostile}}\n'
    ),
    "envs/dev.yaml": (
        "regions: [us-east-1]\nglobal_resource_deploy_from_region: us-east-1\n"
        'teams: {research: {account: "111111111111"}}\n'
        "approval: {required: true}\nchecks: {required: []}\n"
    ),
}
# The clock of what is started, moved by so many seconds; AWS's own signatures keep the true time.
_SKEWED = """\
import sys, datetime
from orchestrator.effects.system import clock
true, moved = clock.now, datetime.timedelta(seconds=float(sys.argv.pop(1)))
clock.now = lambda: true() + moved
from orchestrator.cli.main import run
run()
"""


@dataclass(frozen=True)
class CommandEnd:
    """How a command ended."""

    code: int
    out: str
    err: str


@dataclass
class HostileProject:
    """One target, `research/dev-global`; `version` is that of the newest release."""

    folder: Path
    env: dict[str, str]
    endpoint: str
    version: int = 0

    @property
    def tag(self) -> str:
        return f"dev_global/research/1.{self.version}"

    @property
    def workspace(self) -> Path:
        return Path(self.env["ORCHESTRATE_WORKSPACES"], f"{PREFIX}-{TOOLING}/dev/research/global")

    def git(self, *arguments: str) -> None:
        who = ("-c", "user.name=Bench", "-c", "user.email=bench@example.com", "-c", "gc.auto=0")
        subprocess.run(("git", *who, *arguments), cwd=self.folder, env=self.env, check=True)

    def release(self) -> None:
        """The next version; it changes every resource."""
        self.version += 1
        values = f'log = "{self.folder.parent / "log"}"\ncontent = "{self.version}"\n'
        (self.folder / "envs/dev.tfvars").write_text(values)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "A change")
        self.git("tag", "--annotate", "--message", "A release", self.tag)

    def begin(self, *arguments: str, skew: float = 0.0, **env: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", _SKEWED, str(skew), *arguments]
        return subprocess.Popen(
            command, cwd=self.folder, env={**self.env, **env}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def run(self, command: str, *more: str, skew: float = 0.0, **env: str) -> CommandEnd:
        return ended(self.begin(command, "--tag", self.tag, *more, skew=skew, **env))

    def ok(self, command: str, *more: str) -> CommandEnd:
        done = self.run(command, *more)
        if done.code != 0:
            raise SystemExit(f"{command} {' '.join(more)} ended with {done.code}:\n{done.err}")
        return done

    def approved(self) -> bool:
        """Plans and approves the newest version; False where there is nothing to change."""
        changes = json.loads(self.ok("plan", "--format", "json").out)["changes"]
        if changes:
            self.ok("approve", "--yes")
        return bool(changes)

    def settle(self) -> None:
        """Without disturbance: what is left is planned, approved and applied; then nothing is."""
        if self.approved():
            self.ok("apply")
        if json.loads(self.ok("plan", "--format", "json").out)["changes"]:
            raise SystemExit(f"{self.tag} does not settle")

    def history(self) -> list[dict[str, Any]]:
        done = ended(self.begin("history", "--format", "json"))
        return list(json.loads(done.out)["entries"])

    def has_begun(self, process: subprocess.Popen[str]) -> None:
        """Waits until the apply is in the ledger, or has ended."""
        before, deadline = self.begun, time.monotonic() + _PATIENCE
        while process.poll() is None and self.begun in ("", before):
            if time.monotonic() > deadline:
                raise SystemExit("the apply does not begin")
            time.sleep(0.01)

    @property
    def begun(self) -> str:
        """The id of the entry of the newest apply that began here."""
        path = self.workspace / "run/begun"
        return path.read_text() if path.exists() else ""

    def processes(self) -> list[int]:
        """Those that work in the workspace (Linux)."""
        return working_in(self.workspace)

    def quiet(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        while self.processes():
            if time.monotonic() > deadline:
                raise SystemExit("Terraform does not end")
            time.sleep(0.05)


def ended(process: subprocess.Popen[str]) -> CommandEnd:
    out, err = process.communicate(timeout=_PATIENCE)
    return CommandEnd(process.returncode, out, err)


def kill(*pids: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@dataclass
class Invariants:
    """What must hold whatever happens; `faults` are what did not."""

    project: HostileProject
    lineage: str = ""
    serial: int = 0

    def faults(self) -> list[str]:
        """After `settle`; compares with the last time."""
        return [*self._state(), *self._chain()]

    def _state(self) -> Iterator[str]:
        stored = boto3.client("s3").get_object(Bucket=f"{PREFIX}-dev", Key=f"{_TARGET}/terraform.tfstate")
        state = json.loads(stored["Body"].read())
        if self.lineage not in ("", state["lineage"]) or state["serial"] < self.serial:
            yield "the state is another one, or an older one"
        self.lineage, self.serial = state["lineage"], state["serial"]
        inputs = {r["name"]: [i["attributes"]["input"]["value"] for i in r["instances"]] for r in state["resources"]}
        if inputs != {name: [str(self.project.version)] for name in NAMES}:
            yield f"the state does not hold what was released: {inputs}"

    def _chain(self) -> Iterator[str]:
        entries = self.project.history()
        applies = Counter(entry["digest"] for entry in entries if entry["kind"] == "applying")
        yield from (f"plan {digest} was applied {times} times" for digest, times in applies.items() if times > 1)
        approved = {entry["digest"] for entry in entries if entry["kind"] == "approved"}
        yield from (f"plan {digest} was applied and not approved" for digest in applies.keys() - approved)
        done = Counter((self.project.folder.parent / "log").read_text().split("\n"))
        begun = Counter(entry["tag"].rpartition(".")[2] for entry in entries if entry["kind"] == "applying")
        for line in filter(None, done):
            if done[line] > begun[line.split()[1]]:
                yield f"`{line}` was done {done[line]} times in {begun[line.split()[1]]} applies"


@contextlib.contextmanager
def ready() -> Iterator[HostileProject]:
    """The first version has been released."""
    layout = SandboxLayout(TOOLING, "us-east-1")
    with tempfile.TemporaryDirectory(prefix="hostile-") as folder, start(layout) as sandbox:
        project = HostileProject(Path(folder, "repo"), _environment(Path(folder), sandbox.env), sandbox.endpoint)
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
        os.environ.update(sandbox.env)
        resources = [
            _RESOURCE % {"name": name, "after": f"terraform_data.{before}" if before else ""}
            for name, before in zip(NAMES, (None, *NAMES), strict=False)
        ]
        for file, content in {**_RULES, "main.tf": _ROOT + "".join(resources)}.items():
            (project.folder / file).parent.mkdir(parents=True, exist_ok=True)
            (project.folder / file).write_text(content)
        project.git("init", "--quiet", "--initial-branch", "main")
        project.release()
        if (made := ended(project.begin("bootstrap", "--env", "dev"))).code != 0:
            raise SystemExit(made.err)
        project.settle()
        yield project


def _environment(base: Path, sandbox: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_DROPPED)}
    tools = {name: os.environ[name] for name in ("ORCHESTRATE_CACHE", "TF_CLI_CONFIG_FILE") if name in os.environ}
    own = {
        "ORCHESTRATE_WORKSPACES": str(base / "workspaces"),
        "ORCHESTRATE_LEASE_SECONDS": "2",
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    return {**kept, **tools, **sandbox, **own}
