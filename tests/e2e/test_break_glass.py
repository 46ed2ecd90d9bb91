"""Acting alone in an emergency, through the command line: loud, recorded, and due to be followed up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from orchestrate_sandbox.process import Sandbox
from tests.support.accounts import TOOLING
from tests.support.command import CommandResult as Ended
from tests.support.projects import DEV, E2eProject, NewProject

pytestmark = pytest.mark.slow

TAG = "dev_global/research/1.0"
ROLE = "AWSReservedSSO_OnCall_0123456789abcdef"
RULES = """\
approval:
  required: true
  count: 2
  by: [AWSReservedSSO_Approvers_*]
  break_glass: {{by: [AWSReservedSSO_OnCall_*], notify: "{topic}"}}
freeze: [{{from: "2020-01-01", to: "2099-12-31", reason: year end}}]
policy: {{protected_addresses: [terraform_data.first]}}
"""
REASON = "orders are lost since 03:10, nobody else is awake"


@dataclass(frozen=True)
class Scene:
    """A project under a freeze, somebody on call, and the queue that hears of the topic."""

    project: E2eProject
    oncall: Mapping[str, str]
    queue: str

    def run(self, *arguments: str) -> Ended:
        return self.project.run(*arguments, env=self.oncall)

    def heard(self) -> list[dict[str, Any]]:
        sqs = client(self.project.env, "sqs")
        answer = sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


def client(env: Mapping[str, str], service: str) -> Any:
    make: Any = boto3.client
    keys = {name.lower(): env[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    return make(service, endpoint_url=env["AWS_ENDPOINT_URL"], region_name="us-east-1", **keys)


@pytest.fixture(scope="module")
def scene(new_project: NewProject, sandbox: Sandbox) -> Scene:
    topic = client(sandbox.env, "sns").create_topic(Name="glass")["TopicArn"]
    queue = client(sandbox.env, "sqs").create_queue(QueueName="glass")["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:{TOOLING}:glass"
    client(sandbox.env, "sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{TOOLING}:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    client(sandbox.env, "iam").create_role(
        RoleName=ROLE, Path="/aws-reserved/sso.amazonaws.com/", AssumeRolePolicyDocument=document
    )
    role = f"arn:aws:iam::{TOOLING}:role/aws-reserved/sso.amazonaws.com/{ROLE}"
    keys = client(sandbox.env, "sts").assume_role(RoleArn=role, RoleSessionName="olga@example.com")["Credentials"]
    names = {"AccessKeyId": "ACCESS_KEY_ID", "SecretAccessKey": "SECRET_ACCESS_KEY", "SessionToken": "SESSION_TOKEN"}
    project = new_project("glass", "slow")
    project.commit({"envs/dev.yaml": DEV + RULES.format(topic=topic)})
    project.tag(TAG)
    return Scene(project, {f"AWS_{name}": keys[key] for key, name in names.items()}, queue)


def test_who_breaks_the_glass_acts_alone_and_everybody_hears_of_it(scene: Scene) -> None:
    project = scene.project
    project.ok("plan", "--tag", TAG)
    assert "changes are frozen" in project.run("apply", "--tag", TAG).err
    breaks = ("approve", "--tag", TAG, "--yes", "--break-glass", "--reason")
    assert "none of those who may break the glass" in project.run(*breaks, REASON).err
    assert "needs a reason, of at least 20 characters" in scene.run(*breaks, "urgent").err
    assert scene.run(*breaks, REASON, "--reject").code == 2
    assert scene.heard() == [], "nothing has happened so far"

    given = scene.run(*breaks, REASON, "--format", "json")
    assert given.code == 0, given.err
    assert (json.loads(given.out)["result"], json.loads(given.out)["missing"]) == ("break-glass", None)
    (heard,) = scene.heard()
    assert heard["Subject"] == f"BREAK-GLASS {TAG}"
    assert REASON in heard["Message"]
    assert "olga@example.com breaks the glass for" in heard["Message"]

    status = project.ok("status", "--team", "research", "--scope", "global")
    assert f"follow-up due: orchestrate follow-up --tag {TAG}" in status.out
    released = project.run("release", "--tag", TAG)
    assert released.code == 0, released.err
    assert f"BREAK-GLASS: {TAG}: plan" in released.err
    assert f"BREAK-GLASS: {TAG} is applied because" in released.err
    assert len(scene.heard()) == 1, "and again when it was applied"
    entries = project.ok_json("history", "--env", "dev", "--scope", "global")["entries"]
    glass = next(entry for entry in entries if entry["kind"] == "break-glass")
    assert (glass["by"].rpartition("/")[2], glass["detail"]["reason"]) == ("olga@example.com", REASON)
    assert "message" in glass["detail"]["notified"]
    applying = next(entry for entry in entries if entry["kind"] == "applying")
    assert applying["detail"]["break_glass"]["reason"] == REASON

    due = project.ok_json("status", "--team", "research", "--scope", "global")["targets"][0]["follow_ups"]
    assert [(each["tag"], each["reason"]) for each in due] == [(TAG, REASON)]
    assert project.run("follow-up", "--tag", TAG, "--note", "done").code == 2
    project.ok("follow-up", "--tag", TAG, "--note", "index rebuilt; incident 4711 has the rest")
    assert project.ok_json("status", "--team", "research", "--scope", "global")["targets"][0]["follow_ups"] == []
    assert "no follow-up is due" in project.run("follow-up", "--tag", TAG, "--note", "once more, for good measure").err
