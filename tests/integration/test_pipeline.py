"""The pipeline that `orchestrate tooling apply` makes, from `git push` to the end of its executions.

One emulated AWS and one series of pushes for all tests: Terraform applies the tooling with the real provider, builds
run what it has put into the projects, and everything is looked up from outside, by git and the API of AWS.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from orchestrator.sandbox import demo_pipeline
from orchestrator.sandbox.clients import client
from orchestrator.sandbox.demo_pipeline import CHANGES, PIPELINE
from orchestrator.sandbox.example import SOURCE, Demo, make_repository, started_sandbox, within
from orchestrator.sandbox.private import post
from orchestrator.sandbox.process import Sandbox
from orchestrator.sandbox.watched import Execution, Watch
from tests.sandbox.pipeline.workbench import until

pytestmark = pytest.mark.slow

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
REGIONS = ("us-east-1", "ap-southeast-1")
TAGS = US, AP = "prod_us-east-1/research/1.0", "prod_ap-southeast-1/research/1.0"
MADE_UP = "prod_eu-central-1/research/1.0"
AGAIN = "prod_us-east-1/research/1.2"
LIGHTWEIGHT = "prod_us-east-1/research/1.1"
UNKNOWN_TEAM = "prod_us-east-1/nobody/1.0"
SHELL = "prod_$(touch${IFS}/tmp/owned)/research/1.0"
NEAR = ("prod2_us-east-1/research/1.0", "production_us-east-1/research/1.0")
BRANCH = "prod_us-east-1/research/2.0"
REFUSED = (LIGHTWEIGHT, UNKNOWN_TEAM, SHELL)
_SECONDS = 240
ON_CALL = "AWSReservedSSO_OnCall_0123456789abcdef"
REASON = "orders are lost since 03:10, nobody else is awake"
GLASS = f"{{by: [AWSReservedSSO_OnCall_*], notify: 'arn:aws:sns:us-east-1:000000000000:{PIPELINE}'}}"
PROD = str(CHANGES["envs/prod.yaml"]).replace("{required: true}", f"{{required: true, break_glass: {GLASS}}}")
LEASE_SECONDS = 10


@dataclass
class Place:
    """A repository whose tooling is applied; `pushed` is what git showed, `known` the executions as last seen."""

    demo: Demo
    folder: Path
    sandbox: Sandbox
    watch: Watch
    queue: str
    pushed: str = ""
    made_up: str = ""
    notices: list[str] = field(default_factory=list)
    known: dict[str, Execution] = field(default_factory=dict)

    def git(self, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.folder, check=True, capture_output=True, text=True)
        return done.stdout + done.stderr

    def client(self, service: str) -> Any:
        return client(self.sandbox, service)

    def set(self, **settings: float) -> None:
        post(f"{self.sandbox.endpoint}/sandbox-api/settings", json.dumps(settings).encode())

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

        return dict(until(found, seconds=_SECONDS)[0])

    def log(self, step: str, build: str) -> str:
        group = f"/orchestrate/{PIPELINE}/{step}"
        logs = self.client("logs").get_log_events(logGroupName=group, logStreamName=build, startFromHead=True)
        return "".join(event["message"] for event in logs["events"])

    def told(self, *parts: str) -> str:
        """The first notice that has all of them, as soon as there is one."""

        def found() -> str | None:
            answer = self.client("sqs").receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)
            self.notices += [json.loads(message["Body"])["Message"] for message in answer.get("Messages", [])]
            return next((text for text in self.notices if all(part in text for part in parts)), None)

        return str(until(found, seconds=_SECONDS))

    def reach(self, tags: tuple[str, ...], reached: Callable[[Execution], bool]) -> None:
        self.known |= self.watch.until(tags, reached, seconds=_SECONDS)

    def end(self, *tags: str) -> None:
        self.reach(tags, lambda one: one.is_over)

    def submit(self, tag: str, event: str = "referenceCreated") -> None:
        """As the rule does it for an event that comes once more."""
        given = [{"name": name, "value": value} for name, value in (("TAG", tag), ("EVENT", event))]
        codebuild = self.client("codebuild")
        build = codebuild.start_build(projectName=f"{PIPELINE}-submit", environmentVariablesOverride=given)["build"]
        until(lambda: codebuild.batch_get_builds(ids=[build["id"]])["builds"][0]["buildComplete"], seconds=_SECONDS)

    def retry(self, tag: str, stage: str) -> None:
        self.client("codepipeline").retry_stage_execution(
            pipelineName=PIPELINE,
            pipelineExecutionId=self.known[tag].id,
            stageName=stage,
            retryMode="FAILED_ACTIONS",
        )


def _action(execution: Execution, name: str) -> dict[str, Any]:
    """The newest attempt at it."""
    return [one for one in execution.actions if one["actionName"] == name][-1]


def _listen(sandbox: Sandbox) -> str:
    """Subscribes a queue to what people are told; its URL."""
    sqs, sns = client(sandbox, "sqs"), client(sandbox, "sns")
    url = sqs.create_queue(QueueName="people")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = f"arn:aws:sns:us-east-1:000000000000:{PIPELINE}"
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return str(url)


def _on_call(sandbox: Sandbox) -> dict[str, str]:
    """The environment of somebody in the role of those who are on call."""
    root = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [root]})
    role = client(sandbox, "iam").create_role(RoleName=ON_CALL, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    keys = client(sandbox, "sts").assume_role(RoleArn=role, RoleSessionName="olga@example.com")["Credentials"]
    names = {"AccessKeyId": "ACCESS_KEY_ID", "SecretAccessKey": "SECRET_ACCESS_KEY", "SessionToken": "SESSION_TOKEN"}
    return {**within(sandbox), **{f"AWS_{name}": str(keys[key]) for key, name in names.items()}}


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The tooling is there, and nothing is pushed yet."""
    base = tmp_path_factory.mktemp("pipeline")
    project = (SOURCE / "envs/orchestrate.yaml").read_text().replace("modules/workload", "root")
    files: dict[str, str | None] = {
        **CHANGES,
        "envs/prod.yaml": PROD,
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
            yield Place(demo, base / "repository", sandbox, watch, _listen(sandbox))
        finally:
            demo.orchestrate("sandbox", "down")


@pytest.fixture(scope="module")
def planned(applied: Place) -> Place:
    """Two good tags and everything that is none are pushed; the plans are made, and nobody is asked yet."""
    transition = {"pipelineName": PIPELINE, "stageName": "Approve", "transitionType": "Inbound"}
    applied.client("codepipeline").disable_stage_transition(**transition, reason="until all is planned")
    demo_pipeline.push(applied.demo, REGIONS)
    applied.git("tag", LIGHTWEIGHT)
    applied.git("branch", BRANCH)
    refs = [f"refs/heads/{BRANCH}", f"refs/tags/{LIGHTWEIGHT}"]
    for name in (UNKNOWN_TEAM, SHELL, *NEAR):
        applied.git("tag", "--annotate", "--message", "A release", name)
        refs.append(f"refs/tags/{name}")
    applied.pushed = applied.git("push", "origin", *refs)
    applied.submit(US)  # the event comes once more
    applied.reach(TAGS, lambda one: one.is_over or _is_planned(one))
    return applied


def _is_planned(execution: Execution) -> bool:
    return any(one["actionName"] == "Plan" and one["status"] == "Succeeded" for one in execution.actions)


@pytest.fixture(scope="module")
def expired(planned: Place) -> Place:
    """Nobody answers in time: minutes are short while the approvals begin."""
    transition = {"pipelineName": PIPELINE, "stageName": "Approve", "transitionType": "Inbound"}
    planned.set(minute_seconds=0.002)
    planned.client("codepipeline").enable_stage_transition(**transition)
    planned.reach(TAGS, lambda one: one.waits_for_people)
    planned.set(minute_seconds=60)
    planned.end(*TAGS)
    return planned


@pytest.fixture(scope="module")
def released(expired: Place) -> Place:
    """They are asked again, and approved; one is released, and the other's build is stopped while it applies."""
    for tag in TAGS:
        expired.retry(tag, "Approve")
    expired.reach(TAGS, lambda one: one.waits_for_people)
    on_call = Demo(expired.folder, _on_call(expired.sandbox))
    on_call.orchestrate("approve", "--tag", AP, "--yes", "--break-glass", "--reason", REASON)
    demo_pipeline.release(expired.demo, expired.watch, (US,))
    until(lambda: expired.entries("research/prod-ap-southeast-1", "applying"), seconds=_SECONDS)
    expired.reach((AP,), lambda one: bool(_action(one, "Apply")["output"]["executionResult"]))
    build = _action(expired.known[AP], "Apply")["output"]["executionResult"]["externalExecutionId"]
    expired.client("codebuild").stop_build(id=build)
    expired.end(*TAGS)
    return expired


def test_each_good_tag_has_one_execution_however_often_its_event_comes(planned: Place) -> None:
    assert sorted(one.tag for one in planned.watch.executions()) == sorted(TAGS)


def test_only_tags_of_exactly_this_environment_start_anything(planned: Place) -> None:
    lines = [line for line in planned.pushed.splitlines() if "Sandbox:" in line]
    started = {name for name in (*REFUSED, *NEAR, BRANCH) if any(name in line and "-tags" in line for line in lines)}
    assert started == set(REFUSED)
    assert sum("no rule is for it" in line for line in lines) == len(NEAR) + 1


@pytest.mark.parametrize(
    ("tag", "target", "reason"),
    [
        pytest.param(LIGHTWEIGHT, "research/prod-us-east-1", "lightweight", id="lightweight"),
        pytest.param(UNKNOWN_TEAM, "_refused", "nobody", id="unknown-team"),
        pytest.param(SHELL, "_refused", "not allowed", id="shell-characters"),
    ],
)
def test_what_is_refused_is_recorded_and_told(planned: Place, tag: str, target: str, reason: str) -> None:
    assert planned.first(target, "refused", reason)["tag"] == tag
    assert planned.told("A tag of prod was refused", "/acme-tf-prod-submit:", "logEvent:group=/orchestrate/")
    assert not Path("/tmp/owned").exists()


def test_people_are_asked_with_tag_counts_digest_and_a_link(expired: Place) -> None:
    asked = json.loads(expired.told("approvalReviewLink", US))["approval"]
    digest = _action(expired.known[US], "Plan")["output"]["outputVariables"]["DIGEST"]
    assert "1 to add, 0 to change, 0 to destroy" in asked["customData"]
    assert digest in asked["customData"]
    assert len(asked["customData"]) <= 512
    assert digest in asked["externalEntityLink"]


def test_an_approval_that_nobody_gave_in_time_ends_the_execution_recorded_and_told(expired: Place) -> None:
    for tag, region in zip(TAGS, REGIONS, strict=True):
        assert expired.known[tag].status == "Failed"
        assert expired.first(f"research/prod-{region}", "stopped", "within 1440 minutes")
        assert expired.told("A release to prod has ended: FAILED", expired.known[tag].id)


def test_asked_again_and_approved_exactly_that_plan_is_applied_and_verified(released: Place) -> None:
    execution = released.known[US]
    stages = [(one["actionName"], one["status"]) for one in execution.actions]
    assert stages == [
        *((name, "Succeeded") for name in ("Source", "Lint", "Scan", "Plan")),
        ("Approve-1", "Failed"),
        *((name, "Succeeded") for name in ("Approve-1", "Apply", "Verify")),
    ]
    digest = _action(execution, "Plan")["output"]["outputVariables"]["DIGEST"]
    [applied] = released.entries("research/prod-us-east-1", "applied")
    assert (applied["digest"], applied["detail"]["outputs"]) == (digest, {})
    answers = released.entries("research/prod-us-east-1", "approved")
    assert {answer["digest"] for answer in answers} == {digest}


def test_the_target_s_own_state_holds_what_was_applied(released: Place) -> None:
    s3 = released.client("s3")
    found = s3.get_object(Bucket="acme-tf-prod", Key="research/prod-us-east-1/terraform.tfstate")
    [resource] = json.loads(found["Body"].read())["resources"]
    assert resource["instances"][0]["attributes"]["input"]["value"] == "us-east-1"


def test_a_build_that_is_stopped_while_it_applies_is_recorded_and_told(released: Place) -> None:
    execution = released.known[AP]
    assert execution.status == "Failed"
    assert "STOPPED" in str(execution.failure)
    entry = released.first("research/prod-ap-southeast-1", "stopped", "STOPPED")
    assert entry["detail"]["reason"].startswith("Apply:")
    assert released.told("A release to prod has ended: FAILED", execution.id)


def test_who_breaks_the_glass_alone_lets_the_execution_go_on_and_everybody_hears_of_it(released: Place) -> None:
    answered = _action(released.known[AP], "Approve-1")
    assert answered["status"] == "Succeeded"
    assert f"/{ON_CALL}/" in answered["updatedBy"]
    [broken] = released.entries("research/prod-ap-southeast-1", "break-glass")
    assert (broken["by"].rpartition("/")[2], broken["detail"]["reason"]) == ("olga@example.com", REASON)
    [applying] = released.entries("research/prod-ap-southeast-1", "applying")
    assert applying["detail"]["break_glass"]["reason"] == REASON
    for what in ("breaks the glass for", "has broken the glass; now is applied"):
        assert released.told(what, AP, REASON)


@pytest.fixture(scope="module")
def later(released: Place) -> Place:
    """What comes after: a version that changes nothing, a tag that is moved, an execution that somebody made up.

    And the interrupted apply, which is tried again.
    """
    source = _action(released.known[US], "Source")["output"]["outputVariables"]
    revisions = {"S3_OBJECT_KEY": source["ObjectKey"], "S3_OBJECT_VERSION_ID": source["VersionId"]}
    released.made_up = released.client("codepipeline").start_pipeline_execution(
        name=PIPELINE,
        variables=[{"name": "TAG", "value": MADE_UP}, {"name": "COMMIT", "value": "0" * 40}],
        sourceRevisions=[
            {"actionName": "Source", "revisionType": kind, "revisionValue": value} for kind, value in revisions.items()
        ],
    )["pipelineExecutionId"]
    released.retry(AP, "Apply")
    released.git("tag", "--annotate", "--message", "Nothing new", AGAIN)
    released.git("tag", "--force", "--annotate", "--message", "Moved", US)
    released.pushed = released.git("push", "--force", "origin", f"refs/tags/{AGAIN}", f"refs/tags/{US}")
    released.end(MADE_UP, AP, AGAIN)
    return released


def test_where_nothing_changes_nobody_is_asked_and_nothing_is_applied(later: Place) -> None:
    execution = later.known[AGAIN]
    assert execution.status == "Succeeded"
    assert [one["actionName"] for one in execution.actions] == ["Source", "Lint", "Scan", "Plan", "Verify"]
    [entry] = [one for one in later.entries("research/prod-us-east-1", "applied") if one["tag"] == AGAIN]
    assert entry["detail"]["result"] == "no changes"


def test_a_tag_that_is_moved_is_refused_recorded_and_told(later: Place) -> None:
    assert f"referenceUpdated refs/tags/{US}; rules: {PIPELINE}-moved" in later.pushed
    assert later.first("research/prod-us-east-1", "refused", "was moved after it had been pushed")["tag"] == US
    assert [one.tag for one in later.watch.executions()].count(US) == 1


def test_an_execution_that_somebody_made_up_is_refused_recorded_and_told(later: Place) -> None:
    execution = later.known[MADE_UP]
    assert (execution.id, execution.status) == (later.made_up, "Failed")
    assert [one["actionName"] for one in execution.actions] == ["Source", "Lint"]
    assert later.first("research/prod-eu-central-1", "stopped", "Lint:")["detail"]["execution"] == later.made_up
    assert later.told("A release to prod has ended: FAILED", later.made_up)


def test_an_interrupted_apply_is_not_simply_repeated(later: Place) -> None:
    """The step says what there is to do."""
    build = _action(later.known[AP], "Apply")["output"]["executionResult"]["externalExecutionId"].partition(":")[2]
    assert "did not finish" in later.log("apply", build)


def test_what_the_stopped_build_left_is_recovered_and_the_way_is_free(later: Place) -> None:
    target, key = "research/prod-ap-southeast-1", "research/prod-ap-southeast-1/terraform.tfstate"
    later.demo.orchestrate("recover", "--tag", AP)
    [recovered] = later.entries(target, "recovered")
    assert "half-way" in json.dumps(recovered["detail"]) or "nothing of it" in json.dumps(recovered["detail"])
    found = later.client("s3").list_objects_v2(Bucket="acme-tf-prod", Prefix=key)
    assert f"{key}.tflock" not in [item["Key"] for item in found.get("Contents", [])]
    locks = later.client("dynamodb").scan(TableName="acme-tf-lock-prod")["Items"]
    assert [item["LockID"]["S"] for item in locks if "Info" in item] == []
