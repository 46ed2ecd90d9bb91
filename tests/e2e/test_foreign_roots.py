"""Root configurations that know nothing of orchestrate go through plan, apply and a clean second plan."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path

import boto3
import pytest

from orchestrator.effects.git.repository import Repository
from orchestrator.errors import StageFailed
from orchestrator.model.ledger.ledger import History
from orchestrator.stages.context.context import ReleaseContext
from orchestrator.stages.policy.verdict import judge_preview
from orchestrator.stages.record.planning import Admission
from orchestrator.stages.tags.resolve import resolve
from tests.support.projects import E2eProject, NewProject

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def two_regions(new_project: NewProject) -> E2eProject:
    project = new_project("two", "two-regions")
    settings = (project.folder / "envs/orchestrate.yaml").read_text() + "  variables: {env: environment}\n"
    project.commit({"envs/orchestrate.yaml": settings})
    project.tag("dev_us-east-1/research/1.0")
    allowed = (project.folder / "envs/dev.yaml").read_text() + "policy: {allowed_regions: [eu-central-1]}\n"
    project.commit({"envs/dev.yaml": allowed})
    return project


def test_every_provider_of_the_root_gets_the_role_and_account_of_the_target(
    two_regions: E2eProject, boto_env: None
) -> None:
    plan = two_regions.ok_json("plan", "--tag", "dev_us-east-1/research/1.0")
    assert {kind: count for kind, count in plan["summary"].items() if count} == {"add": 3, "outputs": 2}
    assert plan["changes"] is True
    _the_other_region_is_seen_in_the_plan(two_regions)
    applied = two_regions.ok_json("apply", "--tag", "dev_us-east-1/research/1.0")
    assert applied["result"] == "applied"
    assert applied["digest"] == plan["digest"]
    assert applied["outputs"]["callers"] == ["arn:aws:sts::111111111111:assumed-role/InfraPlanRole/INFRA_BUILD"] * 2
    assert "secret" not in applied["outputs"]
    assert _parameters("111111111111", "us-east-1") == {"/two/default-dev", "/two/here"}
    assert _parameters("111111111111", "eu-central-1") == {"/two/there"}
    assert _parameters("111111111111", "eu-west-3") == set()
    again = two_regions.run("plan", "--tag", "dev_us-east-1/research/1.0", "--detailed-exitcode", "--format", "json")
    assert again.code == 0, again.err
    assert again.json["changes"] is False


def _the_other_region_is_seen_in_the_plan(two_regions: E2eProject) -> None:
    """By the rules of before, which allow the target's Region alone."""
    repository = Repository.open(two_regions.folder)
    before = resolve(repository, "dev_us-east-1/research/1.0", two_regions.git("rev-parse", "main~1"))
    ctx = ReleaseContext(before, repository, two_regions.env, lambda _: None)
    with pytest.raises(StageFailed, match=r"Region eu-central-1, which is not the target's"):
        judge_preview(ctx, two_regions.last_plan("research", "us-east-1", Path()), Admission(History([]), "me", None))


def test_state_is_kept_where_the_rules_say_and_not_where_the_root_says(two_regions: E2eProject, boto_env: None) -> None:
    stored = boto3.client("s3").get_object(Bucket="two-dev", Key="research/dev-us-east-1/terraform.tfstate")
    assert json.loads(stored["Body"].read())["version"] == 4


def test_no_value_marked_sensitive_reaches_receipt_ledger_or_log(two_regions: E2eProject, boto_env: None) -> None:
    listed = boto3.client("s3").list_objects_v2(Bucket="two-releases-dev", Prefix="receipts/")["Contents"]
    receipts = [boto3.client("s3").get_object(Bucket="two-releases-dev", Key=item["Key"]) for item in listed]
    assert receipts
    texts = [receipt["Body"].read().decode() for receipt in receipts]
    texts.append(json.dumps(boto3.client("dynamodb").scan(TableName="two-ledger-dev")["Items"]))
    run = two_regions.workspace("research", "us-east-1") / "run"
    texts += [log.read_text() for log in run.glob("*.log")]
    assert not any("hunter2" in text for text in texts)


def test_files_of_the_run_are_for_the_user_alone(two_regions: E2eProject) -> None:
    run = two_regions.workspace("research", "us-east-1") / "run"
    assert stat.S_IMODE(run.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in run.iterdir()} - {0o600} in (set(), {0o644})
    assert stat.S_IMODE((run / "plan.tfplan").stat().st_mode) == 0o600


def test_a_root_without_provider_block_runs_under_the_role_and_keeps_its_names(
    new_project: NewProject, boto_env: None
) -> None:
    project = new_project("named", "named-by-folder", root="root")
    project.tag("dev_us-east-1/risk/1.0")
    plan = project.ok_json("plan", "--tag", "dev_us-east-1/risk/1.0")
    assert [change["address"] for change in plan["resources"]] == ["aws_ssm_parameter.this"]
    shutil.rmtree(project.workspace("risk", "us-east-1"))  # as on another machine
    project.ok("apply", "--tag", "dev_us-east-1/risk/1.0")
    assert _parameters("222222222222", "us-east-1") == {"/named/label-root"}


def test_files_made_while_planning_are_restored_for_the_apply(new_project: NewProject, tmp_path: Path) -> None:
    project = new_project("made", "made-while-planning")
    delivered = tmp_path / "delivered.zip"
    project.commit({"envs/dev.tfvars": f'delivered_to = "{delivered}"\n'})
    project.tag("dev_global/research/1.0")
    env = {"ORCHESTRATE_TERRAFORM": str(_packaging_terraform(tmp_path))}
    plan = project.ok_json("plan", "--tag", "dev_global/research/1.0", env=env)
    package = project.workspace("research", "global") / "source/build/package.zip"
    made = package.read_bytes()
    shutil.rmtree(project.workspace("research", "global"))  # the apply runs elsewhere, at the same path
    applied = project.ok_json("apply", "--tag", "dev_global/research/1.0")
    assert applied["digest"] == plan["digest"]
    assert delivered.read_bytes() == made


def test_a_plan_is_not_applied_with_files_that_somebody_changed_in_the_store(
    new_project: NewProject, tmp_path: Path, boto_env: None
) -> None:
    project = new_project("edited", "made-while-planning")
    project.commit({"envs/dev.tfvars": f'delivered_to = "{tmp_path / "delivered.zip"}"\n'})
    project.tag("dev_global/research/1.0")
    env = {"ORCHESTRATE_TERRAFORM": str(_packaging_terraform(tmp_path))}
    project.ok("plan", "--tag", "dev_global/research/1.0", env=env)
    s3 = boto3.client("s3")
    (stored,) = s3.list_objects_v2(Bucket="edited-releases-dev", Prefix="plans/")["Contents"]
    content = s3.get_object(Bucket="edited-releases-dev", Key=stored["Key"])["Body"].read()
    s3.put_object(Bucket="edited-releases-dev", Key=stored["Key"], Body=content.replace(b"package", b"packagf", 1))
    refused = project.run("apply", "--tag", "dev_global/research/1.0")
    assert refused.code == 4
    assert "somebody changed it" in refused.err
    assert not (tmp_path / "delivered.zip").exists()


def _packaging_terraform(folder: Path) -> Path:
    """Terraform, preceded by a build step when it plans: what a provider such as `archive` does inside."""
    real = shutil.which("terraform") or pytest.fail("terraform is not on PATH")
    script = folder / "terraform"
    build = "mkdir -p build; date +%N > build/package.zip"
    script.write_text(f'#!/bin/sh\ncase "$1" in plan) {build};; esac\nexec {real} "$@"\n')
    script.chmod(0o755)
    return script


def _session(account: str, region: str) -> boto3.Session:
    role = f"arn:aws:iam::{account}:role/InfraBuildRole"
    keys = boto3.client("sts").assume_role(RoleArn=role, RoleSessionName="test", ExternalId="acme")["Credentials"]
    return boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region)


def _parameters(account: str, region: str) -> set[str]:
    listed = _session(account, region).client("ssm").describe_parameters()["Parameters"]
    return {parameter["Name"] for parameter in listed}
