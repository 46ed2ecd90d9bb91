"""What the deployment roles may do, judged from the policies that they would get: one plan, and then many questions.

The boundaries are judged with the worst beside them: a policy that allows everything, as a mistake might attach one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from orchestrate_sandbox.moto_additions.policies import Access
from orchestrate_sandbox.moto_additions.policies import allows as trusts
from tests.support.iam_evaluation import AccessRequest, allows, allows_within
from tests.support.modules.runs import ModuleRun

pytestmark = pytest.mark.slow

ACCOUNT, TOOLING = "000000000000", "999999999999"
PLANNER, APPLIER = (f"arn:aws:iam::{TOOLING}:role/acme-{kind}" for kind in ("plan", "apply"))
HERE = f"arn:aws:iam::{ACCOUNT}"
THEIRS, ADMIN = f"{HERE}:role/dev-research-flow-logs", f"{HERE}:role/Administrator"
BOUNDED = {"iam:PermissionsBoundary": f"{HERE}:policy/InfraServiceBoundary"}
EVERYTHING: dict[str, Any] = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@dataclass(frozen=True)
class PlannedPolicies:
    """Policies by the name of the resource that holds them: `plan`, `build`, `build_boundary`, `service_boundary`."""

    trust: dict[str, str]
    may: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def planned(plan_of: Callable[[str], ModuleRun]) -> PlannedPolicies:
    plan = plan_of("roles-of-many-services")
    assert plan.said == []
    held = {tuple(address.split(".")): values for address, values in plan.resources.items()}
    return PlannedPolicies(
        {name: values["assume_role_policy"] for (type_, name), values in held.items() if type_ == "aws_iam_role"},
        {name: json.loads(values["policy"]) for (_, name), values in held.items() if "policy" in values},
    )


READS = [
    AccessRequest("ec2:DescribeVpcs"),
    AccessRequest("elasticloadbalancing:DescribeLoadBalancers"),
    AccessRequest("dynamodb:DescribeTable", f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/dev-research-orders"),
    AccessRequest("dynamodb:ListTagsOfResource", f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/dev-research-orders"),
    AccessRequest("kms:GetKeyPolicy", f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1"),
    AccessRequest("logs:DescribeLogGroups"),
    AccessRequest("s3:GetBucketPolicy", "arn:aws:s3:::dev-research-logs"),
    AccessRequest("s3:ListBucket", "arn:aws:s3:::dev-research-logs"),
    AccessRequest("wafv2:GetWebACLForResource"),
    AccessRequest("iam:GetRole", THEIRS),
    AccessRequest("iam:ListRoles"),
    AccessRequest("secretsmanager:DescribeSecret", f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:x"),
    AccessRequest("ssm:DescribeParameters"),
    AccessRequest("ssm:GetParameter", "arn:aws:ssm:us-east-1::parameter/aws/service/ami-amazon-linux-latest/al2023"),
]


@pytest.mark.parametrize("wanted", READS, ids=lambda wanted: wanted.action)
def test_plan_role_reads_the_configuration_of_what_releases_manage(
    planned: PlannedPolicies, wanted: AccessRequest
) -> None:
    assert allows([planned.may["plan"]], wanted)


WRITES = [
    AccessRequest("ec2:CreateVpc"),
    AccessRequest("ec2:CreateTags"),
    AccessRequest("s3:PutObject", "arn:aws:s3:::dev-research-logs/x"),
    AccessRequest("s3:DeleteBucket", "arn:aws:s3:::dev-research-logs"),
    AccessRequest("kms:ScheduleKeyDeletion", f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1"),
    AccessRequest("iam:PassRole", THEIRS),
    AccessRequest("iam:UpdateAssumeRolePolicy", f"{HERE}:role/InfraPlanRole"),
    AccessRequest("lambda:InvokeFunction", f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:x"),
    AccessRequest("sts:AssumeRole", ADMIN),
]
SECRETS = [
    AccessRequest("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:x"),
    AccessRequest("secretsmanager:BatchGetSecretValue"),
    AccessRequest("ssm:GetParameter", f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/database/password"),
    AccessRequest("ssm:GetParameters", f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/database/password"),
    AccessRequest("ssm:GetParametersByPath", f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/database"),
    AccessRequest("ssm:GetParameterHistory", f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/database/password"),
    AccessRequest("ssm:GetCommandInvocation"),
    AccessRequest("kms:Decrypt", f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1"),
    AccessRequest("s3:GetObject", "arn:aws:s3:::dev-research-data/x"),
    AccessRequest("s3:GetObjectVersion", "arn:aws:s3:::dev-research-data/x"),
    AccessRequest("s3:GetObjectVersionForReplication", "arn:aws:s3:::dev-research-data/x"),
    AccessRequest("s3:GetDataAccess", f"arn:aws:s3:us-east-1:{ACCOUNT}:access-grants/default"),
    AccessRequest("dynamodb:GetItem", f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/x"),
    AccessRequest("dynamodb:BatchGetItem", f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/x"),
    AccessRequest("dynamodb:GetRecords", f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/x/stream/1"),
    AccessRequest("dynamodb:Query", f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/x"),
    AccessRequest("dynamodb:Scan", f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/x"),
    AccessRequest("ec2:GetPasswordData", f"arn:aws:ec2:us-east-1:{ACCOUNT}:instance/i-1"),
    AccessRequest("ec2:GetConsoleOutput", f"arn:aws:ec2:us-east-1:{ACCOUNT}:instance/i-1"),
    AccessRequest("ec2:GetVpnConnectionDeviceSampleConfiguration"),
    AccessRequest("ebs:GetSnapshotBlock", "arn:aws:ec2:us-east-1::snapshot/snap-1"),
    AccessRequest("ecr:GetAuthorizationToken"),
    AccessRequest("logs:GetLogEvents", f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:x:*"),
    AccessRequest("logs:FilterLogEvents", f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:x:*"),
    AccessRequest("wafv2:GetDecryptedAPIKey"),
]


@pytest.mark.parametrize("wanted", [*WRITES, *SECRETS], ids=lambda wanted: wanted.action)
def test_plan_role_neither_writes_nor_reads_values(planned: PlannedPolicies, wanted: AccessRequest) -> None:
    assert not allows([planned.may["plan"]], wanted)


@pytest.mark.parametrize("wanted", SECRETS, ids=lambda wanted: wanted.action)
def test_values_stay_closed_where_a_resource_or_another_policy_opens_them(
    planned: PlannedPolicies, wanted: AccessRequest
) -> None:
    assert not allows([planned.may["plan"], EVERYTHING], wanted)


@pytest.mark.parametrize(
    "wanted",
    [
        AccessRequest("ec2:CreateVpc"),
        AccessRequest("iam:CreateRole", THEIRS, BOUNDED),
        AccessRequest("iam:PutRolePolicy", THEIRS, BOUNDED),
        AccessRequest("iam:AttachRolePolicy", THEIRS, BOUNDED),
        AccessRequest("iam:PassRole", THEIRS),
        AccessRequest("iam:DeleteRole", THEIRS),
        AccessRequest("iam:CreatePolicy", f"{HERE}:policy/dev-research-data"),
        AccessRequest(
            "iam:CreateServiceLinkedRole", f"{HERE}:role/aws-service-role/elasticloadbalancing.amazonaws.com/x"
        ),
    ],
    ids=lambda wanted: wanted.action,
)
def test_build_role_makes_what_releases_need(planned: PlannedPolicies, wanted: AccessRequest) -> None:
    assert allows_within([planned.may["build"]], planned.may["build_boundary"], wanted)


ESCAPES = [
    # out of the boundary
    AccessRequest("iam:CreateRole", THEIRS),
    AccessRequest("iam:CreateRole", THEIRS, {"iam:PermissionsBoundary": f"{HERE}:policy/dev-research-mine"}),
    AccessRequest("iam:PutRolePolicy", THEIRS),
    AccessRequest("iam:AttachRolePolicy", THEIRS),
    AccessRequest(
        "iam:PutRolePermissionsBoundary", THEIRS, {"iam:PermissionsBoundary": f"{HERE}:policy/dev-research-mine"}
    ),
    AccessRequest("iam:DeleteRolePermissionsBoundary", THEIRS),
    AccessRequest("iam:DeleteRolePermissionsBoundary", THEIRS, BOUNDED),
    AccessRequest("iam:PutRolePermissionsBoundary", f"{HERE}:role/InfraBuildRole", BOUNDED),
    AccessRequest("iam:DeleteRolePermissionsBoundary", f"{HERE}:role/InfraBuildRole", BOUNDED),
    AccessRequest("iam:CreatePolicyVersion", f"{HERE}:policy/InfraServiceBoundary"),
    AccessRequest("iam:CreatePolicyVersion", f"{HERE}:policy/InfraBuildBoundary"),
    AccessRequest("iam:SetDefaultPolicyVersion", f"{HERE}:policy/InfraBuildBoundary"),
    AccessRequest("iam:DeletePolicy", f"{HERE}:policy/InfraServiceBoundary"),
    # its own roles
    AccessRequest("iam:PutRolePolicy", f"{HERE}:role/InfraBuildRole", BOUNDED),
    AccessRequest("iam:AttachRolePolicy", f"{HERE}:role/InfraPlanRole", BOUNDED),
    AccessRequest("iam:UpdateAssumeRolePolicy", f"{HERE}:role/InfraBuildRole"),
    AccessRequest("iam:UpdateAssumeRolePolicy", f"{HERE}:role/InfraPlanRole"),
    AccessRequest("iam:DeleteRole", f"{HERE}:role/InfraPlanRole"),
    AccessRequest("iam:PassRole", f"{HERE}:role/InfraBuildRole"),
    # people, keys, ways in
    AccessRequest("iam:CreateUser", f"{HERE}:user/dev-research-me"),
    AccessRequest("iam:CreateAccessKey", f"{HERE}:user/dev-research-me"),
    AccessRequest("iam:CreateLoginProfile", f"{HERE}:user/dev-research-me"),
    AccessRequest("iam:AddUserToGroup", f"{HERE}:group/dev-research-us"),
    AccessRequest("iam:CreateSAMLProvider", f"{HERE}:saml-provider/dev-research"),
    AccessRequest("iam:CreateOpenIDConnectProvider", f"{HERE}:oidc-provider/dev-research"),
    AccessRequest("sts:AssumeRole", ADMIN),
    AccessRequest("sts:AssumeRole", "arn:aws:iam::111111111111:role/InfraBuildRole"),
    AccessRequest("sts:GetFederationToken"),
    AccessRequest("organizations:LeaveOrganization"),
    AccessRequest("account:CloseAccount"),
]


@pytest.mark.parametrize("wanted", ESCAPES, ids=lambda wanted: f"{wanted.action}-{wanted.resource.rpartition('/')[2]}")
def test_build_role_has_no_way_out(planned: PlannedPolicies, wanted: AccessRequest) -> None:
    assert not allows_within([planned.may["build"]], planned.may["build_boundary"], wanted)
    assert not allows_within([EVERYTHING], planned.may["build_boundary"], wanted), "the boundary alone must hold"


@pytest.mark.parametrize("action", ["PassRole", "UpdateAssumeRolePolicy", "DeleteRole", "PutRolePolicy", "CreateRole"])
def test_build_role_leaves_roles_of_other_names_alone(planned: PlannedPolicies, action: str) -> None:
    for role in (ADMIN, f"{HERE}:role/prod-research-flow-logs", f"{HERE}:role/aws-reserved/sso.amazonaws.com/Admin"):
        wanted = AccessRequest(f"iam:{action}", role, BOUNDED)
        assert not allows_within([planned.may["build"]], planned.may["build_boundary"], wanted)


def test_roles_of_services_have_the_services_and_nothing_else(planned: PlannedPolicies) -> None:
    boundary = planned.may["service_boundary"]
    assert allows_within([EVERYTHING], boundary, AccessRequest("logs:PutLogEvents"))
    for action in ("iam:CreateUser", "iam:PassRole", "sts:AssumeRole", "account:CloseAccount", "sqs:SendMessage"):
        assert not allows_within([EVERYTHING], boundary, AccessRequest(action, ADMIN))


def _trusted(
    planned: PlannedPolicies, role: str, *, caller: str, action: str = "sts:AssumeRole", **context: Any
) -> bool:
    asked = {"sts:ExternalId": "acme", **context}
    return trusts(planned.trust[role], Access(TOOLING, frozenset({caller}), action, None, asked))


def test_only_named_roles_with_the_external_id_may_take_them(planned: PlannedPolicies) -> None:
    assert _trusted(planned, "plan", caller=PLANNER)
    assert _trusted(planned, "build", caller=APPLIER)
    assert not _trusted(planned, "build", caller=PLANNER)
    assert not _trusted(planned, "build", caller=APPLIER, **{"sts:ExternalId": "another"})
    for stranger in (f"arn:aws:iam::{TOOLING}:role/acme-plan-2", f"arn:aws:iam::{TOOLING}:role/x/acme-plan"):
        assert not _trusted(planned, "plan", caller=stranger)


def test_sessions_carry_tags_of_releases_and_their_source_identity(planned: PlannedPolicies) -> None:
    for role in ("plan", "build"):
        assert _trusted(planned, role, caller=APPLIER, action="sts:TagSession", **{"aws:TagKeys": ("env", "team")})
        assert not _trusted(planned, role, caller=APPLIER, action="sts:TagSession", **{"aws:TagKeys": ("env", "admin")})
        assert _trusted(planned, role, caller=APPLIER, action="sts:SetSourceIdentity")
