"""The tooling of a project, applied in an emulated AWS with the real provider, and looked at from outside."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from orchestrate_sandbox import demo_pipeline
from orchestrate_sandbox.clients import client
from orchestrate_sandbox.demo_pipeline import CHANGES, PIPELINE
from orchestrate_sandbox.example import SOURCE, Demo, make_repository, started_sandbox, within
from orchestrate_sandbox.private import post
from orchestrate_sandbox.process import Sandbox
from orchestrate_sandbox.watched import ExecutionWatch, WatchedExecution
from tests.support.workbench import until

ROOT = """\
terraform {
  required_version = ">= 1.11"
}

variable "region" {
  description = "Given by the orchestrator."
  type        = string
}

variable "gate" {
  description = "A file that the apply waits for; empty for none."
  type        = string
  default     = ""
}

resource "terraform_data" "this" {
  input = var.region

  provisioner "local-exec" {
    command     = "until test -z \\"$GATE\\" || test -e \\"$GATE\\"; do sleep 0.1; done"
    environment = { GATE = var.gate }
  }
}
"""
ON_CALL = "AWSReservedSSO_OnCall_0123456789abcdef"
LEASE_SECONDS = 10
SECONDS = 240
_GLASS = f"{{by: [AWSReservedSSO_OnCall_*], notify: 'arn:aws:sns:us-east-1:000000000000:{PIPELINE}'}}"


@dataclass
class ToolingProject:
    """A repository whose tooling is applied; `pushed` is what git showed, `known` the executions as last seen."""

    demo: Demo
    folder: Path
    sandbox: Sandbox
    watch: ExecutionWatch
    queue: str
    pushed: str = ""
    notices: list[str] = field(default_factory=list)
    known: dict[str, WatchedExecution] = field(default_factory=dict)

    def git(self, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.folder, check=True, capture_output=True, text=True)
        return done.stdout + done.stderr

    def client(self, service: str) -> Any:
        return client(self.sandbox, service)

    def set(self, **settings: float) -> None:
        post(self.sandbox, "/sandbox-api/settings", json.dumps(settings).encode())

    def entries(self, target: str, kind: str) -> list[dict[str, Any]]:
        answer = self.client("dynamodb").query(
            TableName="acme-tf-ledger-prod",
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"target#{target}"}},
        )
        entries = [json.loads(item["body"]["S"]) for item in answer["Items"]]
        return [entry for entry in entries if entry["kind"] == kind]

    def first(self, target: str, kind: str, reason: str) -> dict[str, Any]:
        """The first entry of that kind with such a reason, as soon as there is one."""

        def found() -> list[dict[str, Any]]:
            return [one for one in self.entries(target, kind) if reason in one["detail"].get("reason", "")]

        return dict(until(found, seconds=SECONDS)[0])

    def told(self, *parts: str) -> str:
        """The first notice that has all of them, as soon as there is one."""

        def found() -> str | None:
            answer = self.client("sqs").receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)
            self.notices += [json.loads(message["Body"])["Message"] for message in answer.get("Messages", [])]
            return next((text for text in self.notices if all(part in text for part in parts)), None)

        return str(until(found, seconds=SECONDS))

    def reach(self, tags: tuple[str, ...], reached: Callable[[WatchedExecution], bool]) -> None:
        self.known |= self.watch.until(tags, reached, seconds=SECONDS)

    def end(self, *tags: str) -> None:
        self.reach(tags, lambda one: one.is_over)

    def retry(self, tag: str, stage: str) -> None:
        self.client("codepipeline").retry_stage_execution(
            pipelineName=PIPELINE,
            pipelineExecutionId=self.known[tag].id,
            stageName=stage,
            retryMode="FAILED_ACTIONS",
        )


def _listen(sandbox: Sandbox) -> str:
    """Subscribes a queue to what people are told; its URL."""
    sqs, sns = client(sandbox, "sqs"), client(sandbox, "sns")
    url = sqs.create_queue(QueueName="people")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = f"arn:aws:sns:us-east-1:000000000000:{PIPELINE}"
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return str(url)


def on_call(sandbox: Sandbox) -> dict[str, str]:
    """The environment of somebody in the role of those who are on call."""
    root = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [root]})
    role = client(sandbox, "iam").create_role(
        RoleName=ON_CALL, Path="/aws-reserved/sso.amazonaws.com/", AssumeRolePolicyDocument=document
    )["Role"]["Arn"]
    keys = client(sandbox, "sts").assume_role(RoleArn=role, RoleSessionName="olga@example.com")["Credentials"]
    names = {"AccessKeyId": "ACCESS_KEY_ID", "SecretAccessKey": "SECRET_ACCESS_KEY", "SessionToken": "SESSION_TOKEN"}
    return {**within(sandbox), **{f"AWS_{name}": str(keys[key]) for key, name in names.items()}}


@contextlib.contextmanager
def applied_tooling(base: Path) -> Iterator[ToolingProject]:
    """The tooling of the demo's environment, for a root that is made at once; nothing is pushed yet."""
    prod = str(CHANGES["envs/prod.yaml"])
    for old, new in (("{required: true}", f"{{required: true, break_glass: {_GLASS}}}"), ("[lint, scan]", "[lint]")):
        assert old in prod
        prod = prod.replace(old, new)
    project = (SOURCE / "envs/orchestrate.yaml").read_text().replace("modules/workload", "root")
    files: dict[str, str | None] = {
        **CHANGES,
        "envs/prod.yaml": prod,
        "envs/orchestrate.yaml": project,
        "envs/prod/research.tfvars": None,
        "envs/prod/research/ap-southeast-1.tfvars": f'gate = "{base}/gate"\n',
        "root/main.tf": ROOT,
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ORCHESTRATE_WORKSPACES", str(base / "workspaces"))
        patch.setenv("ORCHESTRATE_LEASE_SECONDS", str(LEASE_SECONDS))
        make_repository(base / "repository", files)
        sandbox = started_sandbox(base / "repository", "--bare")
        demo = Demo(base / "repository", within(sandbox))
        try:
            demo_pipeline.tooling(demo)
            watch = demo_pipeline.watching(sandbox)
            yield ToolingProject(demo, base / "repository", sandbox, watch, _listen(sandbox))
        finally:
            demo.orchestrate("sandbox", "down")
