"""`orchestrate tooling` end to end: what it makes, that it settles, that it is taken down, in one Region and in two."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from orchestrator.effects.git import read_worktree_rules
from orchestrator.model import tooling
from orchestrator.sandbox.clients import client

pytestmark = pytest.mark.slow


def _pipelines(sandbox: Any, region: str) -> dict[str, Any]:
    service = client(sandbox, "codepipeline", region=region)
    names = [found["name"] for found in service.list_pipelines()["pipelines"]]
    return {name: service.get_pipeline(name=name)["pipeline"] for name in names}


def _rules(sandbox: Any, region: str) -> dict[str, Any]:
    found = client(sandbox, "events", region=region).list_rules()["Rules"]
    return {rule["Name"]: json.loads(rule["EventPattern"]) for rule in found}


def test_what_is_applied_stays_as_it_is(central: Any) -> None:
    """Only what a colleague's edit of the package itself changes may differ: its hash is part of every build."""
    (planned,) = central.ok("tooling", "plan")["tooling"]
    package = ("aws_s3_object.package", "aws_codebuild_project")
    assert [address for address in planned["resources"] if not any(name in address for name in package)] == []


def test_python_and_terraform_use_the_same_names(central: Any) -> None:
    rules = read_worktree_rules(central.folder)
    service = client(central.sandbox, "iam")
    roles = {
        role["RoleName"]: role["Arn"]
        for page in service.get_paginator("list_roles").paginate()
        for role in page["Roles"]
    }
    projects = client(central.sandbox, "codebuild").list_projects()["projects"]
    topics = [topic["TopicArn"] for topic in client(central.sandbox, "sns").list_topics()["Topics"]]
    for pipeline in tooling.pipelines(rules, "us-east-1"):
        assert pipeline.name in _pipelines(central.sandbox, "us-east-1")
        assert {pipeline.submit_project, *(f"{pipeline.name}-{step}" for step in tooling.STEPS)} <= set(projects)
        assert pipeline.topic_arn in topics
        for kind in ("submit", "check", "plan", "apply", "verify", "runner", "events", "people"):
            assert roles[pipeline.role_name(kind)] == pipeline.role_arn(kind)


def test_a_pipeline_has_the_stages_in_order_and_approvals_where_asked(central: Any) -> None:
    found = _pipelines(central.sandbox, "us-east-1")
    stages = {name: [stage["name"] for stage in pipeline["stages"]] for name, pipeline in found.items()}
    assert stages["acme-tf-dev"] == ["Source", "Lint", "Scan", "Plan", "Apply", "Verify"]
    assert stages["acme-tf-prod"] == ["Source", "Lint", "Scan", "Plan", "Approve", "Apply", "Verify"]
    for pipeline in found.values():
        assert (pipeline["pipelineType"], pipeline["executionMode"]) == ("V2", "PARALLEL")
        source = pipeline["stages"][0]["actions"][0]["configuration"]
        assert (source["PollForSourceChanges"], source["AllowOverrideForS3ObjectKey"]) == ("false", "true")


def test_an_approval_shows_the_plan_and_ends_with_it(central: Any) -> None:
    pipeline = _pipelines(central.sandbox, "us-east-1")["acme-tf-prod"]
    stage = next(stage for stage in pipeline["stages"] if stage["name"] == "Approve")
    (action,) = stage["actions"]
    assert action["configuration"]["CustomData"] == "#{plan.MESSAGE}"
    assert action["configuration"]["ExternalEntityLink"] == "#{plan.RECEIPT_URL}"
    assert action["timeoutInMinutes"] == 24 * 60
    (condition,) = stage["beforeEntry"]["conditions"]
    assert condition["result"] == "SKIP"
    assert condition["rules"][0]["configuration"] == {"Operator": "EQ", "Value": "true", "Variable": "#{plan.CHANGES}"}


@pytest.mark.parametrize(
    ("name", "started"),
    [
        ("dev_us-east-1/research/1.0", ["acme-tf-dev-tags"]),
        ("prod_us-east-1/research/1.0", ["acme-tf-prod-tags"]),
        ("prod2_us-east-1/research/1.0", []),
        ("production_us-east-1/research/1.0", []),
        ("xprod_us-east-1/research/1.0", []),
        ("1.0", []),
    ],
)
def test_a_tag_starts_exactly_its_environments_pipeline(central: Any, name: str, started: list[str]) -> None:
    assert _matching(central, name, "tag", "referenceCreated") == started


def test_a_branch_named_like_a_tag_starts_nothing_and_a_moved_tag_is_looked_at(central: Any) -> None:
    assert _matching(central, "dev_us-east-1/research/1.0", "branch", "referenceCreated") == []
    assert _matching(central, "dev_us-east-1/research/1.0", "tag", "referenceUpdated") == ["acme-tf-dev-moved"]
    assert _matching(central, "dev_us-east-1/research/1.0", "tag", "referenceDeleted") == []


def _matching(central: Any, name: str, kind: str, event: str) -> list[str]:
    """As EventBridge matches: every listed field is one of its values, a `prefix` begins the field."""
    found = []
    for rule, pattern in _rules(central.sandbox, "us-east-1").items():
        if pattern["source"] == ["aws.codecommit"]:
            detail = pattern["detail"]
            prefixes = tuple(one["prefix"] for one in detail["referenceName"])
            if event in detail["event"] and kind in detail["referenceType"] and name.startswith(prefixes):
                found.append(rule)
    return found


def test_a_release_that_is_asked_for_starts_exactly_its_environments_submit(central: Any) -> None:
    events = client(central.sandbox, "events")
    pattern = _rules(central.sandbox, "us-east-1")["acme-tf-dev-asked"]
    (pipeline,) = [p for p in tooling.pipelines(read_worktree_rules(central.folder), "us-east-1") if p.env == "dev"]
    assert (pattern["source"], pattern["detail-type"]) == ([pipeline.asked_source], [tooling.ASKED])
    for tag, matches in (("dev_global/research/1.0", True), ("prod_global/research/1.0", False)):
        event: dict[str, Any] = {
            "id": "1",
            "account": "000000000000",
            "time": "2026-01-01T00:00:00Z",
            "region": "us-east-1",
        }
        event |= {
            "source": pipeline.asked_source,
            "detail-type": tooling.ASKED,
            "resources": [],
            "detail": {"tag": tag},
        }
        answer = events.test_event_pattern(EventPattern=json.dumps(pattern), Event=json.dumps(event))
        assert answer["Result"] is matches
    (target,) = events.list_targets_by_rule(Rule="acme-tf-dev-asked")["Targets"]
    assert target["Arn"].endswith(":project/acme-tf-dev-submit")


def test_events_that_cannot_be_delivered_are_kept_and_told(central: Any) -> None:
    events = client(central.sandbox, "events")
    (target,) = events.list_targets_by_rule(Rule="acme-tf-dev-tags")["Targets"]
    assert target["RetryPolicy"] == {"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 86400}
    assert target["DeadLetterConfig"]["Arn"].endswith(":acme-tf-dev-undelivered")
    alarms = client(central.sandbox, "cloudwatch").describe_alarms(AlarmNames=["acme-tf-dev-undelivered"])
    assert alarms["MetricAlarms"][0]["AlarmActions"] == ["arn:aws:sns:us-east-1:000000000000:acme-tf-dev"]


def test_the_builds_install_what_was_uploaded_by_its_hash(central: Any) -> None:
    (project,) = client(central.sandbox, "codebuild").batch_get_projects(names=["acme-tf-dev-plan"])["projects"]
    told = {variable["name"]: variable["value"] for variable in project["environment"]["environmentVariables"]}
    bucket, _, prefix = told["ORCHESTRATE_PACKAGE"].removeprefix("s3://").partition("/")
    assert (bucket, prefix) == ("acme-tf-releases-dev", f"tooling/{told['ORCHESTRATE_SHA256']}/")
    listed = client(central.sandbox, "s3").list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
    names = {item["Key"].removeprefix(prefix) for item in listed}
    assert "requirements.txt" in names
    assert any(name.startswith("orchestrate-") for name in names)
    assert "orchestrate step plan" in project["source"]["buildspec"]


def test_without_its_stores_an_environment_has_no_pipeline(central: Any, tmp_path: Path) -> None:
    config = central.folder / "envs/qa.yaml"
    config.write_text((central.folder / "envs/dev.yaml").read_text().replace("1111", "5555").replace("2222", "6666"))
    try:
        done = central.run("tooling", "plan")
    finally:
        config.unlink()
    assert done.returncode == 4
    assert "orchestrate bootstrap --env qa" in done.stderr


def test_two_regions_have_tooling_of_their_own(
    new_project: Callable[[Mapping[str, str]], Any], destroy: Callable[[Any, Path], str], regional: Mapping[str, str]
) -> None:
    project = new_project(regional)
    applied = project.ok("tooling", "apply")["tooling"]
    assert [(one["region"], one["result"]) for one in applied] == [
        ("us-east-1", "applied"),
        ("eu-central-1", "applied"),
    ]
    prefixes = {}
    for region, stem in (("us-east-1", "acme-tf-use1"), ("eu-central-1", "acme-tf-euc1")):
        assert list(_pipelines(project.sandbox, region)) == [f"{stem}-dev"]
        pattern = _rules(project.sandbox, region)[f"{stem}-dev-tags"]
        prefixes[region] = sorted(one["prefix"] for one in pattern["detail"]["referenceName"])
        state = client(project.sandbox, "s3").list_objects_v2(Bucket=f"{stem}-tooling")["Contents"]
        assert "_tooling/terraform.tfstate" in [item["Key"] for item in state]
        assert client(project.sandbox, "codecommit", region=region).get_repository(repositoryName="infrastructure")
    assert prefixes == {"us-east-1": ["dev_global/", "dev_us-east-1/"], "eu-central-1": ["dev_eu-central-1/"]}
    copies = client(project.sandbox, "codebuild").batch_get_projects(names=["acme-tf-use1-tooling-copy"])["projects"]
    told = {variable["name"]: variable["value"] for variable in copies[0]["environment"]["environmentVariables"]}
    assert "eu-central-1" in told["REPLICA_URLS"]
    place = project.workspaces / "acme-tf-000000000000/_tooling"
    assert "Destroy complete" in destroy(project, place / "eu-central-1")
    assert _pipelines(project.sandbox, "eu-central-1") == {}
    assert list(_pipelines(project.sandbox, "us-east-1")) == ["acme-tf-use1-dev"]
