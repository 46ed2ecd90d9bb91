"""An account of the emulated AWS with a role, a store and a topic, and short ways to make projects and pipelines."""

from __future__ import annotations

import contextlib
import io
import json
import re
import subprocess
import threading
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import yaml
from botocore.exceptions import ClientError

from orchestrate_sandbox.clients import client
from orchestrate_sandbox.private import post
from orchestrate_sandbox.process import Sandbox
from orchestrate_sandbox.remotes import remotes
from tests.support.shapes import watch

ACCOUNT, REGION = "000000000000", "us-east-1"
SERVICES = ["codebuild.amazonaws.com", "codepipeline.amazonaws.com", "events.amazonaws.com"]
_WATCHED = ("codebuild", "codecommit", "codepipeline", "events")  # whose answers are ours, not moto's
_SECONDS = 60.0
_PAUSE = 0.05

APPROVAL = {"category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1"}
BUILD = {"category": "Build", "owner": "AWS", "provider": "CodeBuild", "version": "1"}
SOURCE = {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"}


def trust(*services: str, account: str = ACCOUNT) -> str:
    statement = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": list(services)},
        "Condition": {"StringEquals": {"aws:SourceAccount": account}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def buildspec(*commands: str, **more: Any) -> str:
    """One whose build phase has these commands; `more` are other parts of it."""
    phases = {"build": {"commands": list(commands)}, **more.pop("phases", {})}
    return yaml.safe_dump({"version": 0.2, "phases": phases, **more})


def zipped(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def until(found: Callable[[], Any], *, seconds: float = _SECONDS) -> Any:
    """What `found` returns as soon as it is something."""
    pause = threading.Event()
    for _ in range(int(seconds / _PAUSE)):
        if result := found():
            return result
        pause.wait(_PAUSE)
    raise AssertionError(f"not within {seconds:g} s; last: {found()}")


def runs(pid: int) -> bool:
    """Whether the process runs; one that has ended and that nobody has asked about does not."""
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return bool(shown.stdout.strip()) and not shown.stdout.strip().startswith("Z")


def code_of(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=T", "-c", "user.email=t@example.com", "-c", "tag.gpgSign=false", *arguments]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout + done.stderr


@dataclass
class Workbench:
    sandbox: Sandbox
    role: str = ""
    store: str = ""
    _clients: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.role = self.new_role(*SERVICES)
        self.store = f"store-{uuid4()}"
        self("s3").create_bucket(Bucket=self.store)
        self("s3").put_bucket_versioning(Bucket=self.store, VersioningConfiguration={"Status": "Enabled"})

    def __call__(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = client(self.sandbox, service)
            if service in _WATCHED:
                watch(self._clients[service])
        return self._clients[service]

    def set(self, **settings: float) -> dict[str, float]:
        """All settings, as they are now."""
        found: dict[str, float] = json.loads(post(self.sandbox, "/sandbox-api/settings", json.dumps(settings).encode()))
        return found

    def new_role(self, *services: str) -> str:
        made = self("iam").create_role(RoleName=f"role-{uuid4()}", AssumeRolePolicyDocument=trust(*services))
        return str(made["Role"]["Arn"])

    def queue(self) -> tuple[str, str]:
        """URL and ARN."""
        url = self("sqs").create_queue(QueueName=f"queue-{uuid4()}")["QueueUrl"]
        found = self("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return url, found["Attributes"]["QueueArn"]

    def received(self, url: str, count: int = 1) -> list[dict[str, Any]]:
        """As soon as there are that many messages."""
        found: list[dict[str, Any]] = []

        def enough() -> bool:
            answer = self("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
            found.extend(answer.get("Messages", []))
            return len(found) >= count

        until(enough)
        return found

    # CodeBuild -------------------------------------------------------------------------------------------------------

    def project(self, spec: str, **options: Any) -> str:
        """Its name; a project without a source unless `options` say otherwise."""
        name = options.pop("name", f"project-{uuid4()}")
        source = options.pop("source", {"type": "NO_SOURCE"})
        artifacts = {"type": "CODEPIPELINE" if source["type"] == "CODEPIPELINE" else "NO_ARTIFACTS"}
        wanted = {
            "serviceRole": self.role,
            "source": {**source, "buildspec": spec},
            "artifacts": artifacts,
            "environment": {"type": "LINUX_CONTAINER", "image": "image:1", "computeType": "BUILD_GENERAL1_SMALL"},
        }
        self("codebuild").create_project(name=name, **{**wanted, **options})
        return str(name)

    def step(self, spec: str, **options: Any) -> str:
        """A project for a pipeline."""
        return self.project(spec, source={"type": "CODEPIPELINE"}, **options)

    def build(self, project: str, **options: Any) -> dict[str, Any]:
        started = self("codebuild").start_build(projectName=project, **options)["build"]
        return self.built(started["id"])

    def built(self, build_id: str) -> dict[str, Any]:
        """The build, when it is complete."""

        def complete() -> dict[str, Any] | None:
            found: dict[str, Any] = self("codebuild").batch_get_builds(ids=[build_id])["builds"][0]
            return found if found["buildComplete"] else None

        result: dict[str, Any] = until(complete)
        return result

    def log(self, build: dict[str, Any]) -> str:
        place = {"logGroupName": build["logs"]["groupName"], "logStreamName": build["logs"]["streamName"]}
        events = self("logs").get_log_events(**place, startFromHead=True)["events"]
        return "".join(event["message"] for event in events)

    def pid(self, build_id: str) -> int:
        """Of the process that says `pid=N.` in the build's log, as soon as it does."""

        def said() -> str | None:
            (build,) = self("codebuild").batch_get_builds(ids=[build_id])["builds"]
            with contextlib.suppress(self("logs").exceptions.ResourceNotFoundException):
                found = re.search(r"(?m)^pid=(\d+)\.$", self.log(build))
                return found and found[1]
            return None

        return int(until(said))

    def repository(self) -> tuple[str, str]:
        """Its name, and what git pushes to."""
        name = f"repository-{uuid4()}"
        self("codecommit").create_repository(repositoryName=name)
        return name, next(remote.url for remote in remotes(self.sandbox) if remote.name == name)

    # CodePipeline ----------------------------------------------------------------------------------------------------

    def pipeline(self, *stages: dict[str, Any], **options: Any) -> str:
        """One with a source stage before those given; its name."""
        name = f"pipeline-{uuid4()}"
        configuration = {"S3Bucket": self.store, "S3ObjectKey": "source.zip", "AllowOverrideForS3ObjectKey": "true"}
        source = action("Source", SOURCE, configuration, outputs=["source"], namespace="Source")
        wanted = {
            "name": name,
            "roleArn": self.role,
            "artifactStore": {"type": "S3", "location": self.store},
            "pipelineType": "V2",
            "executionMode": "PARALLEL",
            "variables": [{"name": "TAG", "defaultValue": "none"}],
            "stages": [stage("Source", source), *stages],
        }
        self("codepipeline").create_pipeline(pipeline={**wanted, **options})
        return name

    def source(self, files: dict[str, str] | None = None, key: str = "source.zip") -> str:
        """Stores it; the version."""
        body = zipped(files or {"file.txt": "content"})
        return str(self("s3").put_object(Bucket=self.store, Key=key, Body=body)["VersionId"])

    def start(self, pipeline: str, **variables: str) -> str:
        given = [{"name": name, "value": value} for name, value in variables.items()]
        named = {"variables": given} if given else {}
        started = self("codepipeline").start_pipeline_execution(name=pipeline, **named)
        return str(started["pipelineExecutionId"])

    def execution(self, pipeline: str, execution: str) -> dict[str, Any]:
        place = {"pipelineName": pipeline, "pipelineExecutionId": execution}
        found: dict[str, Any] = self("codepipeline").get_pipeline_execution(**place)["pipelineExecution"]
        return found

    def status(self, pipeline: str, execution: str) -> str:
        return str(self.execution(pipeline, execution)["status"])

    def ended(self, pipeline: str, execution: str) -> str:
        """Its status, when it is over."""
        until(lambda: self.status(pipeline, execution) not in ("InProgress", "Stopping"))
        return self.status(pipeline, execution)

    def actions(self, pipeline: str, execution: str) -> dict[str, dict[str, Any]]:
        """The newest attempt at each action."""
        found = self("codepipeline").list_action_executions(
            pipelineName=pipeline, filter={"pipelineExecutionId": execution}
        )["actionExecutionDetails"]
        return {one["actionName"]: one for one in reversed(found)}

    def build_of(self, pipeline: str, execution: str, name: str) -> str:
        """The id of the action's build, when there is one."""

        def found() -> str:
            one = self.actions(pipeline, execution).get(name, {"output": {"executionResult": {}}})
            return str(one["output"]["executionResult"].get("externalExecutionId") or "")

        return str(until(found))

    def waiting(self, pipeline: str, execution: str, name: str = "Approve") -> dict[str, Any]:
        """The approval, when it is waited for."""

        def found() -> dict[str, Any] | None:
            one = self.actions(pipeline, execution).get(name)
            return one if one and one["status"] == "InProgress" else None

        result: dict[str, Any] = until(found)
        return result

    def answer(self, pipeline: str, approval: dict[str, Any], status: str = "Approved", **options: Any) -> None:
        place = {"pipelineName": pipeline, "stageName": approval["stageName"], "actionName": approval["actionName"]}
        token = approval["output"]["executionResult"]["externalExecutionId"]
        result = {"status": status, "summary": "as reviewed"}
        self("codepipeline").put_approval_result(**{**place, "token": token, "result": result, **options})


def action(
    name: str, kind: dict[str, str], configuration: dict[str, str] | None = None, **options: Any
) -> dict[str, Any]:
    """`inputs` and `outputs` are names of artifacts."""
    inputs = [{"name": one} for one in options.pop("inputs", [])]
    outputs = [{"name": one} for one in options.pop("outputs", [])]
    made = {"name": name, "actionTypeId": kind, "configuration": configuration or {}, **options}
    return {**made, "inputArtifacts": inputs, "outputArtifacts": outputs}


def build_action(name: str, project: str, **options: Any) -> dict[str, Any]:
    """With the variable TAG of the pipeline."""
    variables = json.dumps([{"name": "TAG", "value": "#{variables.TAG}", "type": "PLAINTEXT"}])
    configuration = {"ProjectName": project, "EnvironmentVariables": variables, **options.pop("configuration", {})}
    return action(name, BUILD, configuration, **{"inputs": ["source"], **options})


def approval(name: str = "Approve", **options: Any) -> dict[str, Any]:
    return action(name, APPROVAL, options.pop("configuration", {}), **options)


def stage(name: str, *actions: dict[str, Any], **options: Any) -> dict[str, Any]:
    return {"name": name, "actions": list(actions), **options}


def only_if(variable: str, value: str, result: str = "SKIP") -> dict[str, Any]:
    """A condition before entry."""
    kind = {"category": "Rule", "owner": "AWS", "provider": "VariableCheck", "version": "1"}
    configuration = {"Variable": variable, "Value": value, "Operator": "EQ"}
    return {
        "conditions": [{"result": result, "rules": [{"name": "R", "ruleTypeId": kind, "configuration": configuration}]}]
    }
