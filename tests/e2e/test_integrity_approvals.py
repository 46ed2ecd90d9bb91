"""Approvals through the command line: several people, separated duties, and those who try to get round them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import boto3
import pytest

from orchestrate_sandbox.process import Sandbox
from orchestrator.model.approval.approval import Answer
from tests.support.accounts import TOOLING
from tests.support.command import CommandResult as Ended
from tests.support.keys import SigningKey, ssh_key
from tests.support.projects import E2eProject, NewProject

pytestmark = pytest.mark.slow

FIRST, SECOND = "dev_global/research/1.0", "dev_global/research/1.1"
RULES = """\
signature: required
approval: {required: true, count: 2, by: ["AWSReservedSSO_Approvers_*"], separation_of_duties: true}
"""
APPROVERS, DEVELOPERS = "AWSReservedSSO_Approvers_0123456789abcdef", "AWSReservedSSO_Developers_0123456789abcdef"

# Two plans of one second are the same plan, unless they differ.
ANOTHER = {"ORCHESTRATE_SUBMITTED_BY": "another"}

Person = Callable[[str, str], Mapping[str, str]]


@pytest.fixture(scope="module")
def person(sandbox: Sandbox) -> Person:
    """Credentials of somebody who has signed in through Identity Center, as environment variables."""

    def sign_in(name: str, role: str = APPROVERS) -> Mapping[str, str]:
        arn = f"arn:aws:iam::{TOOLING}:role/aws-reserved/sso.amazonaws.com/{role}"
        keys = client("sts").assume_role(RoleArn=arn, RoleSessionName=name)["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"],
        }

    def client(service: str) -> Any:
        make: Any = boto3.client
        return make(
            service,
            endpoint_url=sandbox.env["AWS_ENDPOINT_URL"],
            region_name="us-east-1",
            aws_access_key_id=sandbox.env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=sandbox.env["AWS_SECRET_ACCESS_KEY"],
        )

    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{TOOLING}:root"}, "Action": "sts:AssumeRole"}
    for role in (APPROVERS, DEVELOPERS):
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        client("iam").create_role(
            RoleName=role, Path="/aws-reserved/sso.amazonaws.com/", AssumeRolePolicyDocument=document
        )
    return sign_in


@pytest.fixture(scope="module")
def rita(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    """Who signs the tags."""
    return ssh_key(tmp_path_factory.mktemp("keys"), "rita")


@pytest.fixture(scope="module")
def project(new_project: NewProject, rita: SigningKey) -> E2eProject:
    """Version 1.0, signed by rita, is on the protected branch."""
    project = new_project("people", "slow")
    rules = (project.folder / "envs/dev.yaml").read_text() + RULES
    project.commit({"envs/dev.yaml": rules, "envs/allowed_signers": f"rita@example.com {rita.public}\n"})
    sign(project, rita, FIRST)
    return project


def sign(project: E2eProject, key: SigningKey, name: str) -> None:
    project.git(*key.options, "tag", "--sign", "--message", "A release", name)


def approve(project: E2eProject, env: Mapping[str, str], *more: str, tag: str = FIRST) -> Ended:
    return project.run("approve", "--tag", tag, "--yes", *more, env=env)


def refused(ended: Ended, why: str) -> None:
    assert ended.code == 4, ended.err
    assert why in ended.err


def kinds(project: E2eProject) -> list[str]:
    return [e["kind"] for e in project.ok_json("history", "--env", "dev", "--scope", "global")["entries"]]


def test_two_people_who_did_not_release_it_must_approve(project: E2eProject, person: Person, boto_env: None) -> None:
    planned = project.ok_json("plan", "--tag", FIRST, env=person("paula@example.com", DEVELOPERS))
    refused(project.run("apply", "--tag", FIRST), "has 0 of 2 approvals")
    refused(approve(project, {}), "is none of those who may approve")
    refused(approve(project, person("dave@example.com", DEVELOPERS)), "is none of those who may approve")
    refused(approve(project, person("paula@example.com", APPROVERS)), "paula@example.com made this plan")
    refused(approve(project, person("rita@example.com", APPROVERS)), "rita@example.com signed the tag")
    refused(approve(project, person("Rita", APPROVERS)), "rita signed the tag")
    alice = person("alice@example.com", APPROVERS)
    given = json.loads(approve(project, alice, "--reason", "looks good", "--format", "json").out)
    assert (given["result"], given["digest"]) == ("approved", planned["digest"])
    assert "has 1 of 2 approvals" in given["missing"]
    again = approve(project, person("alice@example.com", APPROVERS))
    assert again.code == 0
    assert "that answer stands" in again.err
    refused(project.run("apply", "--tag", FIRST), "has 1 of 2 approvals")
    forge(project, planned)
    refused(
        project.run("apply", "--tag", FIRST), "IAM does not know arn:aws:sts::000000000000:assumed-role/AWSReserved"
    )
    waiting = project.run("release", "--tag", FIRST)
    assert waiting.code == 7, waiting.err
    assert "has 1 of 2 approvals" in waiting.err
    bob = approve(project, person("bob@example.com", APPROVERS), "--format", "json")
    assert json.loads(bob.out)["missing"] is None
    assert project.ok_json("apply", "--tag", FIRST)["result"] == "applied"
    entries = project.ok_json("history", "--env", "dev", "--scope", "global")["entries"]
    assert "refused" in {e["kind"] for e in entries}, "who tried and might not is recorded as well"
    entries = [e for e in entries if e["kind"] not in ("planning", "refused")]
    assert [e["kind"] for e in entries] == ["planned", "approved", "approved", "approved", "applying", "applied"]
    assert [e["by"].rpartition("/")[2] for e in entries[1:4]] == [
        "alice@example.com",
        "carol@example.com",
        "bob@example.com",
    ]
    assert entries[1]["detail"]["reason"] == "looks good"


def forge(project: E2eProject, planned: Mapping[str, Any]) -> None:
    """Mallory, who may write under a key of her own alone, writes that she is of another role."""
    arn = f"arn:aws:sts::{TOOLING}:assumed-role/{APPROVERS}/carol@example.com"
    said = Answer(
        version=1,
        kind="approved",
        target=planned["target"],
        tag=planned["tag"],
        commit=planned["commit"],
        digest=planned["digest"],
        by=arn,
        user_id="AROAMALLORYSROLE:carol@example.com",
        at="2026-01-01T00:00:00+00:00",
        reason="",
    )
    put(project, f"approval#{said.user_id}#research", f"{said.digest}#approved", said)


def put(project: E2eProject, pk: str, sk: str, said: Answer) -> None:
    item: Any = {"pk": pk, "sk": sk, "digest": said.digest, "body": said.encode().decode()}
    table = f"{project.prefix}-ledger-dev"
    boto3.client("dynamodb").put_item(TableName=table, Item={name: {"S": value} for name, value in item.items()})


def test_an_approval_of_one_plan_is_none_of_the_next_and_a_rejection_ends_a_plan(
    project: E2eProject, person: Person, rita: SigningKey, boto_env: None
) -> None:
    project.commit({"envs/dev.tfvars": 'content = "two"\n'})
    sign(project, rita, SECOND)
    project.ok("plan", "--tag", SECOND)
    alice, bob = person("alice@example.com", APPROVERS), person("bob@example.com", APPROVERS)
    assert approve(project, alice, tag=SECOND).code == 0
    again = project.ok_json("plan", "--tag", SECOND, env=ANOTHER)
    refused(project.run("apply", "--tag", SECOND), "has 0 of 2 approvals")
    assert approve(project, alice, tag=SECOND).code == 0
    assert (
        approve(project, person("dave@example.com", DEVELOPERS), "--reject", "--reason", "not today", tag=SECOND).code
        == 0
    )
    refused(approve(project, bob, tag=SECOND), "was rejected at")
    refused(project.run("apply", "--tag", SECOND), "dave@example.com: not today")
    planned = project.ok_json("plan", "--tag", SECOND, env=person("paula@example.com", DEVELOPERS))
    assert planned["digest"] != again["digest"]
    refused(project.run("apply", "--tag", SECOND), "has 0 of 2 approvals")
    found = kinds(project)
    assert found.count("rejected") == 1
    assert found.count("approved") == 3 + 2, "what was said to plans that were never applied is kept"


def test_an_answer_that_somebody_has_written_by_hand_stops_the_plan(
    project: E2eProject, person: Person, boto_env: None
) -> None:
    planned = project.ok_json("plan", "--tag", SECOND)
    arn = f"arn:aws:sts::{TOOLING}:assumed-role/{APPROVERS}/bob@example.com"
    stolen = Answer(
        1, "approved", planned["target"], SECOND, planned["commit"], planned["digest"], arn, "AROA:bob", "", ""
    )
    put(project, "approval#AROAMALLORY:mallory#research", f"{stolen.digest}#approved", stolen)
    refused(project.run("apply", "--tag", SECOND), "is not one that orchestrate has written")
