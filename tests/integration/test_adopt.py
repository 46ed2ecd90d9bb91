"""State that was kept elsewhere is brought under this layout; its resources stay as they are."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import boto3
import pytest

from tests.integration.conftest import NewProject, Project

pytestmark = pytest.mark.slow

PLACE = ("--env", "dev", "--team", "research", "--scope", "global")
KEY = "research/dev-global/terraform.tfstate"


@pytest.fixture(scope="module")
def project(new_project: NewProject) -> Project:
    return new_project("adopted", "slow")


@pytest.fixture(scope="module")
def state(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Terraform by itself has made of the same code, with a local state."""
    folder = tmp_path_factory.mktemp("before")
    (folder / "main.tf").write_text((project.folder / "main.tf").read_text())
    for command in (["init"], ["apply", "-auto-approve"]):
        subprocess.run(["terraform", *command, "-no-color"], cwd=folder, env=project.env, check=True, timeout=120)
    return folder / "terraform.tfstate"


def test_a_local_state_is_adopted_byte_for_byte_and_the_next_release_changes_nothing(
    project: Project, state: Path, boto_env: None
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
