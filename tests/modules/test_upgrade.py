"""The workload from its previous version to this one, and back to nothing: the one test that makes a load balancer."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import subprocess
import tarfile
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import tftest
import yaml

from orchestrator.sandbox.clients import client
from orchestrator.sandbox.process import Sandbox
from tests.emulator import enforce_policies

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[2]
TARGET = {"account": "000000000000", "region": "us-east-1", "env": "dev", "team": "research"}
GLOBAL = TARGET | {"scope": "global", "release": "dev_global/research/1.1"}
REGIONAL = TARGET | {"scope": "us-east-1", "release": "dev_us-east-1/research/1.1"}


@dataclass(frozen=True)
class Upgraded:
    """Both scopes after the upgrade, and what each upgrade's plan said."""

    global_scope: Any
    regional_scope: Any
    global_changes: dict[str, str]
    regional_changes: dict[str, str]


def _previous(folder: Path) -> Path:
    """The tree of the previous version: of its tag where this clone has it, else of its commit."""
    previous = yaml.safe_load((REPOSITORY / "tests/modules/previous-version.yaml").read_text())
    archive = ["git", "-C", str(REPOSITORY), "archive", previous["commit"], "modules"]
    done = subprocess.run(archive, capture_output=True, check=False)
    assert done.returncode == 0, f"the clone must hold {previous}; a shallow one does not: {done.stderr.decode()}"
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tree:
        tree.extractall(folder, filter="data")
    return folder


def test_tag_of_the_previous_version_is_the_commit_that_upgrades_are_tested_from() -> None:
    previous = yaml.safe_load((REPOSITORY / "tests/modules/previous-version.yaml").read_text())
    ref = f"refs/tags/modules/{previous['version']}^{{commit}}"
    command = ["git", "-C", str(REPOSITORY), "rev-parse", "--verify", "--quiet", ref]
    found = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    assert found in ("", previous["commit"])


@pytest.fixture(scope="module")
def upgraded(
    root: Callable[..., Any], modules: Callable[[Path | None], Path], tmp_path_factory: pytest.TempPathFactory
) -> Upgraded:
    copy = modules(_previous(tmp_path_factory.mktemp("previous")))
    before = root("workload", copy=copy)
    before.with_state("global").apply(GLOBAL)
    before.with_state("regional").apply(REGIONAL)
    shutil.copytree(REPOSITORY / "modules", copy, dirs_exist_ok=True)
    after = root("workload", copy=copy)
    global_scope, regional_scope = after.with_state("global"), after.with_state("regional")
    global_changes = global_scope.changes(GLOBAL)
    global_scope.apply(GLOBAL)
    regional_changes = regional_scope.changes(REGIONAL)
    regional_scope.apply(REGIONAL)
    return Upgraded(global_scope, regional_scope, global_changes, regional_changes)


def test_upgrade_replaces_and_deletes_nothing(upgraded: Upgraded) -> None:
    found = {**upgraded.global_changes, **upgraded.regional_changes}
    assert found, "an upgrade that changes nothing shows nothing"
    assert set(found.values()) <= {"create", "update", "move"}


def test_second_plan_has_no_changes(upgraded: Upgraded) -> None:
    assert upgraded.global_scope.changes(GLOBAL) == {}
    assert upgraded.regional_scope.changes(REGIONAL) == {}


def test_page_names_its_region(upgraded: Upgraded, emulated: Sandbox) -> None:
    outputs = upgraded.regional_scope.outputs()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": emulated.proxy}))
    with opener.open(outputs["verify_url"], timeout=10) as answer:
        assert answer.status == 200
        assert outputs["verify_text"] in answer.read().decode()
    assert "us-east-1" in outputs["verify_text"]


def test_greeting_changes_the_listener_alone(upgraded: Upgraded) -> None:
    found = upgraded.regional_scope.changes(REGIONAL | {"greeting": "Welcome"}, refresh=False)
    assert found == {"module.regional[0].module.web_entry.aws_lb_listener.http": "update"}


def test_another_release_of_the_same_code_changes_nothing(upgraded: Upgraded) -> None:
    assert upgraded.regional_scope.changes(REGIONAL | {"release": "1.2"}, refresh=False) == {}


@pytest.fixture(scope="module")
def policies(root: Callable[..., Any]) -> dict[str, str]:
    """What the deployment roles may do, by `plan` and `build`."""
    tooling = "arn:aws:iam::999999999999:role/acme"
    planned = root("deploy-roles").plan(
        {
            "account": TARGET["account"],
            "tooling_account": "999999999999",
            "plan_trusted_role_arns": [tooling],
            "build_trusted_role_arns": [tooling],
            "managed_names": ["dev-research-*"],
        }
    )["planned_values"]["root_module"]["resources"]
    return {
        resource["name"]: resource["values"]["policy"]
        for resource in planned
        if resource["type"] == "aws_iam_role_policy"
    }


@contextlib.contextmanager
def _limited_to(policy: str, scope: Any, emulated: Sandbox) -> Iterator[None]:
    """Terraform as a user that may do what the policy says, in an emulated AWS that enforces it.

    It judges actions, and ARNs of IAM and S3; neither conditions nor boundaries.
    """
    iam, name = client(emulated, "iam"), "limited"
    # AWS judges HeadBucket as s3:ListBucket, which both roles have; the emulator as an action of its own.
    limits = json.loads(policy)
    limits["Statement"].append({"Effect": "Allow", "Action": "s3:HeadBucket", "Resource": "*"})
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName=name, PolicyDocument=json.dumps(limits))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    override = scope.folder / "credentials_override.tf.json"
    keys = {"access_key": key["AccessKeyId"], "secret_key": key["SecretAccessKey"], "max_retries": 1}
    override.write_text(json.dumps({"provider": {"aws": keys}}))
    enforce_policies(emulated, "0")
    try:
        yield
    finally:
        enforce_policies(emulated, "inf")
        override.unlink()
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        iam.delete_user_policy(UserName=name, PolicyName=name)
        iam.delete_user(UserName=name)


def test_plan_role_may_read_all_that_a_plan_reads_and_change_nothing(
    upgraded: Upgraded, policies: dict[str, str], emulated: Sandbox
) -> None:
    scope = upgraded.regional_scope
    with _limited_to(policies["plan"], scope, emulated):
        assert scope.changes(REGIONAL) == {}
        with pytest.raises(tftest.TerraformTestError, match="StatusCode: 403"):
            scope.apply(REGIONAL | {"greeting": "Welcome"})


@pytest.fixture(scope="module")
def destroyed(upgraded: Upgraded, policies: dict[str, str], emulated: Sandbox) -> Upgraded:
    """By the build role's policy: it may delete what it may make, and the logs of an environment without protection."""
    (logs,) = client(emulated, "s3").list_buckets()["Buckets"]
    for body in (b"first", b"second"):
        client(emulated, "s3").put_object(Bucket=logs["Name"], Key="AWSLogs/ELBAccessLogTestFile", Body=body)
    with _limited_to(policies["build"], upgraded.regional_scope, emulated):
        upgraded.regional_scope.destroy(REGIONAL)
        upgraded.global_scope.destroy(GLOBAL)
    return upgraded


def test_destroy_leaves_nothing(destroyed: Upgraded, emulated: Sandbox) -> None:
    assert destroyed.regional_scope.state() | destroyed.global_scope.state() == set()
    left = {
        "load balancers": client(emulated, "elbv2").describe_load_balancers()["LoadBalancers"],
        "buckets": client(emulated, "s3").list_buckets()["Buckets"],
        "log groups": client(emulated, "logs").describe_log_groups()["logGroups"],
        "roles": client(emulated, "iam").list_roles()["Roles"],
    }
    assert left == {"load balancers": [], "buckets": [], "log groups": [], "roles": []}
