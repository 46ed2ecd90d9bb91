"""Runs that are killed, stopped, doubled or refused: nothing is lost, and the next command says what happened."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from concurrent.futures import Future
from pathlib import Path

import boto3
import pytest

from orchestrator.errors import DependencyError
from orchestrator.model.ledger.ledger import History
from orchestrator.stages.record.planning import Admission, ends
from orchestrator.stages.release.plan import plan
from tests.support.command import ORCHESTRATE, RunningCommand
from tests.support.mounts import Mounted
from tests.support.processes import wait_for, working_in
from tests.support.projects import E2eProject, NewProject
from tests.support.stages import Standing, stand

__all__ = ["stand"]

pytestmark = pytest.mark.slow

GLOBAL = "dev_global/research/1.0"
_PATIENCE = 60.0


@pytest.fixture
def gated(new_project: NewProject, tmp_path: Path) -> tuple[E2eProject, Path]:
    """A planned release whose apply waits for the gate file."""
    project = new_project(f"slow{abs(hash(tmp_path)) % 10**8}", "slow")
    gate = tmp_path / "gate"
    project.commit({"envs/dev.tfvars": f'gate = "{gate}"\n'})
    project.tag(GLOBAL)
    project.ok("plan", "--tag", GLOBAL)
    return project, gate


def apply_until_gate(project: E2eProject, gate: Path) -> RunningCommand:
    # A killed holder's lease is outwaited: by default a minute
    process = project.start("apply", "--tag", GLOBAL, env={"ORCHESTRATE_LEASE_SECONDS": "3"})
    wait_for(Path(f"{gate}.reached").exists, "the apply to reach its gate")
    return process


def state_of(project: E2eProject) -> dict[str, object]:
    key = "research/dev-global/terraform.tfstate"
    content = boto3.client("s3").get_object(Bucket=f"{project.prefix}-dev", Key=key)["Body"].read()
    return dict(json.loads(content))


def locks_of(project: E2eProject) -> list[str]:
    """Terraform's locks, lock objects and items alike."""
    listed = boto3.client("s3").list_objects_v2(Bucket=f"{project.prefix}-dev").get("Contents", [])
    items = boto3.client("dynamodb").scan(TableName=f"{project.prefix}-lock-dev")["Items"]
    held = [item["LockID"]["S"] for item in items if not item["LockID"]["S"].endswith("-md5")]
    return [item["Key"] for item in listed if item["Key"].endswith(".tflock")] + held


def test_killing_terraform_as_well_leaves_a_lock_that_the_next_run_explains_and_unlock_releases(
    gated: tuple[E2eProject, Path], boto_env: None
) -> None:
    project, gate = gated
    process = apply_until_gate(project, gate)
    process.kill()
    process.communicate()
    for pid in working_in(project.workspace("research", "global")):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not working_in(project.workspace("research", "global")), "all processes to be gone")
    locked = project.run("plan", "--tag", GLOBAL)
    assert locked.code == 5, locked.err
    assert "is locked by" in locked.err
    lock_id = locked.err.partition("--lock-id ")[2].split("`")[0]
    assert project.run("unlock", "--tag", GLOBAL, "--lock-id", "0" * 8 + "-0000-0000-0000-" + "0" * 12).code == 1
    assert locks_of(project)
    project.ok("unlock", "--tag", GLOBAL, "--lock-id", lock_id)
    assert locks_of(project) == []
    gate.touch()
    project.ok("plan", "--tag", GLOBAL)
    project.ok("apply", "--tag", GLOBAL)
    assert project.ok_json("plan", "--tag", GLOBAL)["changes"] is False


def test_ctrl_c_stops_terraform_cleanly_and_releases_its_lock(gated: tuple[E2eProject, Path], boto_env: None) -> None:
    project, gate = gated
    process = apply_until_gate(project, gate)
    process.send_signal(signal.SIGINT)
    wait_for(lambda: b"nterrupt" in (project.workspace("research", "global") / "run/apply.log").read_bytes(), "SIGINT")
    gate.touch()
    _, err = process.communicate(timeout=_PATIENCE)
    assert process.returncode == 130, err
    assert locks_of(project) == []
    assert state_of(project)["serial"]
    status = project.ok_json("status", "--env", "dev", "--scope", "global")
    assert status["targets"][0]["state"] == "last apply failed"


def test_of_two_applies_at_once_exactly_one_goes_on(gated: tuple[E2eProject, Path], tmp_path: Path) -> None:
    project, gate = gated
    gate.touch()
    elsewhere = {"XDG_CACHE_HOME": str(tmp_path / "other-cache")}
    processes = [project.start("apply", "--tag", GLOBAL, env=env) for env in ({}, {}, elsewhere, elsewhere)]
    ended = [process.answer(_PATIENCE) for process in processes]
    codes = sorted(answer.code for answer in ended)
    assert codes[0] == 0, ended
    assert all(code in (4, 5) for code in codes[1:]), ended
    history = project.ok_json("history", "--env", "dev", "--scope", "global")["entries"]
    kinds = [entry["kind"] for entry in history]
    assert [kind for kind in kinds if kind not in ("planning", "refused")] == ["planned", "applying", "applied"], kinds


def test_a_failed_apply_is_recorded_and_the_next_plan_goes_on(new_project: NewProject) -> None:
    project = new_project("failing", "slow")
    project.commit({"envs/dev.tfvars": 'gate = "/nonexistent/folder/gate"\n'})
    project.tag(GLOBAL)
    project.ok("plan", "--tag", GLOBAL)
    failed = project.run("apply", "--tag", GLOBAL)
    assert failed.code == 1
    assert "What was done before the error is in the state" in failed.err
    status = project.ok_json("status", "--env", "dev", "--scope", "global")["targets"][0]
    assert status["state"] == "last apply failed"
    assert status["tag"] is None


LEAK = """\
variable "password" {
  type      = string
  sensitive = true
}

resource "terraform_data" "this" {
  provisioner "local-exec" {
    command = "echo $TOKEN ${var.password}; exit 3"
  }
}
"""


def test_an_apply_that_fails_tells_no_secret(new_project: NewProject) -> None:
    """Terraform itself shows the command of a provisioner that failed, and what it printed, secrets and all."""
    project = new_project("leaking", "slow")
    for path in project.folder.glob("*.tf"):
        path.unlink()
    project.commit({"main.tf": LEAK, "envs/dev.tfvars": 'password = "hunter2-and-more"\n'})
    project.tag(GLOBAL)
    secret = {"TOKEN": "a-token-of-ours"}
    project.ok("plan", "--tag", GLOBAL, env=secret)
    failed = project.run("apply", "--tag", GLOBAL, env=secret)
    assert failed.code == 1
    assert failed.err.count("local-exec provisioner error (main.tf:7)") == 1, "told once, by its path"
    assert "'echo $TOKEN ***; exit 3'" in failed.err
    log = (project.workspace("research", "global") / "run/apply.log").read_text()
    history = project.ok("history", "--env", "dev", "--format", "json").out
    for told in (failed.err, log, history):
        assert "hunter2" not in told
        assert "a-token-of-ours" not in told


@pytest.mark.parametrize("size", [40, 52])
def test_a_plan_without_room_says_so_and_is_on_record(
    new_project: NewProject, mounted: Mounted, stand: Standing, size: int
) -> None:
    """Terraform takes a full disk for a success; what it leaves cannot be read."""
    project = new_project(f"room{size}", "slow")
    at = stand(project, project.tag(GLOBAL), ORCHESTRATE_WORKSPACES=str(mounted(size))).ctx
    with pytest.raises(DependencyError, match=r"no room left in|No space left") as failed:
        plan(at)
    assert "orchestrate doctor" in str(failed.value.hint)
    last = at.ledger.history(at.release.target.id).last
    assert last is not None
    assert last.kind == "aborted"


def test_a_locale_of_another_character_set_ends_no_release(new_project: NewProject) -> None:
    project = new_project("umlauts", "slow")
    project.folder = project.folder.rename(project.folder.with_name("répository"))
    for path in project.folder.glob("*.tf"):
        path.unlink()
    project.commit({"main.tf": 'resource "terraform_data" "ä" {\n  input = "ü"\n}\n'})
    project.tag(GLOBAL)
    env = project.env | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

    def ok(*command: str) -> str:
        return subprocess.run(
            [ORCHESTRATE, *command], cwd=project.folder, env=env, check=True, capture_output=True, text=True
        ).stdout

    assert "+ terraform_data." in ok("plan", "--tag", GLOBAL)
    ok("apply", "--tag", GLOBAL)
    log = (project.workspace("research", "global") / "run/apply.log").read_text("utf-8")
    assert "terraform_data.ä: Creation complete" in log


@pytest.fixture(scope="module")
def quick(new_project: NewProject) -> E2eProject:
    """Each test releases to a target of its own."""
    return new_project("quick", "slow")


def test_a_plan_that_is_interrupted_between_two_commands_has_an_end_on_record(
    quick: E2eProject, stand: Standing
) -> None:
    at = stand(quick, quick.tag("dev_eu-central-1/risk/1.0")).ctx
    admission: Future[Admission] = Future()
    admission.set_result(Admission(History([]), at.identify(), None, run="x"))
    with pytest.raises(KeyboardInterrupt), ends(at, admission):
        raise KeyboardInterrupt
    last = at.ledger.history(at.release.target.id).last
    assert last is not None
    assert (last.kind, last.detail["exit_code"]) == ("aborted", 130)


def test_a_newer_plan_of_the_target_withdraws_the_one_that_waits(quick: E2eProject) -> None:
    older, newer = quick.tag("dev_global/research/1.0"), quick.tag("dev_global/research/1.1")
    first = quick.ok_json("plan", "--tag", older)["digest"]
    quick.ok("plan", "--tag", newer)
    for command in ("apply", "approve"):
        withdrawn = quick.run(command, "--tag", older, *(["--yes"] if command == "approve" else []))
        assert withdrawn.code == 4
        assert f"has been withdrawn: a newer plan of this target, of {newer}, was stored" in withdrawn.err
    entries = quick.ok_json("history", "--env", "dev", "--team", "research", "--scope", "global")["entries"]
    assert [entry["detail"]["withdraws"] for entry in entries if entry["kind"] == "planned"] == [None, first]


def test_an_older_version_is_refused_where_a_newer_one_runs(quick: E2eProject) -> None:
    older, newer = quick.tag("dev_us-east-1/research/1.0"), quick.tag("dev_us-east-1/research/1.1")
    quick.ok("plan", "--tag", newer)
    quick.ok("apply", "--tag", newer)
    planned = quick.ok("plan", "--tag", older)
    assert "Apply will refuse it" in planned.err
    late = quick.run("apply", "--tag", older)
    assert late.code == 4
    assert f"{older} is older than 1.1, which was applied to this target" in late.err


def test_a_stale_plan_is_refused(quick: E2eProject, boto_env: None) -> None:
    """Somebody changed the state after the plan was made."""
    tag = quick.tag("dev_global/risk/1.0")
    quick.ok("plan", "--tag", tag)
    state = {"version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "another", "resources": []}
    key = "risk/dev-global/terraform.tfstate"
    boto3.client("s3").put_object(Bucket=f"{quick.prefix}-dev", Key=key, Body=json.dumps(state).encode())
    stale = quick.run("apply", "--tag", tag)
    assert stale.code == 4
    assert "the plan is stale" in stale.err


def test_a_moved_tag_is_refused_with_both_commits_named(quick: E2eProject) -> None:
    first, tag = quick.git("rev-parse", "HEAD"), quick.tag("dev_us-east-1/risk/2.0")
    quick.ok("plan", "--tag", tag)
    second = quick.commit({"envs/dev.tfvars": 'content = "moved"\n'})
    quick.git("tag", "--force", "--annotate", "--message", "Moved", tag)
    for command in ("lint", "plan", "apply"):
        moved = quick.run(command, "--tag", tag)
        assert moved.code == 4
        assert "has been moved" in moved.err
        assert first[:12] in moved.err
        assert second[:12] in moved.err
        before, _, said = moved.err.partition("Error: ")
        before = "".join(line for line in before.splitlines(True) if not line.startswith("Note: this repository"))
        begun = [line for line in before.splitlines() if not line.startswith(("lint: ", "scan: "))]
        assert begun == [], "nothing of an initialization that was cancelled"
        assert "Error" not in said


def test_a_required_check_that_has_not_run_is_asked_for(new_project: NewProject) -> None:
    project = new_project("unchecked", "slow")
    rules = (project.folder / "envs/dev.yaml").read_text().replace("required: []", "required: [lint]")
    project.commit({"envs/dev.yaml": rules})
    project.tag(GLOBAL)
    assert project.ok_json("plan", "--tag", GLOBAL)["checks"]["lint"] == "not run"
    refused = project.run("apply", "--tag", GLOBAL)
    assert refused.code == 4
    assert "the required check `lint` has not run" in refused.err


def test_where_approval_is_required_apply_waits_for_it_and_a_rejected_plan_is_never_applied(
    new_project: NewProject,
) -> None:
    project = new_project("approved", "slow")
    rules = (project.folder / "envs/dev.yaml").read_text() + "approval: {required: true}\n"
    project.commit({"envs/dev.yaml": rules})
    project.tag(GLOBAL)
    project.ok("plan", "--tag", GLOBAL)
    assert project.run("apply", "--tag", GLOBAL).code == 4
    project.ok("approve", "--tag", GLOBAL, "--yes", "--reject", "--reason", "not today")
    assert project.run("apply", "--tag", GLOBAL).code == 4
    project.ok("plan", "--tag", GLOBAL, env={"ORCHESTRATE_SUBMITTED_BY": "another"})  # in the same second
    assert project.run("apply", "--tag", GLOBAL).code == 4, "the approval of one plan is none of the next"
    project.ok("approve", "--tag", GLOBAL, "--yes")
    project.ok("apply", "--tag", GLOBAL)
