"""What the deployment roles may do, judged from the policies that they would get: one plan, and then many questions.

The boundaries are judged with the worst beside them: a policy that allows everything, as a mistake might attach one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from orchestrator.sandbox.moto_additions.policies import Access
from orchestrator.sandbox.moto_additions.policies import allows as trusts
from tests.support.iam_evaluation import Wish, allows, allows_within
from tests.support.modules.runs import Run

pytestmark = pytest.mark.slow

ACCOUNT, TOOLING = "000000000000", "999999999999"
PLANNER, APPLIER = (f"arn:aws:iam::{TOOLING}:role/acme-{kind}" for kind in ("plan", "apply"))
HERE = f"arn:aws:iam::{ACCOUNT}"
THEIRS, ADMIN = f"{HERE}:role/dev-research-flow-logs", f"{HERE}:role/Administrator"
BOUNDED = {"iam:PermissionsBoundary": f"{HERE}:policy/InfraServiceBoundary"}
EVERYTHING: dict[str, Any] = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@dataclass(frozen=True)
class Planned:
    """Policies by the name of the resource that holds them: `plan`, `build`, `build_boundary`, `service_boundary`."""

    trust: dict[str, str]
    may: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def planned(plan_of: Callable[[str], Run]) -> Planned:
    plan = plan_of("roles-of-many-services")
    assert plan.said == []
    held = {tuple(address.split(".")): values for address, values in plan.resources.items()}
    return Planned(
        {name: values["assume_role_policy"] for (type_, name), values in held.items() if type_ == "aws_iam_role"},
        {name: json.loads(values["policy"]) for (_, name), values in held.items() if "policy" in values},
    )


READS = [
    Wish("ec2:DescribeVpcs"),
    Wish("elasticloadbalancing:DescribeLoadBalancers"),
    Wish("dynamodb:DescribeTable", f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/dev-research-orders"),
    Wish("dynamodb:ListTagsOfResource", f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/dev-research-orders"),
    Wish("kms:GetKeyPolicy", f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1"),
    Wish("logs:DescribeLogGroups"),
    Wish("s3:GetBucketPolicy", "arn:aws:s3:::dev-research-logs"),
    Wish("s3:ListBucket", "arn:aws:s3:::dev-research-logs"),
    Wish("wafv2:GetWebACLForResource"),
    Wish("iam:GetRole", THEIRS),
    Wish("iam:ListRoles"),
    Wish("secretsmanager:DescribeSecret", f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:x"),
    Wish("ssm:DescribeParameters"),
    Wish("ssm:GetParameter", "arn:aws:ssm:us-east-1::parameter/aws/service/ami-amazon-linux-latest/al2023"),
]


@pytest.mark.parametrize("wish", READS, ids=lambda wish: wish.action)
def test_plan_role_reads_the_configuration_of_what_releases_manage(planned: Planned, wish: Wish) -> None:
    assert allows([planned.may["plan"]], wish)


WRITES = [
    Wish("ec2:CreateVpc"),
    Wish("ec2:CreateTags"),
    Wish("s3:PutObject", "arn:aws:s3:::dev-research-logs/x"),
    Wish("s3:DeleteBucket", "arn:aws:s3:::dev-research-logs"),
    Wish("kms:ScheduleKeyDeletion", f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1"),
    Wish("iam:PassRole", THEIRS),
    Wish("iam:UpdateAssumeRolePolicy", f"{HERE}:role/InfraPlanRole"),
    Wish("lambda:InvokeFunction", f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:x"),
    Wish("sts:AssumeRole", ADMIN),
]
SECRETS = [
    Wish("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:x"),
    Wish("secretsmanager:BatchGetSecretValue"),
    Wish("ssm:GetParameter", f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/database/password"),
    Wish("ssm:GetParameters", f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/database/password"),
    Wish("ssm:GetParametersByPath", f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/database"),
    Wish("ssm:GetParameterHistory", f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/database/password"),
    Wish("ssm:GetCommandInvocation"),
    Wish("kms:Decrypt", f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1"),
    Wish("s3:GetObject", "arn:aws:s3:::dev-research-data/x"),
    Wish("s3:GetObjectVersion", "arn:aws:s3:::dev-research-data/x"),
    Wish("s3:GetObjectVersionForReplication", "arn:aws:s3:::dev-research-data/x"),
    Wish("s3:GetDataAccess", f"arn:aws:s3:us-east-1:{ACCOUNT}:access-grants/default"),
    Wish("dynamodb:GetItem", f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/x"),
    Wish("dynamodb:BatchGetItem", f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/x"),
    Wish("dynamodb:GetRecords", f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/x/stream/1"),
    Wish("dynamodb:Query", f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/x"),
    Wish("dynamodb:Scan", f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/x"),
    Wish("ec2:GetPasswordData", f"arn:aws:ec2:us-east-1:{ACCOUNT}:instance/i-1"),
    Wish("ec2:GetConsoleOutput", f"arn:aws:ec2:us-east-1:{ACCOUNT}:instance/i-1"),
    Wish("ec2:GetVpnConnectionDeviceSampleConfiguration"),
    Wish("ebs:GetSnapshotBlock", "arn:aws:ec2:us-east-1::snapshot/snap-1"),
    Wish("ecr:GetAuthorizationToken"),
    Wish("logs:GetLogEvents", f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:x:*"),
    Wish("logs:FilterLogEvents", f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:x:*"),
    Wish("wafv2:GetDecryptedAPIKey"),
]


@pytest.mark.parametrize("wish", [*WRITES, *SECRETS], ids=lambda wish: wish.action)
def test_plan_role_neither_writes_nor_reads_values(planned: Planned, wish: Wish) -> None:
    assert not allows([planned.may["plan"]], wish)


@pytest.mark.parametrize("wish", SECRETS, ids=lambda wish: wish.action)
def test_values_stay_closed_where_a_resource_or_another_policy_opens_them(planned: Planned, wish: Wish) -> None:
    assert not allows([planned.may["plan"], EVERYTHING], wish)


@pytest.mark.parametrize(
    "wish",
    [
        Wish("ec2:CreateVpc"),
        Wish("iam:CreateRole", THEIRS, BOUNDED),
        Wish("iam:PutRolePolicy", THEIRS, BOUNDED),
        Wish("iam:AttachRolePolicy", THEIRS, BOUNDED),
        Wish("iam:PassRole", THEIRS),
        Wish("iam:DeleteRole", THEIRS),
        Wish("iam:CreatePolicy", f"{HERE}:policy/dev-research-data"),
        Wish("iam:CreateServiceLinkedRole", f"{HERE}:role/aws-service-role/elasticloadbalancing.amazonaws.com/x"),
    ],
    ids=lambda wish: wish.action,
)
def test_build_role_makes_what_releases_need(planned: Planned, wish: Wish) -> None:
    assert allows_within([planned.may["build"]], planned.may["build_boundary"], wish)


ESCAPES = [
    # out of the boundary
    Wish("iam:CreateRole", THEIRS),
    Wish("iam:CreateRole", THEIRS, {"iam:PermissionsBoundary": f"{HERE}:policy/dev-research-mine"}),
    Wish("iam:PutRolePolicy", THEIRS),
    Wish("iam:AttachRolePolicy", THEIRS),
    Wish("iam:PutRolePermissionsBoundary", THEIRS, {"iam:PermissionsBoundary": f"{HERE}:policy/dev-research-mine"}),
    Wish("iam:DeleteRolePermissionsBoundary", THEIRS),
    Wish("iam:DeleteRolePermissionsBoundary", THEIRS, BOUNDED),
    Wish("iam:PutRolePermissionsBoundary", f"{HERE}:role/InfraBuildRole", BOUNDED),
    Wish("iam:DeleteRolePermissionsBoundary", f"{HERE}:role/InfraBuildRole", BOUNDED),
    Wish("iam:CreatePolicyVersion", f"{HERE}:policy/InfraServiceBoundary"),
    Wish("iam:CreatePolicyVersion", f"{HERE}:policy/InfraBuildBoundary"),
    Wish("iam:SetDefaultPolicyVersion", f"{HERE}:policy/InfraBuildBoundary"),
    Wish("iam:DeletePolicy", f"{HERE}:policy/InfraServiceBoundary"),
    # its own roles
    Wish("iam:PutRolePolicy", f"{HERE}:role/InfraBuildRole", BOUNDED),
    Wish("iam:AttachRolePolicy", f"{HERE}:role/InfraPlanRole", BOUNDED),
    Wish("iam:UpdateAssumeRolePolicy", f"{HERE}:role/InfraBuildRole"),
    Wish("iam:UpdateAssumeRolePolicy", f"{HERE}:role/InfraPlanRole"),
    Wish("iam:DeleteRole", f"{HERE}:role/InfraPlanRole"),
    Wish("iam:PassRole", f"{HERE}:role/InfraBuildRole"),
    # people, keys, ways in
    Wish("iam:CreateUser", f"{HERE}:user/dev-research-me"),
    Wish("iam:CreateAccessKey", f"{HERE}:user/dev-research-me"),
    Wish("iam:CreateLoginProfile", f"{HERE}:user/dev-research-me"),
    Wish("iam:AddUserToGroup", f"{HERE}:group/dev-research-us"),
    Wish("iam:CreateSAMLProvider", f"{HERE}:saml-provider/dev-research"),
    Wish("iam:CreateOpenIDConnectProvider", f"{HERE}:oidc-provider/dev-research"),
    Wish("sts:AssumeRole", ADMIN),
    Wish("sts:AssumeRole", "arn:aws:iam::111111111111:role/InfraBuildRole"),
    Wish("sts:GetFederationToken"),
    Wish("organizations:LeaveOrganization"),
    Wish("account:CloseAccount"),
]


@pytest.mark.parametrize("wish", ESCAPES, ids=lambda wish: f"{wish.action}-{wish.resource.rpartition('/')[2]}")
def test_build_role_has_no_way_out(planned: Planned, wish: Wish) -> None:
    assert not allows_within([planned.may["build"]], planned.may["build_boundary"], wish)
    assert not allows_within([EVERYTHING], planned.may["build_boundary"], wish), "the boundary alone must hold"


@pytest.mark.parametrize("action", ["PassRole", "UpdateAssumeRolePolicy", "DeleteRole", "PutRolePolicy", "CreateRole"])
def test_build_role_leaves_roles_of_other_names_alone(planned: Planned, action: str) -> None:
    for role in (ADMIN, f"{HERE}:role/prod-research-flow-logs", f"{HERE}:role/aws-reserved/sso.amazonaws.com/Admin"):
        wish = Wish(f"iam:{action}", role, BOUNDED)
        assert not allows_within([planned.may["build"]], planned.may["build_boundary"], wish)


def test_roles_of_services_have_the_services_and_nothing_else(planned: Planned) -> None:
    boundary = planned.may["service_boundary"]
    assert allows_within([EVERYTHING], boundary, Wish("logs:PutLogEvents"))
    for action in ("iam:CreateUser", "iam:PassRole", "sts:AssumeRole", "account:CloseAccount", "sqs:SendMessage"):
        assert not allows_within([EVERYTHING], boundary, Wish(action, ADMIN))


def _trusted(planned: Planned, role: str, *, caller: str, action: str = "sts:AssumeRole", **context: Any) -> bool:
    asked = {"sts:ExternalId": "acme", **context}
    return trusts(planned.trust[role], Access(TOOLING, frozenset({caller}), action, None, asked))


def test_only_named_roles_with_the_external_id_may_take_them(planned: Planned) -> None:
    assert _trusted(planned, "plan", caller=PLANNER)
    assert _trusted(planned, "build", caller=APPLIER)
    assert not _trusted(planned, "build", caller=PLANNER)
    assert not _trusted(planned, "build", caller=APPLIER, **{"sts:ExternalId": "another"})
    for stranger in (f"arn:aws:iam::{TOOLING}:role/acme-plan-2", f"arn:aws:iam::{TOOLING}:role/x/acme-plan"):
        assert not _trusted(planned, "plan", caller=stranger)


def test_sessions_carry_tags_of_releases_and_their_source_identity(planned: Planned) -> None:
    for role in ("plan", "build"):
        assert _trusted(planned, role, caller=APPLIER, action="sts:TagSession", **{"aws:TagKeys": ("env", "team")})
        assert not _trusted(planned, role, caller=APPLIER, action="sts:TagSession", **{"aws:TagKeys": ("env", "admin")})
        assert _trusted(planned, role, caller=APPLIER, action="sts:SetSourceIdentity")
