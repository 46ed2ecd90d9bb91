"""What a rollback refuses, and what it need not prove again: in the test's own process."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import boto3
import pytest

from orchestrator.effects.git.repository import Repository
from orchestrator.errors import OrchestrateError, Refused, UsageError
from orchestrator.stages.release.rollback import Proposal, RollbackOptions, check_push, make_tag, propose
from tests.support.projects import DEV, E2eProject, NewProject

pytestmark = pytest.mark.slow

BUCKET, KEY = "undo-dev", "research/dev-global/terraform.tfstate"
HERE = RollbackOptions("dev", "research", "global")
QA = DEV.replace('"111111111111"', '"333333333333"').replace('"222222222222"', '"444444444444"')


@pytest.fixture(scope="module")
def project(new_project: NewProject) -> E2eProject:
    """Version 1.0 ran, then 1.1; then dev was told to take only what has run in qa, and where it is applied from."""
    project = new_project("undo", "slow")
    for tag, files in (("1.0", {}), ("1.1", {"envs/dev.tfvars": 'content = "two"\n'})):
        project.commit(files)
        project.tag(f"dev_global/research/{tag}")
        project.ok("plan", "--tag", f"dev_global/research/{tag}")
        project.ok("apply", "--tag", f"dev_global/research/{tag}")
    project.commit({"envs/qa.yaml": QA, "envs/dev.yaml": DEV + "promote_from: qa\napply_from: pipeline\n"})
    return project


def proposed(project: E2eProject, asked: RollbackOptions = HERE) -> Proposal:
    return propose(Repository.open(project.folder), asked, None, project.env, lambda _: None)


def state() -> dict[str, Any]:
    body = boto3.client("s3").get_object(Bucket=BUCKET, Key=KEY)["Body"].read()
    return dict(json.loads(body))


def with_state(document: dict[str, Any]) -> None:
    boto3.client("s3").put_object(Bucket=BUCKET, Key=KEY, Body=json.dumps(document).encode())
    boto3.client("dynamodb").delete_item(TableName="undo-lock-dev", Key={"LockID": {"S": f"{BUCKET}/{KEY}-md5"}})


def refusal(project: E2eProject) -> str:
    with pytest.raises(OrchestrateError) as error:
        proposed(project)
    return str(error.value)


def test_old_code_that_cannot_work_with_the_state_is_refused(project: E2eProject, boto_env: None) -> None:
    before = state()
    with_state({**before, "terraform_version": "1.99.0"})
    assert "the state was written by version 1.99.0" in refusal(project)
    other = {**before["resources"][0], "name": "other", "provider": 'provider["registry.terraform.io/hashicorp/null"]'}
    with_state({**before, "resources": [*before["resources"], other]})
    assert "holds resources of registry.terraform.io/hashicorp/null, which" in refusal(project)
    newer = json.loads(json.dumps(before))
    newer["resources"][0]["instances"][0]["schema_version"] = 7
    with_state(newer)
    assert "managed by newer provider version" in refusal(project)
    boto3.client("s3").delete_object(Bucket=BUCKET, Key=KEY)
    assert f"there is no state s3://{BUCKET}/{KEY}" in refusal(project)
    with_state(before)


def test_a_commit_that_ran_here_need_not_be_promoted_again_and_the_pipeline_gets_the_tag_alone(
    project: E2eProject, boto_env: None, tmp_path: Path
) -> None:
    remote = tmp_path / "remote.git"
    subprocess.run(["git", "init", "--quiet", "--bare", str(remote)], check=True)
    project.git("remote", "add", "origin", str(remote))
    project.git("push", "--quiet", "origin", "main")
    with pytest.raises(UsageError, match="the tag must be pushed"):
        check_push(Repository.open(project.folder), HERE, None, None)
    check_push(Repository.open(project.folder), HERE, None, "origin")
    with pytest.raises(Refused, match=r"version 3\.0 has never been applied"):
        proposed(project, RollbackOptions("dev", "research", "global", "3.0"))

    asked = ("rollback", "--env", "dev", "--team", "research", "--scope", "global", "--yes")
    assert project.run(*asked).code == 2
    done = project.ok_json(*asked, "--push")
    assert (done["tag"], done["tagged"], done["pushed"], done["release"]) == (
        "dev_global/research/1.1.1",
        True,
        True,
        None,
    )
    names = subprocess.run(["git", "tag"], cwd=remote, check=True, capture_output=True).stdout.decode().split()
    assert names == ["dev_global/research/1.1.1"]
    planned = project.ok_json("plan", "--tag", names[0])
    assert planned["summary"]["change"] == 2
    make_tag(proposed(project), sign=False, remote="origin")  # again, as after an interruption: nothing is moved
    assert subprocess.run(["git", "tag"], cwd=remote, check=True, capture_output=True).stdout.decode().split() == names
