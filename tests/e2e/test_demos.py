"""What `make demo` and `make demo-pipeline` show is there.

The first runs as it is, beside all the rest, for half of its time it waits for AWS: the one test that goes from a git
tag to an answering load balancer. Of the second the steps run, with a root that is made at once, and with more pushes:
one emulated AWS and one series of pushes for all tests. Terraform applies the tooling with the real provider, builds
run what it has put into the projects, and everything is looked up from outside, by git and the API of AWS.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from orchestrate_sandbox import demo_pipeline
from orchestrate_sandbox.demo_pipeline import PIPELINE
from orchestrate_sandbox.example import Demo
from orchestrate_sandbox.watched import WatchedExecution
from tests.support.applied_tooling import ON_CALL, SECONDS, ToolingProject, applied_tooling, on_call
from tests.support.workbench import until

pytestmark = pytest.mark.slow

REGIONS = ("us-east-1", "ap-southeast-1")
TAGS = US, AP = "prod_us-east-1/research/1.0", "prod_ap-southeast-1/research/1.0"
AGAIN = "prod_us-east-1/research/1.2"
SHELL = "prod_$(touch${IFS}/tmp/owned)/research/1.0"
NEAR = ("prod2_us-east-1/research/1.0", "production_us-east-1/research/1.0")
BRANCH = "prod_us-east-1/research/2.0"
REASON = "orders are lost since 03:10, nobody else is awake"


@dataclass(frozen=True)
class Running:
    """A demo under way, which writes to `output`."""

    process: subprocess.Popen[bytes]
    output: Path

    @cached_property
    def shown(self) -> str:
        """All of it, when it has ended well."""
        code, text = self.process.wait(SECONDS), self.output.read_text()
        assert code == 0, text
        return text


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """On a machine where it has never run."""
    base = tmp_path_factory.mktemp("demo")
    env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    env["ORCHESTRATE_WORKSPACES"] = str(base / "workspaces")
    command = [sys.executable, "-m", "orchestrate_sandbox.demo", str(base / "infrastructure")]
    with (base / "output").open("wb") as output:
        process = subprocess.Popen(command, env=env, stdout=output, stderr=output)
    yield Running(process, base / "output")
    if process.poll() is None:  # a test has failed, or only some of them are run
        process.send_signal(signal.SIGINT)
        process.wait()


def _action(execution: WatchedExecution, name: str) -> dict[str, Any]:
    """The newest attempt at it."""
    return [one for one in execution.actions if one["actionName"] == name][-1]


@pytest.fixture(scope="module")
def applied(demo: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ToolingProject]:
    """The tooling is there, and nothing is pushed yet."""
    with applied_tooling(tmp_path_factory.mktemp("pipeline")) as place:
        yield place


@pytest.fixture(scope="module")
def planned(applied: ToolingProject) -> ToolingProject:
    """Two good tags and what only looks like one are pushed; the plans are made, and nobody is asked yet."""
    transition = {"pipelineName": PIPELINE, "stageName": "Approve", "transitionType": "Inbound"}
    applied.client("codepipeline").disable_stage_transition(**transition, reason="until all is planned")
    demo_pipeline.push(applied.demo, REGIONS)
    applied.git("branch", BRANCH)
    refs = [f"refs/heads/{BRANCH}"]
    for name in (SHELL, *NEAR):
        applied.git("tag", "--annotate", "--message", "A release", name)
        refs.append(f"refs/tags/{name}")
    applied.pushed = applied.git("push", "origin", *refs)
    applied.reach(TAGS, lambda one: one.is_over or _is_planned(one))
    return applied


def _is_planned(execution: WatchedExecution) -> bool:
    return any(one["actionName"] == "Plan" and one["status"] == "Succeeded" for one in execution.actions)


@pytest.fixture(scope="module")
def expired(planned: ToolingProject) -> ToolingProject:
    """Nobody answers in time: minutes are short while the approvals begin."""
    transition = {"pipelineName": PIPELINE, "stageName": "Approve", "transitionType": "Inbound"}
    planned.set(minute_seconds=0.002)
    planned.client("codepipeline").enable_stage_transition(**transition)
    planned.reach(TAGS, lambda one: one.waits_for_people or one.is_over)  # a look may take longer than they wait
    planned.set(minute_seconds=60)
    planned.end(*TAGS)
    return planned


@pytest.fixture(scope="module")
def released(expired: ToolingProject) -> ToolingProject:
    """They are asked again, and approved; one is released, and the other's build is stopped while it applies."""
    for tag in TAGS:
        expired.retry(tag, "Approve")
    expired.reach(TAGS, lambda one: one.waits_for_people)
    person = Demo(expired.folder, on_call(expired.sandbox))
    person.orchestrate("approve", "--tag", AP, "--yes", "--break-glass", "--reason", REASON)
    demo_pipeline.release(expired.demo, expired.watch, (US,))
    until(lambda: expired.entries("research/prod-ap-southeast-1", "applying"), seconds=SECONDS)
    expired.reach((AP,), lambda one: bool(_action(one, "Apply")["output"]["executionResult"]))
    build = _action(expired.known[AP], "Apply")["output"]["executionResult"]["externalExecutionId"]
    expired.client("codebuild").stop_build(id=build)
    expired.end(*TAGS)
    return expired


def test_only_tags_of_exactly_this_environment_start_anything(planned: ToolingProject) -> None:
    lines = [line for line in planned.pushed.splitlines() if "Sandbox:" in line]
    started = {name for name in (SHELL, *NEAR, BRANCH) if any(name in line and "-tags" in line for line in lines)}
    assert started == {SHELL}
    assert sum("no rule is for it" in line for line in lines) == len(NEAR) + 1
    assert sorted(one.tag for one in planned.watch.executions()) == sorted(TAGS)


def test_what_is_refused_is_recorded_and_told(planned: ToolingProject) -> None:
    assert planned.first("_refused", "refused", "not allowed")["tag"] == SHELL
    assert planned.told("A tag of prod was refused", "/acme-tf-prod-submit:", "logEvent:group=/orchestrate/")
    assert not Path("/tmp/owned").exists()


def test_each_check_is_recorded_and_reported(planned: ToolingProject) -> None:
    for region in REGIONS:
        checked = planned.entries(f"research/prod-{region}", "checked")
        assert [(entry["detail"]["check"], entry["detail"]["passed"]) for entry in checked] == [
            ("lint", True),
            ("scan", True),
        ]
    codebuild = planned.client("codebuild")
    for name in ("Lint", "Scan"):
        build = _action(planned.known[US], name)["output"]["executionResult"]["externalExecutionId"]
        (found,) = codebuild.batch_get_builds(ids=[build])["builds"]
        assert [report for report in found["reportArns"] if f"-{name.lower()}-junit" in report]


def test_people_are_asked_with_tag_counts_digest_and_a_link(expired: ToolingProject) -> None:
    asked = json.loads(expired.told("approvalReviewLink", US))["approval"]
    digest = _action(expired.known[US], "Plan")["output"]["outputVariables"]["DIGEST"]
    assert "1 to add, 0 to change, 0 to destroy" in asked["customData"]
    assert digest in asked["customData"]
    assert len(asked["customData"]) <= 512
    assert digest in asked["externalEntityLink"]


def test_an_approval_that_nobody_gave_in_time_ends_the_execution_recorded_and_told(expired: ToolingProject) -> None:
    for tag, region in zip(TAGS, REGIONS, strict=True):
        assert expired.known[tag].status == "Failed"
        assert expired.first(f"research/prod-{region}", "stopped", "within 1440 minutes")
        assert expired.told("A release to prod has ended: FAILED", expired.known[tag].id)


def test_asked_again_and_approved_exactly_that_plan_is_applied_and_verified(released: ToolingProject) -> None:
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


def test_the_target_s_own_state_holds_what_was_applied(released: ToolingProject) -> None:
    s3 = released.client("s3")
    found = s3.get_object(Bucket="acme-tf-prod", Key="research/prod-us-east-1/terraform.tfstate")
    [resource] = json.loads(found["Body"].read())["resources"]
    assert resource["instances"][0]["attributes"]["input"]["value"] == "us-east-1"


def test_a_build_that_is_stopped_while_it_applies_is_recorded_and_told(released: ToolingProject) -> None:
    execution = released.known[AP]
    assert execution.status == "Failed"
    assert "STOPPED" in str(execution.failure)
    entry = released.first("research/prod-ap-southeast-1", "stopped", "STOPPED")
    assert entry["detail"]["reason"].startswith("Apply:")
    assert released.told("A release to prod has ended: FAILED", execution.id)


def test_who_breaks_the_glass_alone_lets_the_execution_go_on_and_everybody_hears_of_it(
    released: ToolingProject,
) -> None:
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
def later(released: ToolingProject) -> ToolingProject:
    """What comes after: a version that changes nothing, and a tag that is moved; the interrupted apply is recovered."""
    released.git("tag", "--annotate", "--message", "Nothing new", AGAIN)
    released.git("tag", "--force", "--annotate", "--message", "Moved", US)
    released.pushed = released.git("push", "--force", "origin", f"refs/tags/{AGAIN}", f"refs/tags/{US}")
    released.demo.orchestrate("recover", "--tag", AP)
    released.end(AGAIN)
    return released


def test_where_nothing_changes_nobody_is_asked_and_nothing_is_applied(later: ToolingProject) -> None:
    execution = later.known[AGAIN]
    assert execution.status == "Succeeded"
    assert [one["actionName"] for one in execution.actions] == ["Source", "Lint", "Scan", "Plan", "Verify"]
    [entry] = [one for one in later.entries("research/prod-us-east-1", "applied") if one["tag"] == AGAIN]
    assert entry["detail"]["result"] == "no changes"


def test_a_tag_that_is_moved_is_refused_recorded_and_told(later: ToolingProject) -> None:
    assert f"referenceUpdated refs/tags/{US}; rules: {PIPELINE}-moved" in later.pushed
    assert later.first("research/prod-us-east-1", "refused", "was moved after it had been pushed")["tag"] == US
    assert [one.tag for one in later.watch.executions()].count(US) == 1


def test_what_the_stopped_build_left_is_recovered_and_the_way_is_free(later: ToolingProject) -> None:
    target, key = "research/prod-ap-southeast-1", "research/prod-ap-southeast-1/terraform.tfstate"
    [recovered] = later.entries(target, "recovered")
    assert "half-way" in json.dumps(recovered["detail"]) or "nothing of it" in json.dumps(recovered["detail"])
    found = later.client("s3").list_objects_v2(Bucket="acme-tf-prod", Prefix=key)
    assert f"{key}.tflock" not in [item["Key"] for item in found.get("Contents", [])]
    locks = later.client("dynamodb").scan(TableName="acme-tf-lock-prod")["Items"]
    assert [item["LockID"]["S"] for item in locks if "Info" in item] == []


def test_the_demo_of_the_pipeline_ends_with_what_runs_where(
    later: ToolingProject, capfd: pytest.CaptureFixture[str]
) -> None:
    demo_pipeline.what_there_is(later.demo, later.sandbox, (AGAIN,))
    shown = capfd.readouterr().out
    assert "$ orchestrate status --env prod" in shown
    (running,) = [line.split() for line in shown.splitlines() if line.startswith("prod") and line.endswith("running")]
    assert running[1:4] == ["research", "us-east-1", "1.2"]


# The first demo: it has had all that time ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        "$ orchestrate tag --env dev --team research --version 1.0 --scope global --scope us-east-1",
        "$ orchestrate show --tag dev_us-east-1/research/1.0",
        "$ orchestrate bootstrap --env dev",
        "$ orchestrate release --tag dev_global/research/1.0",
        "$ orchestrate release --tag dev_us-east-1/research/1.0",
        "$ orchestrate lint --tag dev_us-east-1/research/1.1",
        "$ orchestrate scan --tag dev_us-east-1/research/1.1",
        "$ orchestrate plan --tag dev_us-east-1/research/1.1",
        "$ orchestrate apply --tag dev_us-east-1/research/1.1",
        "$ orchestrate verify --tag dev_us-east-1/research/1.1",
        "$ orchestrate status --env dev",
        "$ orchestrate history --env dev --team research",
    ],
)
def test_it_shows_each_command(demo: Running, command: str) -> None:
    assert command in demo.shown.splitlines()


def test_it_releases_twice(demo: Running) -> None:
    assert "dev_us-east-1/research/1.1 (" in demo.shown
    assert "0 to add, 1 to change, 0 to destroy, 0 to replace" in demo.shown
    assert "Hello from version 1.1" in demo.shown


def test_it_ends_with_what_runs_where_the_state_and_the_page(demo: Running) -> None:
    end = demo.shown.partition("5. What runs where")[2]
    assert "research/dev-us-east-1/terraform.tfstate" in end
    assert "research/dev-global/terraform.tfstate" in end
    assert "<h1>Hello from version 1.1</h1>" in end
    assert "Region: us-east-1" in end


def test_it_leaves_no_sandbox_behind(demo: Running) -> None:
    assert "The sandbox has stopped." in demo.shown


def test_the_readme_shows_its_real_output(demo: Running) -> None:
    """The commands and changes of README.md's excerpt stand in the output, to the letter."""
    readme = Path(__file__).parents[2].joinpath("README.md").read_text()
    excerpt = readme.partition("```text\n")[2].partition("```")[0]
    fixed = [line for line in excerpt.splitlines() if line.startswith(("$ orchestrate", "~ "))]
    assert len(fixed) >= 6
    shown = demo.shown.splitlines()
    for line in fixed:
        assert line in shown, line
