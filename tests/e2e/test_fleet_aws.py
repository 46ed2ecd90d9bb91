"""`orchestrate release --on aws`: asked for by events, submitted by real builds, followed to the end."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.emulated_tooling import PipelineClone, emulated
from tests.support.workbench import buildspec, until

pytestmark = pytest.mark.slow

SCOPES = ("us-east-1", "eu-central-1", "ap-southeast-1", "us-west-2")
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
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipelineClone]:
    with emulated(tmp_path_factory.mktemp("fleet-aws"), FILES) as made:
        yield made


def by_tag(out: str) -> dict[str, dict[str, Any]]:
    return {one["tag"]: one for one in json.loads(out)["releases"]}


def test_every_target_gets_one_execution_and_the_same_command_finds_them_again(place: PipelineClone) -> None:
    """AWS throttles and has room for one alone; one fails, and one tag is in this clone alone, not at the remote."""
    released = place.push(*(f"dev_{scope}/research/1.0" for scope in SCOPES[:2]))
    (failed,) = place.push(f"dev_{SCOPES[2]}/research/1.0-rc.1")
    refused = place.tag(f"dev_{SCOPES[3]}/research/1.0")
    names = [*released, failed, refused]
    place.aws.set(concurrent_executions=1, throttled_share=0.3)
    done = place.run("release", "--on", "aws", "--tag", "dev_*/research/1.0*", "--parallel", "2", "--format", "json")
    place.aws.set(concurrent_executions=50, throttled_share=0)
    assert done.code == 1, done.err + done.out
    found = by_tag(done.out)
    assert {name: found[name]["result"] for name in names} == dict(
        zip(names, ["released", "released", "failed", "refused"], strict=True)
    )
    assert "there is no tag" in found[refused]["why"]
    started = {one["pipelineExecutionId"] for one in place.executions("dev")}
    assert {found[name]["execution"] for name in (*released, failed)} == started
    assert len(started) == len(place.executions("dev")) == 3
    again = place.run("release", "--on", "aws", "--tag", "dev_*/research/1.0*", "--format", "json")
    same = ("result", "execution")
    assert {name: [one[key] for key in same] for name, one in by_tag(again.out).items()} == {
        name: [one[key] for key in same] for name, one in found.items()
    }, again.err
    assert len(place.executions("dev")) == 3
    anew = place.run("release", "--on", "aws", "--again", "--tag", released[0], "--tag", failed)
    assert anew.code == 1, anew.err
    assert "Work" in anew.out
    assert {"1 released", "1 failed"} == set(anew.out.splitlines()[-1].split(", "))
    assert len(place.executions("dev")) == 4


def test_a_submit_build_that_breaks_before_it_can_say_why_is_told(place: PipelineClone) -> None:
    codebuild, (name,) = place.aws("codebuild"), place.push("dev_us-west-2/research/1.1")
    (project,) = codebuild.batch_get_projects(names=["fleet-dev-submit"])["projects"]
    codebuild.update_project(name=project["name"], source=project["source"] | {"buildspec": buildspec("exit 4")})
    try:
        done = place.run("release", "--on", "aws", "--tag", name)
    finally:
        codebuild.update_project(name=project["name"], source=project["source"])
    assert done.code == 1, done.err
    assert "the submit step ended without an answer: build fleet-dev-submit:" in done.out
    assert place.run("release", "--on", "aws", "--tag", name).code == 0


def test_approvals_are_waited_for_only_when_asked_and_ctrl_c_leaves_the_executions_running(
    place: PipelineClone,
) -> None:
    names = place.push("prod_us-east-1/research/1.0", "prod_eu-central-1/research/1.0")
    waiting = ("release", "--on", "aws", "--wait", "--tag", "prod_*/research/1.0")
    with place.start(*waiting) as running:
        until(lambda: all(f"{name}: waiting for approval" in running.told_so_far() for name in names))
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=60)
    assert running.returncode == 130, err
    assert "the executions go on" in err
    assert [one["status"] for one in place.executions("prod")] == ["InProgress"] * 2
    done = place.run("release", "--on", "aws", "--tag", "prod_*/research/1.0", "--format", "json")
    assert done.code == 7, done.err
    found = by_tag(done.out)
    assert [(found[name]["stage"], found[name]["result"]) for name in names] == [
        ("Approve", "waiting for approval")
    ] * 2
    with place.start(*waiting) as running:
        until(lambda: all(f"{name}: waiting for approval" in running.told_so_far() for name in names))
        for name, status in zip(names, ("Approved", "Rejected"), strict=True):
            open_ = place.aws.waiting("fleet-prod", found[name]["execution"])
            place.aws.answer("fleet-prod", open_, status)
        out, err = running.communicate(timeout=60)
    assert running.returncode == 4, err
    assert {"1 released", "1 refused"} == set(out.splitlines()[-1].split(", "))
