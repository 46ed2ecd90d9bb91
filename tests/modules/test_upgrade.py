"""The workload from its previous version to this one, and back to nothing: the one test that makes a load balancer."""

from __future__ import annotations

import contextlib
import json
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from orchestrate_sandbox.clients import client
from orchestrate_sandbox.process import Sandbox
from tests.support.emulator import enforce_policies
from tests.support.modules.root import DrivenRoot, Told
from tests.support.modules.runs import ModuleRun
from tests.support.modules.upgrade import GLOBAL, REGIONAL, REPOSITORY, Upgraded, previous_version

pytestmark = pytest.mark.slow


def test_tag_of_the_previous_version_is_the_commit_that_upgrades_are_tested_from() -> None:
    previous = previous_version()
    ref = f"refs/tags/modules/{previous['version']}^{{commit}}"
    command = ["git", "-C", str(REPOSITORY), "rev-parse", "--verify", "--quiet", ref]
    found = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    assert found in ("", previous["commit"])


@pytest.fixture(scope="module")
def upgraded(upgrade_begun: Future[Upgraded]) -> Upgraded:
    return upgrade_begun.result()


def test_upgrade_replaces_and_deletes_nothing(upgraded: Upgraded) -> None:
    found = {**upgraded.global_changes, **upgraded.regional_changes}
    assert found, "an upgrade that changes nothing shows nothing"
    assert set(found.values()) <= {"create", "update", "move"}


def test_second_plan_of_the_global_scope_has_no_changes(upgraded: Upgraded) -> None:
    assert upgraded.global_scope.changes(GLOBAL) == {}


def test_page_names_its_region(upgraded: Upgraded, emulated: Sandbox) -> None:
    outputs = upgraded.regional_scope.outputs()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": emulated.proxy}))
    with opener.open(outputs["verify_url"], timeout=10) as answer:
        assert answer.status == 200
        assert outputs["verify_text"] in answer.read().decode()
    assert "us-east-1" in outputs["verify_text"]


def test_default_security_group_lets_nothing_through(upgraded: Upgraded, emulated: Sandbox) -> None:
    ec2 = client(emulated, "ec2")
    (vpc,) = ec2.describe_vpcs(Filters=[{"Name": "tag:team", "Values": ["upgrade"]}])["Vpcs"]
    wanted = {"group-name": "default", "vpc-id": vpc["VpcId"]}
    filters = [{"Name": name, "Values": [value]} for name, value in wanted.items()]
    groups = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    assert [(group["IpPermissions"], group["IpPermissionsEgress"]) for group in groups] == [([], [])]


def _policies(plan: ModuleRun) -> dict[str, str]:
    """What the deployment roles may do, by the role's kind."""
    kinds = {f"aws_iam_role_policy.{kind}": kind for kind in ("plan", "build")}
    return {kinds[address]: values["policy"] for address, values in plan.resources.items() if address in kinds}


@contextlib.contextmanager
def _limited_to(policy: str, scope: DrivenRoot, emulated: Sandbox) -> Iterator[None]:
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


@pytest.fixture(scope="module")
def alone(blocks_begun: Future[Any]) -> None:
    """Nobody else is in the emulated AWS when it begins to enforce policies, or when it must be empty."""
    blocks_begun.result()


@pytest.fixture(scope="module")
def by_plan_role(
    upgraded: Upgraded, plan_of: Callable[[str], ModuleRun], emulated: Sandbox, alone: None
) -> tuple[dict[str, str], Told]:
    """Under the plan role's policy: what another release of the same code would do; an apply that changes the page."""
    scope = upgraded.regional_scope
    with _limited_to(_policies(plan_of("roles-as-they-come"))["plan"], scope, emulated):
        return scope.changes(REGIONAL | {"release": "1.2"}), scope.try_apply(REGIONAL | {"greeting": "Welcome"})


def test_plan_role_may_read_all_that_a_plan_reads_and_change_nothing(by_plan_role: tuple[Any, Told]) -> None:
    _, applied = by_plan_role
    assert len(applied.errors) == 1
    assert "StatusCode: 403" in applied.errors[0]


def test_second_plan_has_no_changes_and_another_release_of_the_same_code_makes_none(
    by_plan_role: tuple[dict[str, str], Told],
) -> None:
    assert by_plan_role[0] == {}


def test_greeting_changes_the_listener_alone(by_plan_role: tuple[Any, Told]) -> None:
    assert by_plan_role[1].changes == {"module.regional[0].module.web_entry.aws_lb_listener.http": "update"}


@pytest.fixture(scope="module")
def destroyed(
    upgraded: Upgraded, by_plan_role: object, plan_of: Callable[[str], ModuleRun], emulated: Sandbox, alone: None
) -> Upgraded:
    """By the build role's policy: it may delete what it may make, and the logs of an environment without protection."""
    (logs,) = client(emulated, "s3").list_buckets()["Buckets"]
    for body in (b"first", b"second"):
        client(emulated, "s3").put_object(Bucket=logs["Name"], Key="AWSLogs/ELBAccessLogTestFile", Body=body)
    with _limited_to(_policies(plan_of("roles-as-they-come"))["build"], upgraded.regional_scope, emulated):
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
