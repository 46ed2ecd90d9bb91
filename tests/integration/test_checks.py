"""lint and scan of a release: judged by the protected branch, recorded, and shared through the release bucket."""

from __future__ import annotations

import json
import os
from pathlib import Path

import boto3
import pytest

from orchestrator.effects.cache import cache_folder
from tests.integration.conftest import NewProject, Project

TAG = "dev_us-east-1/research/1.0"
VERSIONS = 'terraform {\n  required_version = ">= 1.5"\n}\n'
CLEAN = f'{VERSIONS}\nresource "terraform_data" "this" {{\n  input = "x"\n}}\n'
UNUSED = 'variable "unused" {\n  type = string\n}\n'
OFF = 'rule "terraform_unused_declarations" {\n  enabled = false\n}\n'
SKIP = 'checks: {lint: {skips: [{rule: "*", reason: mine, expires: "2999-12-31"}]}}\n'

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def project(new_project: NewProject, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A clean root of built-in providers; and a cache of its own that shares the installed tools."""
    made = new_project("checks", "slow", root="live")
    for path in (made.folder / "live").glob("*.tf"):
        path.unlink()
    made.write({"live/main.tf": CLEAN})
    return made


def own_cache(project: Project, folder: Path) -> dict[str, str]:
    folder.mkdir(mode=0o700)
    (folder / "tflint-plugins").mkdir(mode=0o700)
    (folder / "tflint-plugins/.aws-unavailable").write_text("this is a test")
    if (tools := cache_folder(os.environ) / "tools").exists():
        (folder / "tools").symlink_to(tools)
    return {"ORCHESTRATE_CACHE": str(folder)}


def test_a_release_is_judged_by_the_settings_of_the_protected_branch(project: Project, tmp_path: Path) -> None:
    env = own_cache(project, tmp_path / "cache")
    rules = (project.folder / "envs/dev.yaml").read_text()
    settings = {"live/extra.tf": UNUSED, ".tflint.hcl": OFF, "live/.tflint.hcl": OFF, "envs/dev.yaml": SKIP + rules}
    lenient = rules.replace("checks: {required: []}\n", "") + SKIP
    project.commit({**settings, "envs/dev.yaml": lenient})
    project.tag("dev_us-east-1/research/0.1")
    for name in (".tflint.hcl", "live/.tflint.hcl"):
        (project.folder / name).unlink()
    project.commit({"envs/dev.yaml": rules})

    answer = project.run("lint", "--tag", "dev_us-east-1/research/0.1", "--format", "json", env=env)

    assert answer.code == 1, answer.err
    (report,) = answer.json["reports"]
    assert [f["rule"] for f in report["findings"]] == ["terraform_unused_declarations"]


def test_what_one_machine_found_another_need_not_look_for(project: Project, tmp_path: Path, boto_env: None) -> None:
    """The second machine's checkov does nothing at all; only its version is the same."""
    project.commit({"live/main.tf": CLEAN, "live/extra.tf": ""})
    project.tag(TAG)
    first = own_cache(project, tmp_path / "first")
    assert not project.ok_json("scan", "--tag", TAG, env=first)["reports"][0]["cached"]

    version = project.ok("tools", "path", "checkov").out.strip()
    fake = tmp_path / "checkov"
    fake.write_text(f'#!/bin/sh\n[ "$1" = --version ] && exec {version} --version\nexit 3\n')
    fake.chmod(0o755)
    second = {**own_cache(project, tmp_path / "second"), "ORCHESTRATE_CHECKOV": str(fake)}

    assert project.ok_json("scan", "--tag", TAG, env=second)["reports"][0]["cached"]
    listed = boto3.client("s3").list_objects_v2(Bucket="checks-releases-dev", Prefix="evidence/checks/")["Contents"]
    kept = boto3.client("s3").get_object(Bucket="checks-releases-dev", Key=listed[0]["Key"])["Body"].read()
    assert json.loads(kept)["key"] in listed[0]["Key"]


def test_evidence_that_somebody_changed_is_not_used(project: Project, tmp_path: Path, boto_env: None) -> None:
    client = boto3.client("s3")
    listed = client.list_objects_v2(Bucket="checks-releases-dev", Prefix="evidence/checks/")["Contents"]
    contents = [client.get_object(Bucket="checks-releases-dev", Key=item["Key"])["Body"].read() for item in listed]
    for item, content in zip(listed, [*contents[1:], b'{"key": "x"}'], strict=True):
        client.put_object(Bucket="checks-releases-dev", Key=item["Key"], Body=content)

    answer = project.ok_json("scan", "--tag", TAG, env=own_cache(project, tmp_path / "third"))

    assert not answer["reports"][0]["cached"]


def test_how_a_check_ended_is_recorded_so_that_apply_can_require_it(project: Project, tmp_path: Path) -> None:
    env = own_cache(project, tmp_path / "fourth")
    project.ok("scan", "--tag", TAG, env=env)

    history = project.ok_json("history", "--env", "dev", "--team", "research")

    assert "checked" in json.dumps(history)
