"""Runs that are killed at the worst moments, by the real command: what the next command says, and what recover does."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from orchestrate_sandbox.process import Sandbox
from tests.support.command import RunningCommand
from tests.support.faults import FaultRequest, InjectedFault, between
from tests.support.processes import wait_for, working_in
from tests.support.projects import E2eProject, NewProject

pytestmark = pytest.mark.slow

_PATIENCE = 60.0
PREFIX = "recover"
LEASE = {"ORCHESTRATE_LEASE_SECONDS": "2"}

# Counts how often it was applied; its apply waits for the gate, if it is given one.
ROOT = """\
variable "gate" {
  type    = string
  default = ""
}
variable "log" { type = string }
variable "content" {
  type    = string
  default = "one"
}
resource "terraform_data" "first" {
  input = var.content
  triggers_replace = var.content
  provisioner "local-exec" {
    command = "echo first >> '${var.log}'"
  }
}
resource "terraform_data" "second" {
  triggers_replace = terraform_data.first.id
  provisioner "local-exec" {
    command = "echo second >> '${var.log}'; test -z '${var.gate}' || while ! test -e '${var.gate}'; do sleep 0.1; done"
  }
}
"""


@pytest.fixture(scope="module")
def project(new_project: NewProject) -> E2eProject:
    project = new_project(PREFIX, "slow")
    project.env.update(LEASE)
    return project


class RecoverCase:
    """One target, released once by each test."""

    def __init__(self, project: E2eProject, team: str, scope: str, base: Path) -> None:
        self.project, self.team, self.scope = project, team, scope
        self.tag = f"dev_{scope}/{team}/1.0"
        self.gate, self.log = base / "gate", base / "log"
        self.key = f"{team}/dev-{scope}/terraform.tfstate"

    def release(self, version: str = "1.0", **variables: str) -> str:
        values = {"log": str(self.log), **variables}
        text = "".join(f'{name} = "{value}"\n' for name, value in values.items())
        self.project.commit({"main.tf": ROOT, f"envs/dev/{self.team}/{self.scope}.tfvars": text})
        self.tag = self.project.tag(f"dev_{self.scope}/{self.team}/{version}")
        return self.tag

    def planned(self, version: str = "1.0", **variables: str) -> RecoverCase:
        self.release(version, **variables)
        self.project.ok("plan", "--tag", self.tag)
        return self

    def apply_until(self, line: str, env: dict[str, str] | None = None) -> RunningCommand:
        process = self.project.start("apply", "--tag", self.tag, env=env)
        wait_for(lambda: line in self.done, f"the apply to reach {line}")
        return process

    @property
    def done(self) -> list[str]:
        return self.log.read_text().split() if self.log.exists() else []

    @property
    def workspace(self) -> Path:
        return self.project.workspace(self.team, self.scope)

    @property
    def locks(self) -> list[str]:
        listed: Any = boto3.client("s3").list_objects_v2(Bucket=f"{PREFIX}-dev", Prefix=self.key).get("Contents", [])
        name = {"LockID": {"S": f"{PREFIX}-dev/{self.key}"}}
        item = boto3.client("dynamodb").get_item(TableName=f"{PREFIX}-lock-dev", Key=name).get("Item")
        return [each["Key"] for each in listed if each["Key"].endswith(".tflock")] + ["table"] * (item is not None)

    @property
    def kinds(self) -> list[str]:
        entries = self.project.ok_json("history", "--team", self.team, "--scope", self.scope)["entries"]
        return [entry["kind"] for entry in entries]

    def status(self) -> dict[str, Any]:
        found = self.project.ok_json("status", "--team", self.team, "--scope", self.scope)["targets"]
        return dict(found[0])

    def recover(self, *arguments: str) -> dict[str, Any]:
        return self.project.ok_json("recover", "--tag", self.tag, *arguments)

    def settles(self) -> None:
        """The next plan and apply do what is left; then nothing is, and nobody holds anything."""
        self.gate.touch()
        if self.project.ok_json("plan", "--tag", self.tag)["changes"]:
            self.project.ok("apply", "--tag", self.tag)
            assert self.project.ok_json("plan", "--tag", self.tag)["changes"] is False
        assert self.locks == []
        again = self.recover()
        assert again["result"] == "nothing to recover"


TARGETS = iter([(team, scope) for team in ("research", "risk") for scope in ("global", "us-east-1", "eu-central-1")])


@pytest.fixture
def case(project: E2eProject, boto_env: None, tmp_path: Path) -> Iterator[RecoverCase]:
    case = RecoverCase(project, *next(TARGETS), tmp_path)
    yield case
    kill_all(case.workspace)


def kill_all(folder: Path, *processes: RunningCommand) -> None:
    """At once, like a machine that loses its power."""
    for pid in [*(process.pid for process in processes), *working_in(folder)]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    for process in processes:
        process.communicate(timeout=_PATIENCE)
    wait_for(lambda: not working_in(folder), "all processes to be gone")


def test_killing_the_orchestrator_alone_lets_terraform_finish(case: RecoverCase) -> None:
    process = case.planned(gate=str(case.gate)).apply_until("second")
    process.kill()
    process.communicate()
    for command in ("plan", "recover"):
        busy = case.project.run(command, "--tag", case.tag)
        assert busy.code == 5, busy.err
        assert "another run of this target is under way on this machine" in busy.err
    case.gate.touch()
    wait_for(lambda: not working_in(case.workspace), "Terraform to finish")
    assert case.locks == []
    left = case.status()
    assert left["state"] == "apply unfinished"
    assert left["interrupted"]["runs"][0]["kind"] == "apply"
    refused = case.project.run("apply", "--tag", case.tag)
    assert refused.code == 4
    assert "did not finish" in refused.err
    assert f"`orchestrate recover --tag {case.tag}`" in refused.err
    done = case.recover()
    assert [run["ended"] for run in done["runs"]] == ["complete, but not recorded"]
    assert case.kinds[-1] == "recovered"
    assert case.status()["state"] == "recovered, to be planned again"
    case.settles()
    assert case.done == ["first", "second"]


def test_killing_both_leaves_locks_that_recover_releases_after_proof(case: RecoverCase) -> None:
    process = case.planned(gate=str(case.gate)).apply_until("second")
    kill_all(case.workspace, process)
    assert len(case.locks) == 2
    locked = case.project.run("plan", "--tag", case.tag)
    assert locked.code == 5
    assert "is locked by" in locked.err
    assert f"`orchestrate recover --tag {case.tag}` finishes it safely" in locked.err
    assert "Terraform's locks: lock " in locked.err
    assert "aborted" in case.kinds
    elsewhere = case.project.run(
        "recover", "--tag", case.tag, env={"ORCHESTRATE_WORKSPACES": str(case.gate.parent / "elsewhere")}
    )
    assert elsewhere.code == 0, "the receipt names the workspace, whose log shows whose the locks are"
    assert case.locks == []
    assert "half-way" in elsewhere.out
    assert "not in the state, but perhaps there: terraform_data.first (id " in elsewhere.out
    assert "not in the state, but perhaps there: terraform_data.second (was being made)" in elsewhere.out
    case.settles()
    assert case.done == ["first", "second"] * 2, "what the state did not know was made again; recover has said so"


def test_killing_terraform_alone_is_a_failed_apply_whose_lock_recover_releases(case: RecoverCase) -> None:
    process = case.planned(gate=str(case.gate)).apply_until("second")
    kill_all(case.workspace)
    _, err = process.communicate(timeout=_PATIENCE)
    assert process.returncode == 1
    assert "killed by signal 9" in err
    assert len(case.locks) == 2
    done = case.recover()
    assert len(done["released"]) == 1
    assert done["runs"] == []
    case.settles()


def test_a_killed_plan_is_on_record_and_recovered(case: RecoverCase, sandbox: Sandbox) -> None:
    case.release()
    locked, reached, go_on = threading.Event(), threading.Event(), threading.Event()

    def hold(asked: FaultRequest) -> InjectedFault | None:
        """Terraform reads the state's checksum when it holds the locks."""
        if asked.action == "PutItem" and b"OperationTypePlan" in asked.body:
            locked.set()
        if asked.action == "GetItem" and b"tfstate-md5" in asked.body and locked.is_set():
            reached.set()
            go_on.wait(_PATIENCE)
        return None

    with between(sandbox.endpoint, hold) as endpoint:
        process = case.project.start("plan", "--tag", case.tag, env={"AWS_ENDPOINT_URL": endpoint})
        assert reached.wait(_PATIENCE)
        kill_all(case.workspace, process)
        go_on.set()
    assert case.kinds == ["planning"]
    assert len(case.locks) == 2
    assert case.status()["interrupted"]["runs"][0]["kind"] == "plan"
    done = case.recover()
    assert [run["ended"] for run in done["runs"]] == ["without a plan"]
    assert len(done["released"]) == 1
    case.settles()


def test_killed_between_the_apply_and_its_record(case: RecoverCase, sandbox: Sandbox) -> None:
    case.planned()
    reached, go_on = threading.Event(), threading.Event()

    def hold(asked: FaultRequest) -> InjectedFault | None:
        if asked.action == "TransactWriteItems" and b'"applied"' in asked.body:
            reached.set()
            go_on.wait(_PATIENCE)
            return InjectedFault(500, "InternalServerError")
        return None

    with between(sandbox.endpoint, hold) as endpoint:
        process = case.project.start("apply", "--tag", case.tag, env={"AWS_ENDPOINT_URL": endpoint})
        assert reached.wait(_PATIENCE)
        process.kill()
        process.communicate()
        go_on.set()
    done = case.recover()
    assert [run["ended"] for run in done["runs"]] == ["complete, but not recorded"]
    case.settles()
    assert case.done == ["first", "second"]


def test_a_state_that_could_not_be_saved_is_kept_stored_and_its_checksum_mended(
    case: RecoverCase, sandbox: Sandbox
) -> None:
    """First the state is refused; then Terraform is killed between the state and its checksum."""
    case.planned()

    def refuse(asked: FaultRequest) -> InjectedFault | None:
        return InjectedFault(403, "AccessDenied") if asked.method == "PUT" and _state(asked, case) else None

    with between(sandbox.endpoint, refuse) as endpoint:
        failed = case.project.run("apply", "--tag", case.tag, env={"AWS_ENDPOINT_URL": endpoint})
    assert failed.code == 6, failed.err
    assert "`orchestrate recover` stores it" in failed.err
    refused = case.project.run("plan", "--tag", case.tag)
    assert refused.code == 4
    assert "could not save its state" in refused.err
    done = case.recover()
    assert [state["result"] for state in done["states"]] == ["newer"]
    kept = boto3.client("s3").get_object(Bucket=f"{PREFIX}-releases-dev", Key=done["states"][0]["key"])
    assert b'"lineage"' in kept["Body"].read()
    case.settles()
    assert case.done == ["first", "second"], "nothing was made twice"

    case.planned("1.1", content="two")
    reached = threading.Event()

    def hold(asked: FaultRequest) -> InjectedFault | None:
        if asked.action == "PutItem" and b"-md5" in asked.body:
            reached.set()
            return InjectedFault(500, "InternalServerError")
        return None

    with between(sandbox.endpoint, hold) as endpoint:
        process = case.project.start("apply", "--tag", case.tag, env={"AWS_ENDPOINT_URL": endpoint})
        assert reached.wait(_PATIENCE)
        kill_all(case.workspace, process)
    fixed = case.project.ok("recover", "--tag", case.tag)
    assert "The checksum beside the state is fixed" in fixed.err
    case.settles()


def _state(asked: FaultRequest, case: RecoverCase) -> bool:
    return asked.path.partition("?")[0].endswith(case.key)
