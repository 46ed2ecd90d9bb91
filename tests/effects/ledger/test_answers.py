"""Answers to plans in the emulated DynamoDB, and who IAM says has given them."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from orchestrator.effects.aws.principals import genuine
from orchestrator.effects.aws.session import Session
from orchestrator.effects.ledger.answers import Answers
from orchestrator.effects.stores.table import TableStore
from orchestrator.errors import DependencyError, Refused
from orchestrator.model.approval.approval import Answer, Principal
from orchestrator.model.stores.settings import StoreSettings, wanted_table

ACCOUNT, REGION, TABLE = "000000000000", "us-east-1", "acme-tf-ledger-dev"
SAID = Answer(
    version=1,
    kind="approved",
    target="research/dev-global",
    tag="dev_global/research/1.0",
    commit="c",
    digest="d1",
    by=f"arn:aws:sts::{ACCOUNT}:assumed-role/Approvers/alice",
    user_id="AROAALICE:alice",
    at="2026-01-01T00:00:00+00:00",
    reason="",
)


@pytest.fixture(scope="module")
def aws(module_boto_env: None) -> Session:
    session = Session(REGION)
    store = StoreSettings("ledger_table", TABLE, "dev", REGION, ACCOUNT)
    TableStore(session, store).create(wanted_table(store, None))
    return session


@pytest.fixture
def answers(aws: Session) -> Answers:
    return Answers(aws, TABLE, REGION, "dev")


def changed(**fields: str) -> Answer:
    return msgspec.structs.replace(SAID, **fields)


def test_answers_are_found_by_the_plan_they_are_to(answers: Answers) -> None:
    mine, other = changed(digest="a"), changed(digest="a", user_id="AROABOB:bob")
    assert answers.of("a") == ()
    assert [answers.give(each) for each in (mine, other, changed(digest="b"))] == [True, True, True]
    assert set(answers.of("a")) == {mine, other}


def test_the_first_answer_stands(answers: Answers) -> None:
    first = changed(digest="twice")
    assert answers.give(first)
    assert answers.give(first), "a write that is repeated after its answer was lost"
    assert not answers.give(changed(digest="twice", reason="another"))
    assert answers.of("twice") == (first,)


def test_an_approval_and_a_rejection_of_one_person_are_two_answers(answers: Answers) -> None:
    both = [changed(digest="both"), changed(digest="both", kind="rejected")]
    assert all(answers.give(each) for each in both)
    assert set(answers.of("both")) == set(both)


@pytest.mark.parametrize(
    ("key", "body"),
    [
        ("approval#AROAMALLORY:mallory#research", SAID.encode().decode()),
        ("approval#AROAALICE:alice#risk", SAID.encode().decode()),
        ("approval#AROAALICE:alice#research", "{}"),
        ("approval#AROAALICE:alice#research", "no JSON"),
        ("approval#AROAALICE:alice#research", None),
        ("approval##research", changed(user_id="").encode().decode()),
        ("approval#AROAALICE:alice#research", changed(by="arn:\x1b[2Jalice").encode().decode()),
        ("target#research/dev-global", SAID.encode().decode()),
    ],
)
def test_what_orchestrate_has_not_written_there_is_refused(
    answers: Answers, aws: Session, key: str, body: str | None
) -> None:
    item: Any = {"pk": {"S": key}, "sk": {"S": "d1#approved"}, "digest": {"S": "d1"}}
    if body is not None:
        item["body"] = {"S": body}
    dynamodb = aws.client("dynamodb")
    dynamodb.put_item(TableName=TABLE, Item=item)
    with pytest.raises(Refused, match="is not one that orchestrate has written"):
        answers.of("d1")
    dynamodb.delete_item(TableName=TABLE, Key={name: item[name] for name in ("pk", "sk")})


def test_a_ledger_without_the_index_says_how_to_get_it(aws: Session) -> None:
    table = "acme-tf-ledger-old"
    keys: Any = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
    types: Any = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")]
    aws.client("dynamodb").create_table(
        TableName=table, KeySchema=keys, AttributeDefinitions=types, BillingMode="PAY_PER_REQUEST"
    )
    with pytest.raises(DependencyError, match="has no index answers") as error:
        Answers(aws, table, REGION, "old").of("d")
    assert error.value.hint == "Run `orchestrate bootstrap --env old`; it makes the index."


def test_a_table_that_does_not_exist(aws: Session) -> None:
    with pytest.raises(DependencyError, match="does not exist"):
        Answers(aws, "nowhere", REGION, "dev").of("d")


# Who has given them ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def role_id(aws: Session) -> str:
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    made = aws.client("iam").create_role(RoleName="Approvers", Path="/a/path/", AssumeRolePolicyDocument=trust)
    return made["Role"]["RoleId"]


@pytest.fixture(scope="module")
def alice_id(aws: Session) -> str:
    return aws.client("iam").create_user(UserName="alice", Path="/people/")["User"]["UserId"]


def session(role: str, name: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:sts::{account}:assumed-role/{role}/{name}"


def test_a_role_is_genuine_with_its_own_id_and_the_same_session(aws: Session, role_id: str) -> None:
    assert genuine(aws, Principal(session("Approvers", "alice"), f"{role_id}:alice"))
    assert not genuine(aws, Principal(session("Approvers", "alice"), f"{role_id}:bob"))
    assert not genuine(aws, Principal(session("Approvers", "alice"), "AROAOTHER:alice"))
    assert not genuine(aws, Principal(session("Unknown", "alice"), f"{role_id}:alice"))
    assert not genuine(aws, Principal(session("Approvers", "alice", "1" * 12), f"{role_id}:alice"))


@pytest.mark.parametrize(
    ("path", "same"),
    [
        ("/", False),
        ("/aws-reserved/", False),
        ("/x/aws-reserved/sso.amazonaws.com/", False),
        ("/aws-reserved/sso.amazonaws.com/", True),
        ("/aws-reserved/sso.amazonaws.com/eu-west-1/", True),
    ],
)
@pytest.mark.parametrize("name", ["AWSReservedSSO_Approvers_01", "awsreservedsso_approvers_02"])
def test_a_role_named_like_identity_centers_is_genuine_where_only_that_can_make_it(
    aws: Session, name: str, path: str, same: bool
) -> None:
    """Else whoever may create roles could be two approvers."""
    iam = aws.client("iam")
    role = iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument='{"Version": "2012-10-17"}')["Role"]
    assert genuine(aws, Principal(session(name, "bob"), f"{role['RoleId']}:bob")) is same
    iam.delete_role(RoleName=name)


def test_a_user_is_genuine_with_its_own_id(aws: Session, alice_id: str) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:user/people/alice"
    assert genuine(aws, Principal(arn, alice_id))
    assert not genuine(aws, Principal(arn, "AIDAOTHER"))
    assert not genuine(aws, Principal(arn.replace("alice", "bob"), alice_id))


def test_the_account_itself(aws: Session) -> None:
    assert genuine(aws, Principal(f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT))
    assert not genuine(aws, Principal(f"arn:aws:iam::{ACCOUNT}:root", "1" * 12))
    assert not genuine(aws, Principal(f"arn:aws:sts::{ACCOUNT}:federated-user/alice", f"{ACCOUNT}:alice"))
