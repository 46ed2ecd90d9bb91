"""`orchestrate release --on aws`: asked for by events, submitted by real builds, followed to the end."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.emulated_tooling import Place, emulated
from tests.sandbox.pipeline.workbench import buildspec, until

pytestmark = pytest.mark.slow

SCOPES = ("us-east-1", "eu-central-1", "ap-southeast-1", "us-west-2", "eu-west-1")
ENVIRONMENT = f"""\
regions: [{", ".join(SCOPES)}]
global_resource_deploy_from_region: us-east-1
teams: {{research: {{account: "%s"}}}}
"""
FILES = {
    "envs/orchestrate.yaml": 'state: {prefix: fleet, region: us-east-1}\ntooling: {account: "000000000000"}\n'
    "workload: {root: root}\n",
    "envs/dev.yaml": ENVIRONMENT % "111111111111",
    "envs/prod.yaml": ENVIRONMENT % "222222222222" + "approval: {required: true}\n",
    "root/main.tf": "# nothing: the builds here only look as if they released\n",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with emulated(tmp_path_factory.mktemp("fleet-aws"), FILES) as made:
        yield made


def by_tag(out: str) -> dict[str, dict[str, Any]]:
    return {one["tag"]: one for one in json.loads(out)["releases"]}


def test_every_target_gets_one_execution_and_the_same_command_finds_them_again(place: Place) -> None:
    names = place.push(*(f"dev_{scope}/research/1.0" for scope in SCOPES))
    place.aws.set(concurrent_executions=2, throttled_share=0.3)
    done = place.run("release", "--on", "aws", "--tag", "dev_*/research/1.0", "--parallel", "4", "--format", "json")
    place.aws.set(concurrent_executions=50, throttled_share=0)
    assert done.code == 0, done.err + done.out
    found = by_tag(done.out)
    assert {one["result"] for one in found.values()} == {"released"}
    assert sorted(found) == sorted(names)
    started = {one["pipelineExecutionId"] for one in place.executions("dev")}
    assert {one["execution"] for one in found.values()} == started
    again = place.run("release", "--on", "aws", "--tag", "dev_*/research/1.0", "--format", "json")
    assert again.code == 0, again.err
    assert {one["execution"] for one in by_tag(again.out).values()} == started
    assert len(place.executions("dev")) == len(SCOPES)


def test_executions_that_fail_are_told_and_started_anew_when_asked(place: Place) -> None:
    place.push("dev_us-east-1/research/1.1-rc.1")
    done = place.run("release", "--on", "aws", "--tag", "dev_us-east-1/research/1.1-rc.1")
    assert done.code == 1, done.err
    assert "failed" in done.out
    assert "Work" in done.out
    before = len(place.executions("dev"))
    assert place.run("release", "--on", "aws", "--tag", "dev_us-east-1/research/1.1-rc.1").code == 1
    assert len(place.executions("dev")) == before
    assert place.run("release", "--on", "aws", "--again", "--tag", "dev_us-east-1/research/1.1-rc.1").code == 1
    assert len(place.executions("dev")) == before + 1


def test_a_submit_build_that_breaks_before_it_can_say_why_is_told(place: Place) -> None:
    codebuild, (name,) = place.aws("codebuild"), place.push("dev_eu-west-1/research/1.1")
    (project,) = codebuild.batch_get_projects(names=["fleet-dev-submit"])["projects"]
    codebuild.update_project(name=project["name"], source=project["source"] | {"buildspec": buildspec("exit 4")})
    try:
        done = place.run("release", "--on", "aws", "--tag", name)
    finally:
        codebuild.update_project(name=project["name"], source=project["source"])
    assert done.code == 1, done.err
    assert "the submit step ended without an answer: build fleet-dev-submit:" in done.out
    assert place.run("release", "--on", "aws", "--tag", name).code == 0


def test_what_submit_refuses_is_a_refusal_here(place: Place) -> None:
    """Only in this clone the tag is what it seems: at the remote there is none of that name."""
    place.tag("dev_us-east-1/research/2.0")
    done = place.run("release", "--on", "aws", "--tag", "dev_us-east-1/research/2.0")
    assert done.code == 4, done.err + done.out
    assert "there is no tag" in done.out


def test_approvals_are_waited_for_only_when_asked(place: Place) -> None:
    names = place.push("prod_us-east-1/research/1.0", "prod_eu-central-1/research/1.0")
    done = place.run("release", "--on", "aws", "--tag", "prod_*/research/1.0", "--format", "json")
    assert done.code == 7, done.err
    found = by_tag(done.out)
    assert [(found[name]["stage"], found[name]["result"]) for name in names] == [
        ("Approve", "waiting for approval")
    ] * 2
    with place.start("release", "--on", "aws", "--wait", "--tag", "prod_*/research/1.0") as running:
        for name, status in zip(names, ("Approved", "Rejected"), strict=True):
            open_ = place.aws.waiting("fleet-prod", found[name]["execution"])
            place.aws.answer("fleet-prod", open_, status)
        out, err = running.communicate(timeout=60)
    assert running.returncode == 4, err
    assert {"1 released", "1 refused"} == set(out.splitlines()[-1].split(", "))


def test_ctrl_c_leaves_the_executions_running(place: Place) -> None:
    (name,) = place.push("prod_us-west-2/research/1.0")
    with place.start("release", "--on", "aws", "--wait", "--tag", name) as running:
        until(lambda: [one for one in place.executions("prod") if one["status"] == "InProgress"])
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=60)
    assert running.returncode == 130, err
    assert "the executions go on" in err
    assert [one["status"] for one in place.executions("prod")][:1] == ["InProgress"]
