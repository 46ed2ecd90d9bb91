from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrate_sandbox.moto_additions.policies import Access, allows

ME = "111111111111"
ROLE = f"arn:aws:iam::{ME}:role/Plan"
GET = Access(ME, frozenset({ROLE}), "s3:GetObject", "arn:aws:s3:::b/a/k", {"sts:ExternalId": "acme", "flag": "true"})


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(**changes: Any) -> dict[str, Any]:
    usual = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}
    statement = {**usual, **changes}
    return {name: value for name, value in statement.items() if value is not None}


@pytest.mark.parametrize(
    "principal",
    ["*", {"AWS": "*"}, {"AWS": ME}, {"AWS": f"arn:aws:iam::{ME}:root"}, {"AWS": ["222222222222", ROLE]}],
)
def test_principals_that_are_the_caller(principal: object) -> None:
    assert allows(policy(allow(Principal=principal)), GET)


@pytest.mark.parametrize(
    "principal",
    [
        None,
        {},
        {"AWS": []},
        {"AWS": "222222222222"},
        {"AWS": "arn:aws:iam::222222222222:root"},
        {"AWS": f"arn:aws:iam::{ME}:role/Other"},
        {"Service": "codebuild.amazonaws.com"},
    ],
)
def test_principals_that_are_others(principal: object) -> None:
    assert not allows(policy(allow(Principal=principal)), GET)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"Action": "s3:*"}, True),
        ({"Action": ["s3:PutObject", "S3:getobject"]}, True),
        ({"Action": "s3:Put*"}, False),
        ({"Action": None, "NotAction": "s3:Put*"}, True),
        ({"Action": None, "NotAction": "s3:*"}, False),
        ({"Action": None}, False),
        ({"Resource": "arn:aws:s3:::b/a/?"}, True),
        ({"Resource": "arn:aws:s3:::b/[a]/k"}, False),
        ({"Resource": "arn:aws:s3:::b"}, False),
        ({"Resource": None, "NotResource": "arn:aws:s3:::b/z/*"}, True),
        ({"Principal": None, "NotPrincipal": {"AWS": "222222222222"}}, True),
        ({"Principal": None, "NotPrincipal": {"AWS": ME}}, False),
    ],
)
def test_actions_and_resources(changes: dict[str, Any], expected: bool) -> None:
    assert allows(policy(allow(**changes)), GET) is expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"StringEquals": {"STS:externalid": "acme"}}, True),
        ({"StringEquals": {"sts:ExternalId": ["other", "acme"]}}, True),
        ({"StringEquals": {"sts:ExternalId": "other"}}, False),
        ({"StringEquals": {"sts:ExternalId": "acme", "missing": "x"}}, False),
        ({"StringLike": {"sts:ExternalId": "ac*"}, "Bool": {"flag": True}}, True),
        ({"StringNotEquals": {"sts:ExternalId": "acme"}}, False),
        ({"StringNotLike": {"missing": "x"}}, True),
        ({"ArnLike": {"sts:ExternalId": "x"}}, False),
        ({"ArnNotEquals": {"sts:ExternalId": "x"}}, True),
        ({"Bool": {"missing": "false"}}, False),
        ({"DateLessThan": {"aws:CurrentTime": "2099-01-01T00:00:00Z"}}, False),
    ],
)
def test_conditions(condition: dict[str, Any], expected: bool) -> None:
    assert allows(policy(allow(Condition=condition)), GET) is expected


@pytest.mark.parametrize(
    ("condition", "keys", "expected"),
    [
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["env", "team"]}}, ("env", "team"), True),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["env", "team"]}}, ("env", "admin"), False),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["env"]}}, (), True),
        ({"ForAllValues:StringLike": {"sts:ExternalId": "ac*"}}, (), True),
        ({"ForAnyValue:StringLike": {"aws:TagKeys": "e*"}}, ("team", "env"), True),
        ({"ForAnyValue:StringLike": {"aws:TagKeys": "e*"}}, (), False),
        ({"ForAnyValue:StringLike": {"missing": "e*"}}, ("env",), False),
        ({"StringEquals": {"aws:TagKeys": "env"}}, ("env",), False),
        ({"ForNoValue:StringEquals": {"aws:TagKeys": "env"}}, ("env",), False),
    ],
)
def test_conditions_on_keys_with_several_values(
    condition: dict[str, Any], keys: tuple[str, ...], expected: bool
) -> None:
    access = replace(GET, context={**GET.context, "aws:TagKeys": keys})
    assert allows(policy(allow(Condition=condition)), access) is expected


def test_a_deny_wins() -> None:
    deny = allow(Effect="Deny", Resource="arn:aws:s3:::b/a/*")
    assert not allows(policy(allow(), deny), GET)
    assert allows(policy(allow(), {**deny, "Resource": "arn:aws:s3:::b/z/*"}), GET)


def test_a_deny_under_a_condition_that_cannot_be_judged_denies() -> None:
    unknown = {"DateLessThan": {"aws:CurrentTime": "2099-01-01T00:00:00Z"}}
    assert not allows(policy(allow(), allow(Effect="Deny", Condition=unknown)), GET)


def test_a_trust_policy_has_no_resource() -> None:
    trust = policy(allow(Resource=None, Action="sts:AssumeRole"))
    assert allows(trust, Access(ME, frozenset(), "sts:AssumeRole"))


@pytest.mark.slow
@given(st.one_of(st.none(), st.text(), st.recursive(st.text() | st.booleans(), st.lists).map(json.dumps)))
def test_what_is_no_policy_allows_nothing(document: str | None) -> None:
    assert not allows(document, GET)
