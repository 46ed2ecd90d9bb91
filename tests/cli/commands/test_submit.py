"""`orchestrate submit` and the steps of a pipeline, as builds run them, with a real remote and an emulated AWS."""

from __future__ import annotations

import io
import json
import os
import subprocess
import zipfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from orchestrate_sandbox.clients import client
from orchestrate_sandbox.environment import within
from orchestrate_sandbox.layout import RoleSpec, SandboxLayout
from orchestrate_sandbox.private import post
from orchestrate_sandbox.process import Sandbox, start
from orchestrator.model.pipeline.execution import CheckResult
from orchestrator.stages.pipeline.submit import Origin, Submission, submit
from tests.support import command
from tests.support.command import CommandResult

pytestmark = pytest.mark.slow

TOOLING, RESEARCH = "000000000000", "111111111111"
PROJECT = """\
state: {prefix: acme-tf, region: us-east-1}
tooling: {account: "000000000000"}
workload: {root: root, external_id: acme}
"""
ENVIRONMENT = """\
regions: [us-east-1]
global_resource_deploy_from_region: us-east-1
teams: {research: {account: "%s"}}
apply_from: %s
checks: {required: [lint]}
"""
ROOT = """\
terraform {
  required_version = ">= 1.11"
}

resource "terraform_data" "this" {
  input = "one"
}
"""
TAG = "dev_us-east-1/research/1.0"
MANY = 16


@dataclass(frozen=True)
class SubmitClone:
    """A clone of a remote, and the environment that commands run in."""

    folder: Path
    env: dict[str, str]
    sandbox: Sandbox

    def git(self, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.folder, env=self.env, check=True, capture_output=True)
        return done.stdout.decode().strip()

    def push_tag(self, name: str) -> str:
        """Through plumbing: git itself does not mind what characters a name has."""
        self.git("tag", "--annotate", "--message", "A release", name)
        self.git("push", "--quiet", "origin", f"refs/tags/{name}")
        return self.git("rev-parse", f"refs/tags/{name}^{{commit}}")

    def run(self, *arguments: str, env: Mapping[str, str] | None = None, folder: Path | None = None) -> CommandResult:
        done = command.run(arguments, cwd=folder or self.folder, env={**self.env, **(env or {})})
        assert "Traceback" not in done.err, done.err
        return done

    def set(self, **settings: int) -> None:
        post(self.sandbox, "/sandbox-api/settings", json.dumps(settings).encode())

    def entries(self, target: str, env: str = "dev") -> list[dict[str, Any]]:
        answer = client(self.sandbox, "dynamodb").query(
            TableName=f"acme-tf-ledger-{env}",
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"target#{target}"}},
        )
        return [json.loads(item["body"]["S"]) for item in answer["Items"]]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SubmitClone]:
    base = tmp_path_factory.mktemp("submit")
    layout = SandboxLayout(
        TOOLING,
        "us-east-1",
        tuple(RoleSpec(RESEARCH, name, "admin", "acme") for name in ("InfraPlanRole", "InfraBuildRole")),
    )
    with start(layout) as sandbox:
        own = {"ORCHESTRATE_WORKSPACES": str(base / "workspaces"), "GIT_CONFIG_GLOBAL": os.devnull}
        made = SubmitClone(base / "clone", within(os.environ, sandbox.env) | own, sandbox)
        _make_repository(made, base / "remote.git")
        assert made.run("bootstrap").code == 0
        _make_pipelines(sandbox)
        yield made


def _make_repository(place: SubmitClone, remote: Path) -> None:
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch", "main", str(remote)], check=True)
    subprocess.run(["git", "clone", "--quiet", str(remote), str(place.folder)], check=True, capture_output=True)
    place.git("config", "user.name", "Tester")
    place.git("config", "user.email", "tester@example.com")
    files = {
        "envs/orchestrate.yaml": PROJECT,
        "envs/dev.yaml": ENVIRONMENT % (RESEARCH, "anywhere"),
        "envs/prod.yaml": ENVIRONMENT % ("333333333333", "pipeline"),
        "root/main.tf": ROOT,
    }
    for name, text in files.items():
        path = place.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    place.git("checkout", "--quiet", "-B", "main")
    place.git("add", "--all")
    place.git("commit", "--quiet", "--message", "Infrastructure")
    place.git("push", "--quiet", "origin", "main")


def _make_pipelines(sandbox: Sandbox) -> None:
    """Pipelines that only wait: what they do after the source is other tests' business."""
    trust = {"Effect": "Allow", "Principal": {"Service": "codepipeline.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = client(sandbox, "iam").create_role(
        RoleName="runner", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    client(sandbox, "iam").put_role_policy(RoleName="runner", PolicyName="all", PolicyDocument=json.dumps(everything))
    for env in ("dev", "prod"):
        client(sandbox, "codepipeline").create_pipeline(pipeline=_definition(env, role["Role"]["Arn"]))


def _definition(env: str, role: str) -> dict[str, Any]:
    bucket = f"acme-tf-releases-{env}"
    source = {
        "name": "Source",
        "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"},
        "outputArtifacts": [{"name": "source"}],
        "configuration": {
            "S3Bucket": bucket,
            "S3ObjectKey": "sources/none.zip",
            "PollForSourceChanges": "false",
            "AllowOverrideForS3ObjectKey": "true",
        },
    }
    wait = {
        "name": "Wait",
        "actionTypeId": {"category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1"},
    }
    return {
        "name": f"acme-tf-{env}",
        "roleArn": role,
        "artifactStore": {"type": "S3", "location": bucket},
        "pipelineType": "V2",
        "executionMode": "PARALLEL",
        "variables": [{"name": "TAG"}, {"name": "COMMIT"}],
        "stages": [{"name": "Source", "actions": [source]}, {"name": "Wait", "actions": [wait]}],
    }


def _event(tag: str, event: str = "referenceCreated", env: str = "dev") -> dict[str, str]:
    """What a build of the submit project is told."""
    return {
        "TAG": tag,
        "EVENT": event,
        "ORCHESTRATE_ENV": env,
        "ORCHESTRATE_PIPELINE": f"acme-tf-{env}",
        "ORCHESTRATE_RULES_REF": "refs/heads/main",
    }


@pytest.fixture(scope="module")
def submitted(place: SubmitClone) -> dict[str, Any]:
    commit = place.push_tag(TAG)
    done = place.run("submit", "--format", "json", env=_event(TAG))
    assert done.code == 0, done.err
    answer: dict[str, Any] = json.loads(done.out)
    assert answer["commit"] == commit
    return answer


@pytest.fixture(scope="module")
def build(place: SubmitClone, submitted: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a build that got the submitted source."""
    folder = tmp_path_factory.mktemp("build")
    bucket, _, key = submitted["source"].removeprefix("s3://").partition("/")
    content = client(place.sandbox, "s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    zipfile.ZipFile(io.BytesIO(content)).extractall(folder)
    return {
        **_event(TAG),
        "COMMIT": submitted["commit"],
        "EXECUTION_ID": submitted["execution"],
        "CODEBUILD_SRC_DIR": str(folder),
        "CODEBUILD_SRC_DIR_lint": str(folder),
        "CODEBUILD_SRC_DIR_scan": str(folder),
    }


def test_a_tag_is_bundled_once_and_its_execution_recorded(place: SubmitClone, submitted: dict[str, Any]) -> None:
    assert submitted["pipeline"] == "acme-tf-dev"
    assert submitted["source"].startswith(f"s3://acme-tf-releases-dev/sources/{TAG}/")
    entry = place.entries("research/dev-us-east-1")[0]
    assert (entry["kind"], entry["detail"]["execution"]) == ("submitted", submitted["execution"])


def test_an_event_that_comes_twice_is_one_execution_of_one_object(
    place: SubmitClone, submitted: dict[str, Any]
) -> None:
    again = place.run("submit", "--format", "json", env=_event(TAG))
    assert again.code == 0, again.err
    assert again.json["execution"] == submitted["execution"]
    bucket, _, key = submitted["source"].removeprefix("s3://").partition("/")
    versions = client(place.sandbox, "s3").list_object_versions(Bucket=bucket, Prefix=key)["Versions"]
    assert len(versions) == 1


@pytest.mark.parametrize(
    ("tag", "event", "env", "code", "said"),
    [
        pytest.param("dev_us-east-1/nobody/1.0", "referenceCreated", "dev", 3, "no team", id="unknown-team"),
        pytest.param("dev_$(reboot)/x/1.0", "referenceCreated", "dev", 3, "not allowed", id="shell-characters"),
        pytest.param("dev_us-east-1/research/9.9", "referenceCreated", "dev", 3, "no tag", id="deleted-meanwhile"),
        pytest.param(TAG, "referenceUpdated", "dev", 4, "was moved", id="moved"),
        pytest.param(TAG, "referenceCreated", "prod", 4, "not belong to environment prod", id="other-environment"),
    ],
)
def test_what_is_refused_is_recorded(
    place: SubmitClone, submitted: dict[str, Any], tag: str, event: str, env: str, code: int, said: str
) -> None:
    done = place.run("submit", env=_event(tag, event, env))
    assert done.code == code, done.err
    assert said in done.err
    recorded = [*place.entries("_refused", env), *place.entries("research/dev-us-east-1", env)]
    assert [entry for entry in recorded if entry["kind"] == "refused" and said in entry["detail"]["reason"]]


def test_many_tags_at_once_have_an_execution_and_an_object_each(
    place: SubmitClone, submitted: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of one target, so that all write to one chain of the ledger."""
    for name, value in place.env.items():
        monkeypatch.setenv(name, value)
    tags = [f"dev_us-east-1/research/50.{number}" for number in range(MANY)]
    for tag in tags:
        place.git("tag", "--annotate", "--message", "A release", tag)
    place.git("push", "--quiet", "origin", "--tags")
    origin = Origin(place.git("remote", "get-url", "origin"), "refs/heads/main", "dev", "us-east-1")
    place.set(concurrent_executions=MANY + 10)
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda tag: submit(origin, Submission(tag), place.env, lambda _: None), tags))
    assert [str(one.release.tag) for one in done] == tags
    assert len({one.execution for one in done}) == len({one.source for one in done}) == MANY
    entries = [one for one in place.entries("research/dev-us-east-1") if one["kind"] == "submitted"]
    assert {one["tag"] for one in entries} >= set(tags)
    again = submit(origin, Submission(tags[7]), place.env, lambda _: None)
    assert again.execution == done[7].execution


def test_without_room_the_build_ends_and_submit_is_asked_for_anew(
    place: SubmitClone, submitted: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The submitted execution waits for a person, and only one may be under way."""
    sqs, events = client(place.sandbox, "sqs"), client(place.sandbox, "events")
    queue = sqs.create_queue(QueueName="asked")["QueueUrl"]
    events.put_rule(Name="asked", EventPattern=json.dumps({"source": ["orchestrate.acme-tf-dev"]}))
    events.put_targets(Rule="asked", Targets=[{"Id": "queue", "Arn": f"arn:aws:sqs:us-east-1:{TOOLING}:asked"}])
    tag = "dev_us-east-1/research/60.0"
    place.push_tag(tag)
    place.set(concurrent_executions=1)
    done = place.run("submit", env=_event(tag))
    last = place.run("submit", env={**_event(tag), "ROUNDS": "60"})
    place.set(concurrent_executions=50)
    assert (done.code, done.out.count("waits until acme-tf-dev has room for it")) == (0, 1), done.err
    [message] = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(message["Body"])["detail"] == {"tag": tag, "attempt": "", "rounds": "1"}
    assert last.code == 6
    assert "as many executions of acme-tf-dev as it allows, and has after 60 further tries" in last.err
    assert place.entries("research/dev-us-east-1")[-1]["kind"] == "stopped"


def test_lightweight_tags_are_refused(place: SubmitClone) -> None:
    place.git("tag", "dev_global/research/3.0")
    place.git("push", "--quiet", "origin", "refs/tags/dev_global/research/3.0")
    for _ in range(2):
        done = place.run("submit", env=_event("dev_global/research/3.0"))
        assert done.code == 4
    refused = place.entries("research/dev-global")
    assert [(each["kind"], each["detail"]["action"]) for each in refused] == [("refused", "submit")] * 2, (
        "each who asks gets an answer"
    )


def test_the_plan_step_hands_its_digest_on_and_no_other_plan_is_applied(
    place: SubmitClone, build: dict[str, str]
) -> None:
    """Lint and scan have handed their results on."""
    folder = Path(build["CODEBUILD_SRC_DIR"])
    for check in ("lint", "scan"):
        result = CheckResult(check, TAG, build["COMMIT"], check == "lint", "0" * 64, 3, {"tool": "1.0"})
        (folder / f"{check}.json").write_bytes(msgspec.json.encode(result))
    done = place.run("step", "plan", env=build, folder=folder)
    assert done.code == 0, done.err
    script = '. ./plan.env && printf "%s\\n" "$CHANGES" "$DIGEST" "$MESSAGE" "$RECEIPT_URL"'
    told = subprocess.run(["bash", "-c", script], cwd=folder, check=True, capture_output=True, text=True).stdout
    changes, digest, message, url = told.splitlines()
    assert changes == "true"
    assert TAG in message
    assert digest in message
    assert len(message) <= 512
    assert url.startswith("https://us-east-1.console.aws.amazon.com/s3/object/acme-tf-releases-dev")
    wrong = place.run("step", "apply", env={**build, "DIGEST": "0" * 64}, folder=folder)
    assert wrong.code == 4
    entries = place.entries("research/dev-us-east-1")[-6:]
    assert [entry["kind"] for entry in entries] == ["checked", "checked", "planning", "planned", "submitted", "refused"]
    checked = [(entry["detail"]["check"], entry["detail"]["passed"]) for entry in entries[:2]]
    assert checked == [("lint", True), ("scan", False)]


def test_a_variable_of_the_execution_that_somebody_wrote_is_refused(place: SubmitClone, build: dict[str, str]) -> None:
    folder = Path(build["CODEBUILD_SRC_DIR"])
    done = place.run("step", "plan", env={**build, "COMMIT": "0" * 40}, folder=folder)
    assert done.code == 4
    assert "not for people to write" in done.err
    refused = place.entries("research/dev-us-east-1")[-1]
    assert (refused["kind"], refused["tag"], refused["detail"]["action"]) == ("refused", TAG, "resolve")
    other = place.run("step", "plan", env={**build, "ORCHESTRATE_ENV": "prod"}, folder=folder)
    assert other.code == 4


def test_a_step_that_did_not_succeed_is_recorded(place: SubmitClone, build: dict[str, str]) -> None:
    folder = Path(build["CODEBUILD_SRC_DIR"])
    done = place.run("step", "ended", env={**build, "CODEBUILD_BUILD_SUCCEEDING": "0"}, folder=folder)
    assert done.code == 0, done.err
    assert place.entries("research/dev-us-east-1")[-1]["kind"] == "stopped"


def test_outside_a_build_steps_say_what_to_do(place: SubmitClone) -> None:
    done = place.run("step", "plan")
    assert done.code == 6
    assert "orchestrate release" in done.err
