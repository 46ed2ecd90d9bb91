"""Commits that try to get out of the place that the rules give them: another state, account or identity."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.support.accounts import TOOLING
from tests.support.projects import LOCK_FILE, E2eProject, NewProject

pytestmark = pytest.mark.slow

MAIN = 'resource "terraform_data" "this" {}\n'
CALLER = 'data "aws_caller_identity" "me" {}\noutput "me" {\n  value = data.aws_caller_identity.me.arn\n}\n'
QA_STATE = "risk/dev-us-east-1/terraform.tfstate"
OTHER_BACKEND = f"""\
terraform {{
  backend "s3" {{
    bucket = "bounds-dev"
    key    = "{QA_STATE}"
    region = "us-east-1"
  }}
}}
"""


@pytest.fixture(scope="module")
def project(new_project: NewProject) -> E2eProject:
    return new_project("bounds", "slow", root="root")


@pytest.fixture
def release(project: E2eProject) -> BoundaryRelease:
    return BoundaryRelease(project)


class BoundaryRelease:
    """Tags commits of the project whose root holds these files alone."""

    def __init__(self, project: E2eProject) -> None:
        self.project = project

    def __call__(
        self, files: Mapping[str, str | bytes], *, aws: bool = False, links: Mapping[str, Path] | None = None
    ) -> str:
        project = self.project
        project.git("rm", "-r", "--quiet", "--ignore-unmatch", "root")
        lock = {".terraform.lock.hcl": LOCK_FILE.read_text()} if aws else {}
        for name, content in {**lock, **files}.items():
            path = project.folder / "root" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        for name, target in (links or {}).items():
            (project.folder / "root" / name).symlink_to(target)
        project.commit()
        project.tags.append("")
        return project.tag(f"dev_us-east-1/research/1.{len(project.tags)}")


def planned(project: E2eProject) -> Any:
    """The outputs of the last plan."""
    return json.loads(project.last_plan("research", "us-east-1", Path("root")))["planned_values"]["outputs"]


# Another state ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "files",
    [
        {"p_override.tf": b"\xef\xbb\xbf" + OTHER_BACKEND.encode()},
        {
            "override.tf.json": '{"terraform": [[{"backend": [[{"s3": {"bucket": "bounds-dev", '
            f'"key": "{QA_STATE}", "region": "us-east-1"}}}}]]}}]]}}'
        },
        {"z_override.tf": f"locals {{\n  a = <<E\n\x1cE\nE\n}}\n{OTHER_BACKEND}"},
        {"z_override.tf": ""},
    ],
    ids=["byte order mark", "lists in lists", "heredoc", "empty"],
)
def test_an_override_file_after_ours_is_refused_whatever_it_holds(
    project: E2eProject, release: BoundaryRelease, boto_env: None, files: dict[str, str | bytes]
) -> None:
    refused = project.run("plan", "--tag", release({"main.tf": MAIN, **files}))
    assert refused.code == 3
    assert f"the override file {next(iter(files))} comes after orchestrate_override.tf.json" in refused.err
    assert "Contents" not in boto3.client("s3").list_objects_v2(Bucket="bounds-dev")


def test_a_backend_that_is_none_of_ours_is_found_after_the_initialization(
    project: E2eProject, release: BoundaryRelease, boto_env: None
) -> None:
    """By way of arguments that the rules pass on, which no file of the configuration shows."""
    tag = release({"main.tf": MAIN})
    rules = project.folder / "envs/orchestrate.yaml"
    before = rules.read_text()
    project.commit({"envs/orchestrate.yaml": before + "terraform: {pass_env: [TF_CLI_ARGS_init, TF_WORKSPACE]}\n"})
    try:
        elsewhere = {"TF_CLI_ARGS_init": f"-backend-config=key={QA_STATE}"}
        refused = project.run("plan", "--tag", tag, env=elsewhere)
        assert refused.code == 4
        assert f"the backend's key is '{QA_STATE}'" in refused.err
    finally:
        project.commit({"envs/orchestrate.yaml": before})
    assert "Contents" not in boto3.client("s3").list_objects_v2(Bucket="bounds-dev")


# Another account ----------------------------------------------------------------------------------------------------


def test_an_endpoint_of_the_commit_is_not_asked_who_we_are(project: E2eProject, release: BoundaryRelease) -> None:
    nowhere = "http://127.0.0.1:9"
    block = f"""\
provider "aws" {{
  endpoints {{
    sts = "{nowhere}"
    ssm = "{nowhere}"
  }}
  http_proxy                  = "{nowhere}"
  no_proxy                    = "example.com"
  custom_ca_bundle            = "/nowhere.pem"
  skip_region_validation      = true
  skip_credentials_validation = true
  skip_metadata_api_check     = "true"
  insecure                    = true
  sts_region                  = "eu-west-3"
}}
provider "aws" {{
  alias = "dynamic"
  dynamic "endpoints" {{
    for_each = ["{nowhere}"]
    content {{
      sts = endpoints.value
    }}
  }}
}}
data "aws_caller_identity" "dynamic" {{
  provider = aws.dynamic
}}
"""
    project.ok("plan", "--tag", release({"main.tf": block + CALLER}, aws=True))
    assert planned(project)["me"]["value"] == "arn:aws:sts::111111111111:assumed-role/InfraPlanRole/INFRA_BUILD"


def test_a_module_with_dynamic_blocks_alone_is_found(project: E2eProject, release: BoundaryRelease) -> None:
    """In the plan it looks as if it configured nothing; our reader is kept from it by a name of its own."""
    hidden = 'terraform {\n  required_providers {\n    corp = {\n      source = "hashicorp/aws"\n    }\n  }\n}\n'
    block = 'provider "corp" {\n  dynamic "endpoints" {\n    for_each = []\n    content {}\n  }\n}\n'
    data = 'data "aws_caller_identity" "me" {\n  provider = corp\n}\n'
    files = {"main.tf": 'module "child" {\n  source = "./child"\n}\n', "child/main.tf": hidden + block + data}
    refused = project.run("plan", "--tag", release(files, aws=True))
    assert refused.code == 3
    assert "module child (main.tf) configures an aws provider of its own" in refused.err


# Code from outside the commit ---------------------------------------------------------------------------------------

CALL = 'module "child" {{\n  source = "{}"\n}}\n'
CHILD = 'resource "terraform_data" "child" {}\n'


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a module that is a git repository as well."""
    folder = tmp_path_factory.mktemp("outside") / "child"
    folder.mkdir()
    subprocess.run(["git", "init", "--quiet", "--initial-branch", "main"], cwd=folder, check=True)
    _commit(folder, CHILD)
    return folder


def _commit(folder: Path, content: str) -> None:
    (folder / "main.tf").write_text(content)
    author = ["-c", "user.name=T", "-c", "user.email=t@example.com"]
    subprocess.run(["git", "add", "."], cwd=folder, check=True)
    subprocess.run(["git", *author, "commit", "--quiet", "--message", "A change"], cwd=folder, check=True)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{relative}", "reads files from outside the commit"),
        ("{absolute}", "outside the commit"),
        ("git::file://{absolute}?ref=main", "comes from outside the commit"),
    ],
    ids=["relative", "absolute", "a branch"],
)
def test_a_module_from_outside_the_commit_is_refused(
    project: E2eProject, release: BoundaryRelease, outside: Path, source: str, reason: str
) -> None:
    root = project.workspace("research", "us-east-1") / "source/root"
    named = source.format(relative=os.path.relpath(outside, root), absolute=outside)
    tag = release({"main.tf": CALL.format(named)})
    refused = project.run("plan", "--tag", tag)
    assert refused.code == 3, refused.err
    assert reason in refused.err
    linted = project.run("lint", "--tag", tag)
    assert linted.code != 0, linted.err


@pytest.mark.parametrize("name", ["child", "data"])
def test_a_link_out_of_the_commit_is_refused(
    project: E2eProject, release: BoundaryRelease, outside: Path, name: str
) -> None:
    """A module's folder, or a file in it that only its code would read."""
    tag = release({"main.tf": CALL.format("./child") if name == "child" else MAIN}, links={name: outside})
    refused = project.run("plan", "--tag", tag)
    assert refused.code == 3, refused.err
    assert "reads files from outside the commit" in refused.err


def test_a_module_that_the_rules_allow_is_pinned_and_bound_by_the_receipt(
    project: E2eProject, release: BoundaryRelease, outside: Path
) -> None:
    """Two states of a branch, each allowed by its hash: what is applied is the one that was planned."""
    rules, tag = project.folder / "envs/dev.yaml", release({"main.tf": CALL.format(f"git::file://{outside}?ref=main")})
    before = rules.read_text()
    first = _digest_told(project, tag)
    _commit(outside, CHILD + "# changed\n")
    second = _digest_told(project, tag)
    allowed = [{"source": f"git::file://{outside}*", "sha256": digest} for digest in (first, second)]
    project.commit({"envs/dev.yaml": before + f"policy: {json.dumps({'module_sources': allowed})}\n"})
    try:
        digest = project.ok_json("plan", "--tag", tag)["digest"]
        assert project.ok_json("show", "--receipt", digest)["receipt"]["modules"] == {"module.child": second}
        _commit(outside, CHILD)
        refused = project.run("apply", "--tag", tag)
        assert refused.code == 4, refused.err
        assert "module.child, which comes from outside the commit, is not what it was" in refused.err
        _commit(outside, CHILD + "# changed\n")
        project.ok("apply", "--tag", tag)
    finally:
        project.commit({"envs/dev.yaml": before})


def _digest_told(project: E2eProject, tag: str) -> str:
    refused = project.run("plan", "--tag", tag)
    told = re.search("sha256: ([0-9a-f]{64})", refused.err)
    assert told is not None, refused.err
    return told[1]


def test_a_provider_that_the_rules_do_not_allow_is_not_installed(project: E2eProject, release: BoundaryRelease) -> None:
    """The commit brings it, in a folder where Terraform looks, or names it alone."""
    locked = 'provider "registry.terraform.io/somebody/dns" {\n  version = "1.0.0"\n}\n'
    tag = release({"main.tf": MAIN, ".terraform.lock.hcl": locked})
    release({"main.tf": MAIN})  # the protected branch locks no such provider
    refused = project.run("plan", "--tag", tag)
    assert refused.code == 4, refused.err
    assert "the provider registry.terraform.io/somebody/dns is not one of those that the rules allow" in refused.err
    brought = "terraform.d/plugins/registry.terraform.io/hashicorp/aws/9.9.9/linux_amd64/terraform-provider-aws_v9.9.9"
    refused = project.run("plan", "--tag", release({"main.tf": CALLER, brought: "#!/bin/sh\n"}, aws=True))
    assert refused.code == 3, refused.err
    assert "holds a folder terraform.d" in refused.err


# Secrets of the surroundings ----------------------------------------------------------------------------------------


def test_code_that_runs_under_terraform_sees_no_secret_of_the_surroundings(
    project: E2eProject, release: BoundaryRelease, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    root = f"""\
resource "terraform_data" "this" {{
  provisioner "local-exec" {{
    command = "env > {seen}"
  }}
}}
"""
    tag = release({"main.tf": root})
    secrets = dict.fromkeys(("GITHUB_TOKEN", "TF_TOKEN_example_com", "DATABASE_URL", "SECRET_OF_OURS"), "hunter2")
    project.ok("plan", "--tag", tag, env=secrets)
    project.ok("apply", "--tag", tag, env=secrets)
    assert "AWS_REGION=us-east-1" in seen.read_text()
    assert "hunter2" not in seen.read_text()


# A session of Terraform's own ---------------------------------------------------------------------------------------

# What a program of the commit tries with the credentials that it finds.
PROBE = """\
import json, sys
import boto3
sts = boto3.client("sts")
roles = {"plan": "111111111111:role/InfraPlanRole", "apply": "111111111111:role/InfraBuildRole",
         "other": "222222222222:role/InfraPlanRole"}
def role(name):
    sts.assume_role(RoleArn=f"arn:aws:iam::{roles[name]}", RoleSessionName="probe", ExternalId="acme")
def state(key):
    boto3.client("s3").get_object(Bucket="bounds-dev", Key=key)
tries = {
    "own state": lambda: state("research/dev-us-east-1/terraform.tfstate"),
    "other state": lambda: state("risk/dev-us-east-1/terraform.tfstate"),
    "write other state": lambda: boto3.client("s3").put_object(Bucket="bounds-dev", Key="risk/x", Body=b""),
    "read plans": lambda: boto3.client("s3").list_objects_v2(Bucket="bounds-releases-dev"),
    "read ledger": lambda: boto3.client("dynamodb").scan(TableName="bounds-ledger-dev"),
    "take lock": lambda: boto3.client("dynamodb").put_item(
        TableName="bounds-lock-dev", Item={"LockID": {"S": "bounds-dev/risk/dev-us-east-1/terraform.tfstate"}}),
    "plan role": lambda: role("plan"), "apply role": lambda: role("apply"), "other account": lambda: role("other"),
}
done = []
for name, attempt in tries.items():
    try:
        attempt()
        done.append(name)
    except Exception as error:
        if "NoSuchKey" in str(error):
            done.append(name)
        else:
            assert "AccessDenied" in str(error), error
open(sys.argv[1], "w").write(json.dumps([sts.get_caller_identity()["Arn"], sorted(done)]))
"""


@pytest.fixture
def session_roles(boto_env: None) -> Iterator[None]:
    """The tooling's roles for people, as modules/release-pipeline makes them."""
    iam = boto3.client("iam")
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": f"arn:aws:iam::{TOOLING}:root"}}
    for kind in ("people", "deploy"):
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.create_role(RoleName=f"bounds-dev-{kind}", AssumeRolePolicyDocument=document)
    yield
    for kind in ("people", "deploy"):
        iam.delete_role(RoleName=f"bounds-dev-{kind}")


def test_code_under_terraform_reaches_its_own_state_and_role_alone(
    project: E2eProject, release: BoundaryRelease, session_roles: None, tmp_path: Path
) -> None:
    probe, said = tmp_path / "probe.py", tmp_path / "said"
    probe.write_text(PROBE)
    boto3.client("s3").put_object(Bucket="bounds-dev", Key="risk/dev-us-east-1/terraform.tfstate", Body=b"{}")
    run = f"{sys.executable} {probe} {said}"
    root = f'resource "terraform_data" "x" {{\n  provisioner "local-exec" {{\n    command = "{run}"\n  }}\n}}\n'
    tag = release({"main.tf": root})
    planned = project.ok("plan", "--tag", tag)
    assert "your credentials" not in planned.err
    project.ok("apply", "--tag", tag)
    arn, done = json.loads(said.read_text())
    assert arn.startswith(f"arn:aws:sts::{TOOLING}:assumed-role/bounds-dev-deploy/")
    assert done == ["apply role", "own state"]


def test_states_of_others_are_read_where_the_rules_list_them(
    project: E2eProject, release: BoundaryRelease, session_roles: None
) -> None:
    state = {"version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "x", "resources": []}
    content = json.dumps({**state, "outputs": {"secret": {"value": "theirs", "type": "string"}}})
    key = "risk/dev-us-east-1/terraform.tfstate"
    boto3.client("s3").put_object(Bucket="bounds-dev", Key=key, Body=content.encode())
    config = f'{{\n    bucket = "bounds-dev"\n    key    = "{key}"\n    region = "us-east-1"\n  }}'
    data = f'data "terraform_remote_state" "them" {{\n  backend = "s3"\n  config = {config}\n}}\n'
    tag = release({"main.tf": data + 'output "x" {\n  value = data.terraform_remote_state.them.outputs.secret\n}\n'})
    refused = project.run("plan", "--tag", tag)
    assert refused.code == 6, refused.err
    assert f'Unable to access object "{key}"' in refused.err
    rules = project.folder / "envs/dev.yaml"
    before = rules.read_text()
    project.commit({"envs/dev.yaml": before + "policy: {remote_states: [risk/dev-*]}\n"})
    try:
        project.ok("plan", "--tag", tag)
        assert planned(project)["x"]["value"] == "theirs"
    finally:
        project.commit({"envs/dev.yaml": before})


def test_where_no_session_can_be_had_it_is_said_or_refused(project: E2eProject, release: BoundaryRelease) -> None:
    tag = release({"main.tf": MAIN})
    assert "the code of this release works with your credentials" in project.ok("plan", "--tag", tag).err
    rules = project.folder / "envs/orchestrate.yaml"
    before = rules.read_text()
    project.commit({"envs/orchestrate.yaml": before + "terraform: {session: required}\n"})
    try:
        refused = project.run("plan", "--tag", tag)
        assert refused.code == 4, refused.err
        assert "bounds-dev-people" in refused.err
    finally:
        project.commit({"envs/orchestrate.yaml": before})
