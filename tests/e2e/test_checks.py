"""lint and scan of a release: judged by the protected branch, recorded, and shared through the release bucket."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest

from orchestrator.effects.system.cache import cache_folder
from tests.support.check_tools import AS_CHECKOV, fake_tool
from tests.support.projects import E2eProject, NewProject

TAG = "dev_us-east-1/research/1.0"
RELEASES = "checks-releases-dev"
VERSIONS = 'terraform {\n  required_version = ">= 1.5"\n}\n'
CLEAN = f'{VERSIONS}\nresource "terraform_data" "this" {{\n  input = "x"\n}}\n'
UNUSED = 'variable "unused" {\n  type = string\n}\n'
OFF = 'rule "terraform_unused_declarations" {\n  enabled = false\n}\n'
SKIP = 'checks: {lint: {skips: [{rule: "*", reason: mine, expires: "2999-12-31"}]}}\n'

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def project(new_project: NewProject, tmp_path_factory: pytest.TempPathFactory) -> E2eProject:
    """A clean root of built-in providers; and a cache of its own that shares the installed tools."""
    made = new_project("checks", "slow", root="live")
    for path in (made.folder / "live").glob("*.tf"):
        path.unlink()
    made.write({"live/main.tf": CLEAN})
    return made


@pytest.fixture(scope="module")
def scanned(project: E2eProject, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A tag that has been scanned, on another machine as it were: what was found is in the release bucket."""
    project.commit({"live/main.tf": CLEAN, "live/extra.tf": ""})
    project.tag(TAG)
    first = own_cache(project, tmp_path_factory.mktemp("first") / "cache")
    assert not project.ok_json("scan", "--tag", TAG, env=first)["reports"][0]["cached"]
    return TAG


def own_cache(project: E2eProject, folder: Path, checkov: str = AS_CHECKOV) -> dict[str, str]:
    """As another machine has it, where checkov is a script."""
    folder.mkdir(mode=0o700)
    (folder / "tflint-plugins").mkdir(mode=0o700)
    (folder / "tflint-plugins/.aws-unavailable").write_text("this is a test")
    if (tools := cache_folder(os.environ) / "tools").exists():
        (folder / "tools").symlink_to(tools)
    return {"ORCHESTRATE_CACHE": str(folder), **fake_tool(folder, "checkov", checkov)}


def test_a_release_is_judged_by_the_settings_of_the_protected_branch(project: E2eProject, tmp_path: Path) -> None:
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


def test_what_one_machine_found_another_need_not_look_for(
    project: E2eProject, scanned: str, tmp_path: Path, boto_env: None
) -> None:
    """The second machine's checkov does nothing at all; only its version is the same."""
    second = own_cache(project, tmp_path / "second", "exit 3")

    assert project.ok_json("scan", "--tag", scanned, env=second)["reports"][0]["cached"]
    for key, content in evidence().items():
        assert content["key"] in key


def test_evidence_of_another_key_is_not_used_and_is_replaced(
    project: E2eProject, scanned: str, tmp_path: Path, boto_env: None
) -> None:
    """Whole and well formed, as somebody would put it there who wants a pass."""
    right = evidence()
    put({key: {**content, "key": content["key"][::-1]} for key, content in right.items()})

    answer = project.ok_json("scan", "--tag", scanned, env=own_cache(project, tmp_path / "third"))

    assert not answer["reports"][0]["cached"]
    assert [key for key, content in evidence().items() if content == right[key]]
    put(right)


def evidence() -> dict[str, Any]:
    """What all checks have left in the release bucket, by object."""
    client = boto3.client("s3")
    listed = client.list_objects_v2(Bucket=RELEASES, Prefix="evidence/checks/")["Contents"]
    return {
        item["Key"]: json.loads(client.get_object(Bucket=RELEASES, Key=item["Key"])["Body"].read()) for item in listed
    }


def put(contents: Mapping[str, Any]) -> None:
    for key, content in contents.items():
        boto3.client("s3").put_object(Bucket=RELEASES, Key=key, Body=json.dumps(content).encode())


def test_how_a_check_ended_is_recorded_so_that_apply_can_require_it(
    project: E2eProject, scanned: str, tmp_path: Path
) -> None:
    env = own_cache(project, tmp_path / "fourth")
    project.ok("scan", "--tag", scanned, env=env)

    history = project.ok_json("history", "--env", "dev", "--team", "research")

    assert "checked" in json.dumps(history)
