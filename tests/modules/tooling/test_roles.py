"""What `orchestrate tooling apply` makes, and what each role may do and none may: as it stands in the emulated AWS.

Of the tooling of us-east-1, beside which that of another Region stands in the same account.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrate_sandbox.clients import client
from orchestrate_sandbox.moto_additions.policies import Access
from orchestrate_sandbox.moto_additions.policies import allows as trusts
from orchestrator.effects.git.repository import read_worktree_rules
from orchestrator.model.release import stages
from orchestrator.model.rules import tooling
from tests.support import iam_evaluation as iam
from tests.support.tooling_project import AppliedTooling

pytestmark = pytest.mark.slow

AccessRequest = iam.AccessRequest

STEPS = {"submit", "check", "plan", "apply", "verify", "runner", "events"}
PEOPLE = {"people", "deploy"}
ROLES = STEPS | PEOPLE
THERE = "acme-tf-euc1"  # what the names of the other Region's tooling begin with

STATE = "arn:aws:s3:::acme-tf-use1-dev/research/dev/terraform.tfstate"
RELEASES = "arn:aws:s3:::acme-tf-use1-releases-dev"
TABLES = "arn:aws:dynamodb:us-east-1:000000000000:table"
LEDGER, LOCKS = f"{TABLES}/acme-tf-use1-ledger-dev", f"{TABLES}/acme-tf-use1-lock-dev"
HANDED_ON = f"{RELEASES}/acme-tf-use1-dev"
PIPELINE = "arn:aws:codepipeline:us-east-1:000000000000:acme-tf-use1-dev"
PROJECT = "arn:aws:codebuild:us-east-1:000000000000:project/acme-tf-use1-dev"
REPOSITORY = "arn:aws:codecommit:us-east-1:000000000000:infrastructure"
ANCHOR, ONCE = f"{RELEASES}/anchors/research/dev-global/1.json", {"s3:if-none-match": "*"}
LOOKED_FOR = {"s3:prefix": "anchors/research/dev-global/000000000001-"}
LOCK_ID = "acme-tf-use1-dev/research/dev/terraform.tfstate"


def _role(account: str, name: str) -> str:
    return f"arn:aws:iam::{account}:role/{name}"


def _keyed(action: str, table: str, key: str) -> Any:
    return AccessRequest(action, table, {"dynamodb:LeadingKeys": [key]})


# Each wish with the roles of dev that have it granted; every other role of dev, and every role of prod, has not.
GRANTED: list[tuple[Any, set[str]]] = [
    (AccessRequest("s3:PutObject", f"{RELEASES}/sources/x.zip"), {"submit"}),
    (AccessRequest("codepipeline:StartPipelineExecution", PIPELINE), {"submit"}),
    (AccessRequest("s3:GetObject", f"{RELEASES}/sources/x.zip"), {"submit", "runner"}),
    (AccessRequest("s3:GetObject", f"{RELEASES}/tooling/1/requirements.txt"), STEPS - {"runner", "events"}),
    (AccessRequest("s3:GetObject", f"{HANDED_ON}/source/1"), {"check", "plan", "apply", "verify", "runner"}),
    (AccessRequest("s3:PutObject", f"{HANDED_ON}/source/1"), {"runner"}),
    (AccessRequest("s3:PutObject", f"{HANDED_ON}/lint/1"), {"check", "runner"}),
    (AccessRequest("s3:GetObject", f"{HANDED_ON}/scan/1"), {"plan", "runner"}),
    (AccessRequest("sts:AssumeRole", _role("111111111111", "InfraPlanRole")), {"plan", "people", "deploy"}),
    (AccessRequest("sts:TagSession", _role("222222222222", "InfraPlanRole")), {"plan", "people", "deploy"}),
    (AccessRequest("sts:SetSourceIdentity", _role("111111111111", "InfraPlanRole")), {"plan", "people", "deploy"}),
    (AccessRequest("sts:AssumeRole", _role("111111111111", "InfraBuildRole")), {"apply", "deploy"}),
    # each itself, under a session policy
    *(
        (AccessRequest("sts:AssumeRole", _role("000000000000", f"acme-tf-use1-dev-{kind}")), {kind})
        for kind in ("plan", "apply", "people", "deploy")
    ),
    (AccessRequest("s3:GetObject", STATE), {"plan", "apply", "people", "deploy"}),
    (AccessRequest("s3:ListBucket", "arn:aws:s3:::acme-tf-use1-dev"), {"plan", "apply", "people", "deploy"}),
    (AccessRequest("codebuild:BatchGetBuilds", f"{PROJECT}-apply"), {"runner", "apply", "people", "deploy"}),
    (AccessRequest("s3:GetObject", f"{RELEASES}/recovered/research/dev-global/1.tfstate"), {"apply", "deploy"}),
    (AccessRequest("s3:PutObject", STATE), {"apply", "deploy"}),
    (AccessRequest("s3:PutObject", f"{STATE}.tflock"), {"plan", "apply", "people", "deploy"}),
    (AccessRequest("s3:DeleteObject", f"{STATE}.tflock"), {"plan", "apply", "people", "deploy"}),
    (_keyed("dynamodb:PutItem", LOCKS, LOCK_ID), {"plan", "apply", "people", "deploy"}),
    (_keyed("dynamodb:PutItem", LOCKS, f"{LOCK_ID}-md5"), {"apply", "deploy"}),
    (AccessRequest("s3:PutObject", f"{RELEASES}/plans/research/dev-global/1.tar"), {"plan", "people", "deploy"}),
    (AccessRequest("s3:PutObject", f"{RELEASES}/receipts/research/dev-global/1.json"), {"plan", "people", "deploy"}),
    (AccessRequest("s3:GetObject", f"{RELEASES}/plans/research/dev-global/1.tar"), {"apply", "deploy"}),
    (AccessRequest("dynamodb:Query", LEDGER), {"submit", "plan", "apply", "verify", "people", "deploy"}),
    (
        AccessRequest("dynamodb:Query", f"{LEDGER}/index/answers"),
        {"submit", "plan", "apply", "verify", "people", "deploy"},
    ),
    (_keyed("dynamodb:PutItem", LEDGER, "target#x"), {"submit", "plan", "apply", "verify", "people", "deploy"}),
    (_keyed("dynamodb:PutItem", LEDGER, "tag#x"), {"submit", "plan", "apply", "verify", "people", "deploy"}),
    (_keyed("dynamodb:UpdateItem", LEDGER, "lease#x"), {"submit", "plan", "apply", "verify", "people", "deploy"}),
    (AccessRequest("s3:PutObject", ANCHOR, ONCE), {"submit", "plan", "apply", "verify", "people", "deploy"}),
    (AccessRequest("s3:PutObjectRetention", ANCHOR), {"submit", "plan", "apply", "verify", "people", "deploy"}),
    (
        AccessRequest("s3:PutObjectRetention", f"{RELEASES}/receipts/research/dev-global/1.json"),
        {"plan", "people", "deploy"},
    ),
    (AccessRequest("s3:ListBucket", RELEASES, LOOKED_FOR), {"submit", "plan", "apply", "verify", "people", "deploy"}),
    (AccessRequest("s3:GetObject", ANCHOR), {"submit", "plan", "apply", "verify", "people", "deploy"}),
    (AccessRequest("s3:GetObjectVersion", ANCHOR), PEOPLE),
    (AccessRequest("s3:ListBucketVersions", RELEASES, {"s3:prefix": "anchors/research/dev-global/"}), PEOPLE),
    (AccessRequest("codepipeline:ListActionExecutions", PIPELINE), {"submit", "apply", "people", "deploy"}),
    (AccessRequest("codebuild:StartBuild", f"{PROJECT}-apply"), {"runner"}),
    (AccessRequest("codebuild:StartBuild", f"{PROJECT}-submit"), {"events"}),
    (AccessRequest("sns:Publish", "arn:aws:sns:us-east-1:000000000000:acme-tf-use1-dev"), {"runner"}),
]

# What no role of the tooling may, whichever it is.
NEVER: list[Any] = [
    # other environments
    AccessRequest("s3:GetObject", "arn:aws:s3:::acme-tf-use1-prod/research/prod/terraform.tfstate"),
    AccessRequest("s3:PutObject", "arn:aws:s3:::acme-tf-use1-prod/research/prod/terraform.tfstate"),
    AccessRequest("s3:GetObject", "arn:aws:s3:::acme-tf-use1-releases-prod/plans/research/prod-global/1.tar"),
    _keyed("dynamodb:PutItem", f"{TABLES}/acme-tf-use1-ledger-prod", "target#research/prod-global"),
    _keyed("dynamodb:PutItem", f"{TABLES}/acme-tf-use1-lock-prod", "acme-tf-use1-prod/x/terraform.tfstate"),
    AccessRequest("sts:AssumeRole", _role("333333333333", "InfraPlanRole")),
    AccessRequest("sts:AssumeRole", _role("333333333333", "InfraBuildRole")),
    AccessRequest(
        "codepipeline:StartPipelineExecution", "arn:aws:codepipeline:us-east-1:000000000000:acme-tf-use1-prod"
    ),
    AccessRequest("codebuild:StartBuild", "arn:aws:codebuild:us-east-1:000000000000:project/acme-tf-use1-prod-apply"),
    # other roles of its own accounts
    AccessRequest("sts:AssumeRole", _role("111111111111", "OrganizationAccountAccessRole")),
    AccessRequest("sts:AssumeRole", _role("999999999999", "InfraPlanRole")),
    # the tooling's own state, the accounts' roles' state, the package
    AccessRequest("s3:GetObject", "arn:aws:s3:::acme-tf-use1-tooling/_tooling/terraform.tfstate"),
    AccessRequest("s3:PutObject", "arn:aws:s3:::acme-tf-use1-dev/_accounts/111111111111/terraform.tfstate"),
    AccessRequest("s3:GetObject", "arn:aws:s3:::acme-tf-use1-dev/_accounts/111111111111/terraform.tfstate"),
    _keyed("dynamodb:DeleteItem", LOCKS, "acme-tf-use1-dev/_accounts/111111111111/terraform.tfstate"),
    _keyed("dynamodb:PutItem", LOCKS, "acme-tf-use1-dev/_accounts/111111111111/terraform.tfstate-md5"),
    AccessRequest("s3:PutObject", "arn:aws:s3:::acme-tf-use1-dev/research/dev/other.json"),
    AccessRequest("s3:ListBucket", "arn:aws:s3:::acme-tf-use1-prod"),
    AccessRequest("s3:PutBucketPolicy", "arn:aws:s3:::acme-tf-use1-dev"),
    AccessRequest("s3:PutObject", f"{RELEASES}/tooling/1/requirements.txt"),
    # the record, and answers in somebody's name
    _keyed("dynamodb:PutItem", LEDGER, "approval#AROAALICE:alice#research"),
    AccessRequest("s3:PutObject", ANCHOR),
    AccessRequest("s3:DeleteObject", ANCHOR),
    AccessRequest("s3:DeleteObjectVersion", ANCHOR),
    AccessRequest("s3:BypassGovernanceRetention", ANCHOR),
    AccessRequest("s3:PutBucketObjectLockConfiguration", RELEASES),
    AccessRequest("s3:ListBucketVersions", RELEASES, {"s3:prefix": ""}),
    AccessRequest("dynamodb:DeleteItem", LEDGER),
    _keyed("dynamodb:DeleteItem", LEDGER, "target#research/dev-global"),
    _keyed("dynamodb:DeleteItem", LEDGER, "tag#dev_global/research/1.0"),
    _keyed("dynamodb:UpdateItem", LEDGER, "tag#dev_global/research/1.0"),
    _keyed("dynamodb:UpdateItem", LEDGER, "target#research/dev-global"),
    AccessRequest("dynamodb:BatchWriteItem", LEDGER),
    AccessRequest("s3:DeleteObject", f"{RELEASES}/receipts/research/dev-global/1.json"),
    AccessRequest("s3:DeleteObjectVersion", STATE),
    AccessRequest("s3:DeleteObject", STATE),
    AccessRequest("cloudtrail:StopLogging", "arn:aws:cloudtrail:us-east-1:000000000000:trail/acme-tf-use1-tooling"),
    # its own rights, and the pipeline itself
    AccessRequest("iam:PutRolePolicy", _role("000000000000", "acme-tf-use1-dev-plan")),
    AccessRequest("iam:CreateRole", _role("000000000000", "x")),
    AccessRequest("iam:AttachRolePolicy", _role("000000000000", "acme-tf-use1-dev-plan")),
    AccessRequest("iam:UpdateAssumeRolePolicy", _role("000000000000", "acme-tf-use1-dev-apply")),
    AccessRequest("iam:CreatePolicyVersion", "arn:aws:iam::000000000000:policy/acme-tf-use1-dev-accounts-plan-all"),
    AccessRequest("sts:AssumeRole", _role("000000000000", "acme-tf-use1-prod-apply")),
    AccessRequest("sts:AssumeRole", _role("000000000000", "acme-tf-use1-dev-verify")),
    AccessRequest("iam:PassRole", _role("000000000000", "acme-tf-use1-dev-apply")),
    AccessRequest("codebuild:UpdateProject", f"{PROJECT}-apply"),
    *(
        AccessRequest(f"codepipeline:{action}", PIPELINE)
        for action in ("DisableStageTransition", "OverrideStageCondition", "RetryStageExecution", "UpdatePipeline")
    ),
    *(
        AccessRequest(f"codebuild:{action}", f"{PROJECT}-apply")
        for action in ("RetryBuild", "StartBuildBatch", "UpdateWebhook")
    ),
    AccessRequest("events:PutEvents", "arn:aws:events:us-east-1:000000000000:event-bus/default"),
    AccessRequest("events:PutTargets", "arn:aws:events:us-east-1:000000000000:rule/acme-tf-use1-dev-tags"),
    AccessRequest("sns:Subscribe", "arn:aws:sns:us-east-1:000000000000:acme-tf-use1-dev"),
    AccessRequest(
        "logs:DeleteLogGroup", "arn:aws:logs:us-east-1:000000000000:log-group:/orchestrate/acme-tf-use1-dev/apply"
    ),
    AccessRequest("codepipeline:PutApprovalResult", f"{PIPELINE}/Approve/Approve-1"),
    AccessRequest("codecommit:GitPush", REPOSITORY, {"codecommit:References": "refs/tags/dev_us-east-1/research/1.0"}),
    # secrets
    AccessRequest("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:us-east-1:000000000000:secret:x"),
    AccessRequest("ssm:GetParameter", "arn:aws:ssm:us-east-1:000000000000:parameter/x"),
    AccessRequest("kms:Decrypt", "arn:aws:kms:us-east-1:000000000000:key/x"),
]


@pytest.fixture(scope="module")
def policies(project: AppliedTooling) -> dict[str, list[dict[str, Any]]]:
    """Every policy of every role of the tooling, inline or attached, by the role's name; here without the stem."""
    service = client(project.sandbox, "iam")
    found: dict[str, list[dict[str, Any]]] = {}
    for page in service.get_paginator("list_roles").paginate():
        for role in page["Roles"]:
            name = role["RoleName"]
            if name.startswith("acme-tf-"):
                names = service.list_role_policies(RoleName=name)["PolicyNames"]
                documents = [service.get_role_policy(RoleName=name, PolicyName=n)["PolicyDocument"] for n in names]
                attached = service.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
                documents += [_document(service, one["PolicyArn"]) for one in attached]
                found[name.removeprefix("acme-tf-use1-")] = documents
    return found


def test_there_are_these_roles_and_no_others(policies: dict[str, Any]) -> None:
    here = {f"dev-{role}" for role in ROLES} | {f"prod-{role}" for role in ROLES - {"deploy"}}
    assert set(policies) == here | {f"{THERE}-dev-{role}" for role in ROLES} | {"tooling-copier", "tooling-events"}


@pytest.mark.parametrize(("wanted", "roles"), GRANTED, ids=lambda value: getattr(value, "action", ""))
def test_what_is_documented_is_granted_to_these_roles_alone(
    policies: dict[str, Any], wanted: Any, roles: set[str]
) -> None:
    found = {name for name, documents in policies.items() if iam.allows(documents, wanted)}
    if not wanted.action.startswith("sts:"):  # a team's account is the same in every Region
        assert found == {f"dev-{role}" for role in roles}
    assert found - {f"{THERE}-dev-{role}" for role in roles} == {f"dev-{role}" for role in roles}


def test_the_repository_is_read_by_the_submit_steps_and_the_copier_alone(policies: dict[str, Any]) -> None:
    found = {
        name
        for name, documents in policies.items()
        if iam.allows(documents, AccessRequest("codecommit:GitPull", REPOSITORY))
    }
    assert found == {"dev-submit", "prod-submit", "tooling-copier"}


def test_whoever_applies_can_look_up_who_approved(policies: dict[str, Any]) -> None:
    wanted = AccessRequest("iam:GetRole", _role("000000000000", "Approvers"))
    found = {name for name, documents in policies.items() if iam.allows(documents, wanted)}
    assert found == {"dev-apply", "dev-deploy", "prod-apply", f"{THERE}-dev-apply", f"{THERE}-dev-deploy"}


@pytest.mark.parametrize("wanted", NEVER, ids=lambda wanted: f"{wanted.action}-{wanted.resource[-40:]}")
def test_what_is_forbidden_is_granted_to_no_role_of_dev(policies: dict[str, Any], wanted: Any) -> None:
    ours = {
        name: documents for name, documents in policies.items() if name.removeprefix(f"{THERE}-").startswith("dev-")
    }
    assert [name for name, documents in ours.items() if iam.allows(documents, wanted)] == []


def test_keys_are_used_through_the_services_that_keep_the_stores_alone(
    project: AppliedTooling, policies: dict[str, Any]
) -> None:
    kms = client(project.sandbox, "kms")
    keys = {env: kms.describe_key(KeyId=f"alias/acme-tf-use1-{env}")["KeyMetadata"]["Arn"] for env in ("dev", "prod")}
    through_s3 = {"kms:ViaService": "s3.us-east-1.amazonaws.com"}
    assert iam.allows(policies["dev-plan"], AccessRequest("kms:Decrypt", keys["dev"], through_s3))
    assert not iam.allows(policies["dev-plan"], AccessRequest("kms:Decrypt", keys["dev"]))
    assert not iam.allows(policies["dev-plan"], AccessRequest("kms:Decrypt", keys["prod"], through_s3))
    assert not iam.allows(policies["dev-plan"], AccessRequest("kms:ScheduleKeyDeletion", keys["dev"], through_s3))


def test_no_statement_is_about_everything(policies: dict[str, Any]) -> None:
    for name, documents in policies.items():
        for statement in (s for document in documents for s in document["Statement"]):
            assert statement["Effect"] == "Allow", name
            assert "*" not in _listed(statement["Resource"]), (name, statement)
            assert not [action for action in _listed(statement["Action"]) if action.endswith(":*")], (name, statement)


# People -------------------------------------------------------------------------------------------------------------


def _managed(project: AppliedTooling, name: str) -> dict[str, Any]:
    return _document(client(project.sandbox, "iam"), f"arn:aws:iam::000000000000:policy/{name}")


def _push(ref: str) -> Any:
    return AccessRequest("codecommit:GitPush", REPOSITORY, {"codecommit:References": ref})


@pytest.mark.parametrize(
    ("ref", "pushed_by"),
    [
        ("refs/tags/dev_us-east-1/research/1.0", {"dev-tagger"}),
        ("refs/tags/prod_us-east-1/research/1.0", {"prod-tagger"}),
        ("refs/tags/prod2_us-east-1/research/1.0", set()),
        ("refs/tags/production_us-east-1/research/1.0", set()),
        ("refs/heads/prod_us-east-1/research/1.0", {"committer"}),
        ("refs/heads/feature", {"committer"}),
        ("refs/heads/main", set()),
    ],
)
def test_who_may_push_what(project: AppliedTooling, ref: str, pushed_by: set[str]) -> None:
    names = ("committer", "dev-tagger", "prod-tagger")
    found = {name for name in names if iam.allows([_managed(project, f"acme-tf-use1-{name}")], _push(ref))}
    assert found == pushed_by


def _ask(env: str, **context: str) -> Any:
    said = {"events:source": f"orchestrate.acme-tf-use1-{env}", "events:detail-type": tooling.ASKED, **context}
    return AccessRequest("events:PutEvents", "arn:aws:events:us-east-1:000000000000:event-bus/default", said)


def test_only_submit_asks_itself_anew_where_there_is_no_room(policies: dict[str, Any]) -> None:
    assert {name for name, documents in policies.items() if iam.allows(documents, _ask("dev"))} == {"dev-submit"}


def test_who_asks_for_releases_can_name_tags_of_one_environment_and_nothing_else(project: AppliedTooling) -> None:
    releaser = [_managed(project, "acme-tf-use1-dev-releaser")]
    assert iam.allows(releaser, _ask("dev"))
    assert iam.allows(releaser, AccessRequest("dynamodb:Query", LEDGER))
    assert iam.allows(releaser, AccessRequest("codepipeline:ListActionExecutions", PIPELINE))
    assert iam.allows(releaser, AccessRequest("codebuild:ListBuildsForProject", f"{PROJECT}-submit"))
    for wanted in (
        AccessRequest("codebuild:BatchGetBuilds", f"{PROJECT}-apply"),
        _ask("prod"),
        _ask("dev", **{"events:detail-type": "CodeCommit Repository State Change"}),
        AccessRequest("codebuild:StartBuild", f"{PROJECT}-submit"),
        AccessRequest("codepipeline:StartPipelineExecution", PIPELINE),
        AccessRequest("codepipeline:PutApprovalResult", f"{PIPELINE}/Approve/Approve-1"),
        AccessRequest("s3:PutObject", f"{RELEASES}/sources/x.zip"),
        AccessRequest("s3:GetObject", STATE),
        _keyed("dynamodb:PutItem", LEDGER, "target#research/dev-global"),
        AccessRequest("sts:AssumeRole", _role("111111111111", "InfraPlanRole")),
    ):
        assert not iam.allows(releaser, wanted), wanted


def test_approvers_answer_for_their_environment_alone(project: AppliedTooling) -> None:
    approver = [_managed(project, "acme-tf-use1-prod-approver")]
    pipeline = "arn:aws:codepipeline:us-east-1:000000000000:acme-tf-use1-prod"
    assert iam.allows(approver, AccessRequest("codepipeline:PutApprovalResult", f"{pipeline}/Approve/Approve-1"))
    assert not iam.allows(approver, AccessRequest("codepipeline:PutApprovalResult", f"{PIPELINE}/Approve/Approve-1"))
    for action in ("StartPipelineExecution", "UpdatePipeline", "OverrideStageCondition", "StopPipelineExecution"):
        assert not iam.allows(approver, AccessRequest(f"codepipeline:{action}", pipeline))


@pytest.mark.parametrize(("policy", "team", "granted"), [("approver", None, True), ("team-approver", "risk", False)])
def test_who_approves_for_one_team_reads_the_receipts_of_that_team_alone(
    project: AppliedTooling, policy: str, team: str | None, granted: bool
) -> None:
    document = _managed(project, f"acme-tf-use1-dev-{policy}")
    own = {} if team is None else {"aws:PrincipalTag/team": team}
    receipt = f"{RELEASES}/receipts/research/dev-global/1.json"
    assert iam.allows([document], AccessRequest("s3:GetObject", receipt, own)) == granted
    assert iam.allows([document], AccessRequest("s3:GetObject", receipt, {**own, "aws:PrincipalTag/team": "research"}))


def test_who_proposes_changes_does_not_change_who_must_approve_them(project: AppliedTooling) -> None:
    committer = [_managed(project, "acme-tf-use1-committer")]
    assert iam.allows(committer, AccessRequest("codecommit:UpdatePullRequestTitle", REPOSITORY))
    for action in ("UpdatePullRequestApprovalRuleContent", "MergePullRequestByFastForward", "PutFile", "DeleteBranch"):
        assert not iam.allows(committer, AccessRequest(f"codecommit:{action}", REPOSITORY)), action


ALICE = {"aws:userid": "AROAALICE:alice"}


@pytest.mark.parametrize(
    ("policy", "key", "tags", "granted"),
    [
        ("approver", "approval#AROAALICE:alice#research", {}, True),
        ("approver", "approval#AROABOB:bob#research", {}, False),
        ("approver", "approval#AROAALICE:alice", {}, False),
        ("approver", "target#research/prod-global", {}, False),
        ("approver", "tag#prod_global/research/1.0", {}, False),
        ("approver", "lease#research/prod-global", {}, False),
        ("team-approver", "approval#AROAALICE:alice#research", {"aws:PrincipalTag/team": "research"}, True),
        ("team-approver", "approval#AROAALICE:alice#risk", {"aws:PrincipalTag/team": "research"}, False),
        ("team-approver", "approval#AROAALICE:alice#research", {}, False),
        ("team-approver", "approval#AROABOB:bob#research", {"aws:PrincipalTag/team": "research"}, False),
    ],
)
def test_people_answer_in_their_own_name_and_write_nothing_else(
    project: AppliedTooling, policy: str, key: str, tags: dict[str, str], granted: bool
) -> None:
    ledger, document = f"{TABLES}/acme-tf-use1-ledger-prod", _managed(project, f"acme-tf-use1-prod-{policy}")
    context = {**ALICE, **tags, "dynamodb:LeadingKeys": [key]}
    assert iam.allows([document], AccessRequest("dynamodb:PutItem", ledger, context)) == granted
    for action in ("DeleteItem", "UpdateItem", "BatchWriteItem", "PartiQLInsert"):
        assert not iam.allows([document], AccessRequest(f"dynamodb:{action}", ledger, context))


SECURITY = "arn:aws:sns:eu-west-1:000000000000:security"
SECURITY_KEY = "arn:aws:kms:eu-west-1:000000000000:key/of-the-topic"


def _encrypt(topic: str, via: str = "sns.eu-west-1.amazonaws.com", key: str = SECURITY_KEY) -> Any:
    return AccessRequest(
        "kms:GenerateDataKey", key, {"kms:EncryptionContext:aws:sns:topicArn": topic, "kms:ViaService": via}
    )


def test_a_broken_glass_is_told_by_who_breaks_it_and_by_who_applies_and_to_that_topic_alone(
    project: AppliedTooling, policies: dict[str, Any]
) -> None:
    teller = [AccessRequest("sns:Publish", SECURITY), _encrypt(SECURITY)]
    assert {name for name, documents in policies.items() if all(iam.allows(documents, w) for w in teller)} == {
        "prod-apply"
    }
    for policy in ("approver", "team-approver"):
        assert all(iam.allows([_managed(project, f"acme-tf-use1-prod-{policy}")], wanted) for wanted in teller)
        assert not any(iam.allows([_managed(project, f"acme-tf-use1-dev-{policy}")], wanted) for wanted in teller)
    for wanted in (
        AccessRequest("sns:Publish", "arn:aws:sns:eu-west-1:000000000000:another"),
        AccessRequest("sns:Subscribe", SECURITY),
        _encrypt("arn:aws:sns:eu-west-1:000000000000:another"),
        _encrypt(SECURITY, via="s3.eu-west-1.amazonaws.com"),
        _encrypt(SECURITY, key="arn:aws:kms:eu-west-1:999999999999:key/of-the-topic"),
        AccessRequest("kms:GenerateDataKey", SECURITY_KEY),
    ):
        assert not iam.allows(policies["prod-apply"], wanted), wanted
        assert not iam.allows([_managed(project, "acme-tf-use1-prod-approver")], wanted), wanted


def test_people_can_do_all_that_the_commands_for_people_need(policies: dict[str, Any]) -> None:
    """`rollback --preview`, `recover` and `unlock` for who plans; `adopt`, and all of `recover`, for who applies."""
    looks = [
        AccessRequest("s3:GetObject", STATE),
        AccessRequest("s3:GetObject", f"{RELEASES}/receipts/research/dev-global/1.json"),
        AccessRequest("sts:AssumeRole", _role("111111111111", "InfraPlanRole")),
        _keyed("dynamodb:UpdateItem", LEDGER, "lease#research/dev-us-east-1"),
        _keyed("dynamodb:PutItem", LEDGER, "lease#research/dev-us-east-1"),
        _keyed("dynamodb:ConditionCheckItem", LEDGER, "lease#research/dev-us-east-1"),
        _keyed("dynamodb:DeleteItem", LOCKS, LOCK_ID),
        AccessRequest("dynamodb:GetItem", LOCKS),
        AccessRequest("s3:DeleteObject", f"{STATE}.tflock"),
        AccessRequest("codebuild:BatchGetBuilds", f"{PROJECT}-apply"),
    ]
    writes = [
        AccessRequest("s3:PutObject", STATE),
        _keyed("dynamodb:PutItem", LOCKS, f"{LOCK_ID}-md5"),
        AccessRequest("s3:PutObject", f"{RELEASES}/recovered/research/dev-us-east-1/1.tfstate"),
        AccessRequest("s3:GetObject", f"{RELEASES}/recovered/research/dev-us-east-1/1.tfstate"),
    ]
    assert [wanted for wanted in looks if not iam.allows(policies["dev-people"], wanted)] == []
    assert [wanted for wanted in writes if iam.allows(policies["dev-people"], wanted)] == []
    assert [wanted for wanted in looks + writes if not iam.allows(policies["dev-deploy"], wanted)] == []


# Who may take which role --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "service", "source", "taken"),
    [
        ("apply", "codebuild.amazonaws.com", f"{PROJECT}-apply", True),
        ("apply", "codebuild.amazonaws.com", f"{PROJECT}-lint", False),
        ("apply", "codebuild.amazonaws.com", "arn:aws:codebuild:us-east-1:000000000000:project/somebodys", False),
        ("apply", "codepipeline.amazonaws.com", f"{PROJECT}-apply", False),
        ("check", "codebuild.amazonaws.com", f"{PROJECT}-scan", True),
        ("runner", "codepipeline.amazonaws.com", PIPELINE, True),
    ],
)
def test_a_steps_role_is_taken_by_the_builds_of_that_step_alone(
    project: AppliedTooling, role: str, service: str, source: str, taken: bool
) -> None:
    found = client(project.sandbox, "iam").get_role(RoleName=f"acme-tf-use1-dev-{role}")["Role"]
    document = json.dumps(found["AssumeRolePolicyDocument"])
    context = {"aws:SourceAccount": "000000000000", "aws:SourceArn": source}
    access = Access("000000000000", frozenset({service}), "sts:AssumeRole", None, context, service)
    assert trusts(document, access) == taken
    elsewhere = replace(access, account="999999999999", context={**context, "aws:SourceAccount": "999999999999"})
    assert not trusts(document, elsewhere)


@pytest.fixture(scope="module")
def trusted(project: AppliedTooling) -> dict[tuple[str, str], set[str]]:
    """By environment and kind of role, whom a workload account of research is made to trust.

    That nobody else may take the roles then, test_deploy_roles.py shows; test_accounts.py makes them.
    """
    found = project.ok("accounts", "--team", "research")["accounts"]
    assert [account["account"] for account in found] == ["111111111111", "333333333333"]
    return {
        (account["env"], kind): set(account["variables"][f"{kind}_trusted_role_arns"])
        for account in found
        for kind in ("plan", "build")
    }


def _arns(env: str, *roles: str, stem: str = "acme-tf-use1") -> set[str]:
    return {_role("000000000000", f"{stem}-{env}-{role}") for role in roles}


def test_where_anything_may_be_applied_from_anywhere_people_have_a_role_for_it(
    trusted: dict[tuple[str, str], set[str]],
) -> None:
    planning, applying = ("plan", "people", "deploy"), ("apply", "deploy")
    assert trusted["dev", "plan"] == _arns("dev", *planning) | _arns("dev", *planning, stem=THERE)
    assert trusted["dev", "build"] == _arns("dev", *applying) | _arns("dev", *applying, stem=THERE)


def test_with_apply_from_pipeline_the_build_role_trusts_the_apply_step_alone(
    trusted: dict[tuple[str, str], set[str]],
) -> None:
    assert trusted["prod", "plan"] == _arns("prod", "plan", "people")
    assert trusted["prod", "build"] == _arns("prod", "apply")


def test_the_roles_that_workload_accounts_trust_are_there(
    project: AppliedTooling, trusted: dict[tuple[str, str], set[str]]
) -> None:
    pages = client(project.sandbox, "iam").get_paginator("list_roles").paginate()
    assert set.union(*trusted.values()) <= {role["Arn"] for page in pages for role in page["Roles"]}


def _document(service: Any, arn: str) -> dict[str, Any]:
    version = service.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return dict(service.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


# What there is -------------------------------------------------------------------------------------------------------


def _pipelines(sandbox: Any, region: str) -> dict[str, Any]:
    service = client(sandbox, "codepipeline", region=region)
    names = [found["name"] for found in service.list_pipelines()["pipelines"]]
    return {name: service.get_pipeline(name=name)["pipeline"] for name in names}


def _rules(sandbox: Any, region: str) -> dict[str, Any]:
    found = client(sandbox, "events", region=region).list_rules()["Rules"]
    return {rule["Name"]: json.loads(rule["EventPattern"]) for rule in found}


def test_what_is_applied_stays_as_it_is(project: AppliedTooling) -> None:
    """Only what a colleague's edit of the package itself changes may differ: its hash is part of every build."""
    (planned,) = project.ok("tooling", "plan", "--region", "us-east-1")["tooling"]
    package = ("aws_s3_object.package", "aws_codebuild_project")
    assert [address for address in planned["resources"] if not any(name in address for name in package)] == []


def test_python_and_terraform_use_the_same_names(project: AppliedTooling) -> None:
    rules = read_worktree_rules(project.folder)
    service = client(project.sandbox, "iam")
    roles = {
        role["RoleName"]: role["Arn"]
        for page in service.get_paginator("list_roles").paginate()
        for role in page["Roles"]
    }
    projects = client(project.sandbox, "codebuild").list_projects()["projects"]
    for pipeline in tooling.pipelines(rules, "us-east-1"):
        assert pipeline.name in _pipelines(project.sandbox, "us-east-1")
        assert {
            pipeline.submit_project,
            *(f"{pipeline.name}-{step.name}" for step in stages.stages_of(()) if step.role),
        } <= set(projects)
        for kind in ("submit", "check", "plan", "apply", "verify", "runner", "events", "people"):
            assert roles[pipeline.role_name(kind)] == pipeline.role_arn(kind)


def test_a_pipeline_has_the_stages_in_order_and_approvals_where_asked(project: AppliedTooling) -> None:
    found = _pipelines(project.sandbox, "us-east-1")
    names = {name: [stage["name"] for stage in pipeline["stages"]] for name, pipeline in found.items()}
    assert names["acme-tf-use1-prod"] == ["Source", *(stage.action for stage in stages.stages_of(()))]
    assert names["acme-tf-use1-dev"] == ["Source", *(stage.action for stage in stages.stages_of(()) if stage.role)]
    for pipeline in found.values():
        assert (pipeline["pipelineType"], pipeline["executionMode"]) == ("V2", "PARALLEL")
        source = pipeline["stages"][0]["actions"][0]["configuration"]
        assert (source["PollForSourceChanges"], source["AllowOverrideForS3ObjectKey"]) == ("false", "true")


def test_each_stage_of_the_pipeline_is_as_the_table_has_it(project: AppliedTooling) -> None:
    """Its project, the role of that, what it takes and hands on, and whether a plan without changes skips it."""
    (found,) = (p for name, p in _pipelines(project.sandbox, "us-east-1").items() if name == "acme-tf-use1-prod")
    there = {stage["name"]: stage for stage in found["stages"]}
    all_of_it = stages.stages_of(())
    names = [stage.name for stage in all_of_it]
    handing_on = {name for stage in all_of_it for name in stage.takes}
    for stage in all_of_it:
        assert ("beforeEntry" in there[stage.action]) == stage.with_changes, stage.name
        if stage.role is None:
            continue
        (action,) = there[stage.action]["actions"]
        assert action["configuration"]["ProjectName"] == f"acme-tf-use1-prod-{stage.name}"
        assert [taken["name"] for taken in action["inputArtifacts"]] == [
            "source",
            *(name for name in stage.takes if name in names),
        ]
        outputs = [made["name"] for made in action.get("outputArtifacts", [])]
        assert outputs == ([stage.name] if stage.name in handing_on else []), stage.name


def test_each_build_of_the_pipeline_has_the_role_of_the_table(project: AppliedTooling) -> None:
    service = client(project.sandbox, "codebuild")
    names = [f"acme-tf-use1-dev-{stage.name}" for stage in stages.stages_of(()) if stage.role]
    roles = {found["name"]: found["serviceRole"] for found in service.batch_get_projects(names=names)["projects"]}
    (pipeline,) = (p for p in tooling.pipelines(read_worktree_rules(project.folder), "us-east-1") if p.env == "dev")
    assert roles == {
        f"{pipeline.name}-{stage.name}": pipeline.role_arn(stage.role) for stage in stages.stages_of(()) if stage.role
    }


def test_an_approval_shows_the_plan_and_ends_with_it(project: AppliedTooling) -> None:
    pipeline = _pipelines(project.sandbox, "us-east-1")["acme-tf-use1-prod"]
    stage = next(stage for stage in pipeline["stages"] if stage["name"] == "Approve")
    (action,) = stage["actions"]
    assert action["configuration"]["CustomData"] == "#{plan.MESSAGE}"
    assert action["configuration"]["ExternalEntityLink"] == "#{plan.RECEIPT_URL}"
    assert action["timeoutInMinutes"] == 24 * 60
    (condition,) = stage["beforeEntry"]["conditions"]
    assert condition["result"] == "SKIP"
    assert condition["rules"][0]["configuration"] == {"Operator": "EQ", "Value": "true", "Variable": "#{plan.CHANGES}"}


@pytest.mark.parametrize(
    ("name", "started"),
    [
        ("dev_us-east-1/research/1.0", ["acme-tf-use1-dev-tags"]),
        ("prod_us-east-1/research/1.0", ["acme-tf-use1-prod-tags"]),
        ("prod2_us-east-1/research/1.0", []),
        ("production_us-east-1/research/1.0", []),
        ("xprod_us-east-1/research/1.0", []),
        ("1.0", []),
    ],
)
def test_a_tag_starts_exactly_its_environments_pipeline(project: AppliedTooling, name: str, started: list[str]) -> None:
    assert _matching(project, name, "tag", "referenceCreated") == started


def test_a_branch_named_like_a_tag_starts_nothing_and_a_moved_tag_is_looked_at(project: AppliedTooling) -> None:
    assert _matching(project, "dev_us-east-1/research/1.0", "branch", "referenceCreated") == []
    assert _matching(project, "dev_us-east-1/research/1.0", "tag", "referenceUpdated") == ["acme-tf-use1-dev-moved"]
    assert _matching(project, "dev_us-east-1/research/1.0", "tag", "referenceDeleted") == []


def _matching(project: AppliedTooling, name: str, kind: str, event: str) -> list[str]:
    """As EventBridge matches: every listed field is one of its values, a `prefix` begins the field.

    Every push starts the copy to the other Region, whatever its name.
    """
    found = []
    for rule, pattern in _rules(project.sandbox, "us-east-1").items():
        if pattern["source"] == ["aws.codecommit"] and rule != "acme-tf-use1-tooling-copy":
            detail = pattern["detail"]
            prefixes = tuple(one["prefix"] for one in detail["referenceName"])
            if event in detail["event"] and kind in detail["referenceType"] and name.startswith(prefixes):
                found.append(rule)
    return found


def test_a_release_that_is_asked_for_starts_exactly_its_environments_submit(project: AppliedTooling) -> None:
    events = client(project.sandbox, "events")
    pattern = _rules(project.sandbox, "us-east-1")["acme-tf-use1-dev-asked"]
    (pipeline,) = [p for p in tooling.pipelines(read_worktree_rules(project.folder), "us-east-1") if p.env == "dev"]
    assert (pattern["source"], pattern["detail-type"]) == ([pipeline.asked_source], [tooling.ASKED])
    for tag, matches in (("dev_global/research/1.0", True), ("prod_global/research/1.0", False)):
        event: dict[str, Any] = {
            "id": "1",
            "account": "000000000000",
            "time": "2026-01-01T00:00:00Z",
            "region": "us-east-1",
        }
        event |= {
            "source": pipeline.asked_source,
            "detail-type": tooling.ASKED,
            "resources": [],
            "detail": {"tag": tag},
        }
        answer = events.test_event_pattern(EventPattern=json.dumps(pattern), Event=json.dumps(event))
        assert answer["Result"] is matches
    (target,) = events.list_targets_by_rule(Rule="acme-tf-use1-dev-asked")["Targets"]
    assert target["Arn"].endswith(":project/acme-tf-use1-dev-submit")


def test_events_that_cannot_be_delivered_are_kept_and_told(project: AppliedTooling) -> None:
    events = client(project.sandbox, "events")
    (target,) = events.list_targets_by_rule(Rule="acme-tf-use1-dev-tags")["Targets"]
    assert target["RetryPolicy"] == {"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 86400}
    assert target["DeadLetterConfig"]["Arn"].endswith(":acme-tf-use1-dev-undelivered")
    alarms = client(project.sandbox, "cloudwatch").describe_alarms(AlarmNames=["acme-tf-use1-dev-undelivered"])
    assert alarms["MetricAlarms"][0]["AlarmActions"] == ["arn:aws:sns:us-east-1:000000000000:acme-tf-use1-dev"]


def test_the_builds_install_what_was_uploaded_by_its_hash(project: AppliedTooling) -> None:
    (build,) = client(project.sandbox, "codebuild").batch_get_projects(names=["acme-tf-use1-dev-plan"])["projects"]
    told = {variable["name"]: variable["value"] for variable in build["environment"]["environmentVariables"]}
    bucket, _, prefix = told["ORCHESTRATE_PACKAGE"].removeprefix("s3://").partition("/")
    assert (bucket, prefix) == ("acme-tf-use1-releases-dev", f"tooling/{told['ORCHESTRATE_SHA256']}/")
    listed = client(project.sandbox, "s3").list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
    names = {item["Key"].removeprefix(prefix) for item in listed}
    assert "requirements.txt" in names
    assert any(name.startswith("orchestrate-") for name in names)
    assert "orchestrate step plan" in build["source"]["buildspec"]


def test_without_its_stores_an_environment_has_no_pipeline(project: AppliedTooling, tmp_path: Path) -> None:
    config = project.folder / "envs/qa.yaml"
    config.write_text((project.folder / "envs/dev.yaml").read_text().replace("1111", "5555").replace("2222", "6666"))
    try:
        done = project.run("tooling", "plan")
    finally:
        config.unlink()
    assert done.code == 4
    assert "orchestrate bootstrap --env qa" in done.err
