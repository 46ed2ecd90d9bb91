"""State that was kept elsewhere is brought under this layout; its resources stay as they are."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest

from orchestrate_sandbox.process import Sandbox
from tests.support.command import CommandResult
from tests.support.faults import FaultRequest, InjectedFault, between
from tests.support.projects import E2eProject, NewProject

pytestmark = pytest.mark.slow

PLACE = ("--env", "dev", "--team", "research", "--scope", "global")
LEASE = {"ORCHESTRATE_LEASE_SECONDS": "2"}
_PATIENCE = 60.0
KEY = "research/dev-global/terraform.tfstate"


@pytest.fixture(scope="module")
def project(new_project: NewProject) -> E2eProject:
    return new_project("adopted", "slow")


@pytest.fixture(scope="module")
def state(project: E2eProject, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Terraform by itself has made of the same code, with a local state."""
    folder = tmp_path_factory.mktemp("before")
    (folder / "main.tf").write_text((project.folder / "main.tf").read_text())
    for command in (["init"], ["apply", "-auto-approve"]):
        subprocess.run(["terraform", *command, "-no-color"], cwd=folder, env=project.env, check=True, timeout=120)
    return folder / "terraform.tfstate"


def test_a_local_state_is_adopted_byte_for_byte_and_the_next_release_changes_nothing(
    project: E2eProject, state: Path, boto_env: None
) -> None:
    content, s3 = state.read_bytes(), boto3.client("s3")
    adopt = ("adopt", *PLACE, "--from", str(state))
    seen = project.ok_json(*adopt, "--check")
    assert (seen["result"], seen["changes"], seen["resources_in_state"]) == ("previewed", False, 2)
    assert "Contents" not in s3.list_objects_v2(Bucket="adopted-dev"), "looking leaves nothing behind"

    done = project.ok_json(*adopt, "--yes")
    assert (done["result"], done["serial"]) == ("adopted", json.loads(content)["serial"])
    stored = s3.get_object(Bucket="adopted-dev", Key=KEY)
    assert stored["Body"].read() == content == state.read_bytes()
    assert project.ok_json(*adopt)["result"] == "already adopted", "there is nothing to ask any more"

    tag = project.tag("dev_global/research/1.0")
    planned = project.ok_json("plan", "--tag", tag)
    assert planned["changes"] is False, "Terraform reads the state, its checksum and lineage as its own"
    project.ok("apply", "--tag", tag)
    entries = project.ok_json("history", "--env", "dev", "--scope", "global")["entries"]
    assert [entry["kind"] for entry in entries if entry["kind"] != "planning"] == ["adopted", "planned", "applied"]
    assert entries[0]["detail"]["source"] == str(state)
    keys = [found["Key"] for found in s3.list_objects_v2(Bucket="adopted-dev")["Contents"]]
    assert keys == [KEY], "no lock is left behind"


Killed = Callable[[Callable[[FaultRequest], bool], tuple[str, ...]], str]


@pytest.fixture
def killed(project: E2eProject, sandbox: Sandbox) -> Killed:
    """Runs a command that dies by `kill -9` when it asks AWS for that, which AWS then does not do; what it said."""

    def run(at: Callable[[FaultRequest], bool], command: tuple[str, ...]) -> str:
        reached, go_on = threading.Event(), threading.Event()

        def hold(asked: FaultRequest) -> InjectedFault | None:
            if not at(asked):
                return None
            reached.set()
            go_on.wait(_PATIENCE)
            return InjectedFault(500, "InternalError")

        with between(sandbox.endpoint, hold) as endpoint:
            process = project.start(*command, env={"AWS_ENDPOINT_URL": endpoint, **LEASE})
            assert reached.wait(_PATIENCE)
            process.kill()
            _, err = process.communicate()
            go_on.set()
        return err

    return run


def test_an_adoption_that_is_killed_is_explained_and_finished(
    project: E2eProject, state: Path, boto_env: None, killed: Killed
) -> None:
    key, tag = "risk/dev-global/terraform.tfstate", project.tag("dev_global/risk/1.0")
    place = ("--env", "dev", "--team", "risk", "--scope", "global")
    adopt = ("adopt", *place, "--from", str(state), "--yes")

    def stored() -> list[str]:
        found = boto3.client("s3").list_objects_v2(Bucket="adopted-dev", Prefix="risk/").get("Contents", [])
        return [each["Key"] for each in found]

    killed(lambda asked: asked.method == "PUT" and asked.path.partition("?")[0].endswith(key), adopt)
    assert stored() == [f"{key}.tflock"], "it died under the locks, before it wrote the state"
    planned = project.run("plan", "--tag", tag, env=LEASE)
    assert planned.code == 5
    assert "orchestrate adopt" in planned.err, planned.err

    said = killed(lambda asked: asked.action == "TransactWriteItems" and b"adopted" in asked.body, adopt)
    assert said.count("An adoption was interrupted and has left its lock") == 2
    assert stored() == [key], "the locks of the first were taken over, and the state is in its place"
    finished: CommandResult = project.run(*adopt, "--format", "json", env=LEASE)
    assert finished.code == 0, finished.err
    assert "where it is already" in finished.err
    assert finished.json["result"] == "adopted"
    kinds = [entry["kind"] for entry in project.ok_json("history", *place)["entries"]]
    assert [kind for kind in kinds if kind != "planning"] == ["aborted", "adopted"]
    assert project.ok_json("plan", "--tag", tag)["changes"] is False
