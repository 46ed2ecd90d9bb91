"""The plan policy through the command line: what no release may do, and the override of a protection."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.projects import E2eProject, NewProject

pytestmark = pytest.mark.slow

FIRST, SECOND = "dev_us-east-1/risk/1.0", "dev_us-east-1/risk/1.1"
POLICY = "policy: {protected_types: [terraform_data]}\n"
PROTECTED = 'resource "terraform_data" "this" {\n  input = "x"\n}\n'
WITHOUT_IT = 'output "none" {\n  value = "it is gone"\n}\n'


@pytest.fixture(scope="module")
def released(new_project: NewProject) -> E2eProject:
    """Version 1.0 made a protected resource; version 1.1 would destroy it."""
    project = new_project("policy", "slow")
    rules = (project.folder / "envs/dev.yaml").read_text() + POLICY
    project.commit({"envs/dev.yaml": rules, "main.tf": PROTECTED})
    project.tag(FIRST)
    project.ok("plan", "--tag", FIRST)
    project.ok("apply", "--tag", FIRST)
    project.commit({"main.tf": WITHOUT_IT})
    project.tag(SECOND)
    return project


def test_destroying_a_protected_resource_is_refused_until_somebody_overrides_it_for_that_plan(
    released: E2eProject,
) -> None:
    planned = released.run("plan", "--tag", SECOND, "--format", "json")
    assert planned.code == 4
    assert planned.json["protected"] == ["terraform_data.this"]
    assert "terraform_data.this" in planned.err
    assert released.run("apply", "--tag", SECOND).code == 4
    released.ok("approve", "--tag", SECOND, "--yes", "--reason", "an approval alone is not an override")
    assert released.run("apply", "--tag", SECOND).code == 4
    assert released.run("approve", "--tag", SECOND, "--yes", "--override").code == 2
    released.ok("approve", "--tag", SECOND, "--yes", "--override", "--reason", "it is empty")
    released.run("plan", "--tag", SECOND, env={"ORCHESTRATE_SUBMITTED_BY": "another"})  # in the same second
    assert released.run("apply", "--tag", SECOND).code == 4, "the override of one plan is none of the next"
    released.ok("approve", "--tag", SECOND, "--yes", "--override", "--reason", "it is empty")
    assert released.ok_json("apply", "--tag", SECOND)["result"] == "applied"
    kinds = [
        entry["kind"] for entry in released.ok_json("history", "--team", "risk", "--scope", "us-east-1")["entries"]
    ]
    assert kinds.count("overridden") == 2


def test_a_plan_that_makes_everything_anew_although_it_was_released_before_is_refused(
    new_project: NewProject, boto_env: None
) -> None:
    import boto3

    project = new_project("lost", "slow")
    project.tag(FIRST)
    project.ok("plan", "--tag", FIRST)
    project.ok("apply", "--tag", FIRST)
    boto3.client("s3").delete_object(Bucket="lost-dev", Key="risk/dev-us-east-1/terraform.tfstate")
    boto3.client("dynamodb").delete_item(
        TableName="lost-lock-dev", Key={"LockID": {"S": "lost-dev/risk/dev-us-east-1/terraform.tfstate-md5"}}
    )
    refused = project.run("plan", "--tag", FIRST, "--format", "json")
    assert refused.code == 1
    assert "released before" in refused.err
    told = refused.json
    assert (told["error"]["code"], told["error"]["kind"]) == (1, "failed")
    assert [finding["rule"] for finding in told["error"]["findings"]] == ["plan_recreates"]
    assert {resource["action"] for resource in told["resources"]} == {"add"}, "what is refused is shown all the same"
    assert '- {rule: plan_recreates, reason: "...", expires: "' in told["error"]["hint"]
    file = Path(re.findall("All of it is in (.+[.]json)[.]", told["error"]["hint"])[0])
    assert json.loads(file.read_text())["findings"] == told["error"]["findings"]
