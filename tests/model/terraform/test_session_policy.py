"""What Terraform's own session may do."""

from __future__ import annotations

import json

import pytest

from orchestrator.errors import InvalidInput
from orchestrator.model.rules.backend import Backend
from orchestrator.model.rules.rules import Rules
from orchestrator.model.rules.tag import Tag
from orchestrator.model.rules.target import Target, locate
from orchestrator.model.terraform.session_policy import session_policy, session_roles
from tests.support.git_project import RULES
from tests.support.iam_evaluation import AccessRequest, allows

STATE = "arn:aws:s3:::acme-tf-dev/research/dev-us-east-1/terraform.tfstate"
TABLE = "arn:aws:dynamodb:us-east-1:000000000000:table/acme-tf-lock-dev"
ITEM = "acme-tf-dev/research/dev-us-east-1/terraform.tfstate"
PLAN, APPLY = (f"arn:aws:iam::111111111111:role/{name}" for name in ("InfraPlanRole", "InfraBuildRole"))
OTHERS = [
    Backend("acme-tf-dev", "risk/dev-us-east-1/terraform.tfstate", "us-east-1", None, True),
    Backend("acme-tf-net", "net/net-global/terraform.tfstate", "us-east-1", None, True),
]


def rules(**state: str) -> Rules:
    files = {name: text for name, text in RULES.items() if name.startswith("envs/")}
    more = "".join(f", {key}: {value}" for key, value in state.items())
    project = files["envs/orchestrate.yaml"].replace("region: us-east-1}", f"region: us-east-1{more}}}")
    trusted = project.replace('"000000000000"', '"000000000000", trusted_roles: {plan: [Ci], apply: [Cd]}')
    return Rules.parse({**files, "envs/orchestrate.yaml": trusted})


def target(found: Rules) -> Target:
    return locate(Tag.parse("dev_us-east-1/research/1.0"), found)


def policy(*readable: Backend, apply: bool = False, **state: str) -> str:
    found = rules(**state)
    return session_policy(found, target(found), readable, apply=apply)


def may(document: str, action: str, resource: str, *keys: str, via: str = "") -> bool:
    context = {"dynamodb:LeadingKeys": list(keys)} if keys else {}
    return allows([json.loads(document)], AccessRequest(action, resource, {**context, "kms:ViaService": via}))


@pytest.mark.parametrize("apply", [False, True])
def test_it_reaches_the_state_and_the_locks_of_its_target(apply: bool) -> None:
    given = policy(apply=apply)
    assert may(given, "s3:GetObject", STATE)
    assert may(given, "s3:PutObject", STATE) is apply
    assert may(given, "s3:DeleteObject", STATE) is False
    assert all(may(given, f"s3:{verb}Object", f"{STATE}.tflock") for verb in ("Get", "Put", "Delete"))
    assert all(may(given, f"dynamodb:{verb}Item", TABLE, ITEM) for verb in ("Get", "Put", "Delete"))
    assert may(given, "dynamodb:GetItem", TABLE, f"{ITEM}-md5")
    assert may(given, "dynamodb:PutItem", TABLE, f"{ITEM}-md5") is apply


@pytest.mark.parametrize("apply", [False, True])
def test_it_takes_the_one_role_of_its_account(apply: bool) -> None:
    given = policy(apply=apply)
    assert may(given, "sts:AssumeRole", APPLY if apply else PLAN)
    assert not may(given, "sts:AssumeRole", PLAN if apply else APPLY)
    assert not may(given, "sts:AssumeRole", PLAN.replace("1" * 12, "2" * 12))


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:GetObject", STATE.replace("research", "risk")),
        ("s3:GetObject", "arn:aws:s3:::acme-tf-releases-dev/plans/x"),
        ("s3:GetObjectVersion", STATE),
        ("dynamodb:Scan", TABLE),
        ("dynamodb:GetItem", TABLE.replace("lock", "ledger")),
        ("iam:CreateUser", "*"),
        ("ssm:GetParameter", "*"),
    ],
)
def test_it_reaches_nothing_else(action: str, resource: str) -> None:
    assert not may(policy(apply=True), action, resource, ITEM)
    assert not may(policy(apply=True), "dynamodb:PutItem", TABLE, ITEM.replace("research", "risk"))


def test_keys_are_used_through_the_stores_alone_and_only_where_there_is_one() -> None:
    assert may(policy(), "kms:Decrypt", "*", via="s3.us-east-1.amazonaws.com")
    assert not may(policy(), "kms:Decrypt", "*", via="secretsmanager.us-east-1.amazonaws.com")
    assert "kms" not in policy(encryption="s3")


def test_locks_are_those_that_the_rules_name() -> None:
    assert "acme-tf-lock" not in policy(locking="s3")
    assert "tflock" not in policy(locking="dynamodb")


def test_states_that_the_rules_list_are_read_and_not_written() -> None:
    given = policy(*OTHERS, apply=True)
    for state in OTHERS:
        assert may(given, "s3:GetObject", f"arn:aws:s3:::{state.bucket}/{state.key}")
        assert not may(given, "s3:PutObject", f"arn:aws:s3:::{state.bucket}/{state.key}")
        assert may(given, "s3:ListBucket", f"arn:aws:s3:::{state.bucket}")
    assert policy(target(rules()).backend) == policy()


def test_what_aws_would_not_take_is_refused() -> None:
    many = [Backend("acme-tf-dev", f"team{n}/dev-us-east-1/terraform.tfstate", "r", None, True) for n in range(40)]
    with pytest.raises(InvalidInput, match=r"characters; AWS allows 2048"):
        policy(*many)
    assert len(policy(*OTHERS, apply=True)) < 2048


@pytest.mark.parametrize(
    ("caller", "first"),
    [("acme-tf-dev-plan/b", "acme-tf-dev-plan"), ("Cd/x", "Cd"), ("AWSReservedSSO_Admin_1/ana", None), ("Ci", None)],
)
def test_the_role_is_the_callers_own_where_that_is_the_toolings_and_else_the_one_for_people(
    caller: str, first: str | None
) -> None:
    arn = f"arn:aws:sts::000000000000:assumed-role/{caller}"
    for apply, kind in ((False, "people"), (True, "deploy")):
        found = session_roles(rules(), target(rules()), arn, apply=apply)
        names = [role.rpartition("/")[2] for role in found]
        assert names == [*([first] if first else []), f"acme-tf-dev-{kind}"]
