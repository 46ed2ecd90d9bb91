"""IAM documents in a plan."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.policy.iam_policy import documents, faults, planned_documents, unknown_documents
from orchestrator.model.terraform.planned import Action, ResourceChange

OURS, TOOLING, OTHER = "111111111111", "000000000000", "999999999999"
TRUSTED = frozenset({OURS, TOOLING})
GITHUB = f"arn:aws:iam::{OURS}:oidc-provider/token.actions.githubusercontent.com"


def found(statement: Any, resource_type: str = "aws_iam_policy") -> list[str]:
    document = {"Version": "2012-10-17", "Statement": statement}
    return [fault.rule for fault in faults(resource_type, {"policy": json.dumps(document)}, TRUSTED)]


def allow(**fields: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::x-{OURS}/*", **fields}


@pytest.mark.parametrize(
    "statement",
    [
        allow(Action="*"),
        allow(Action="*:*"),
        allow(Action=["s3:GetObject", "*"]),
        [allow(), allow(Action="*", Resource="*")],
        {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},
        allow(Action="s3:*", Resource="*"),
        allow(Action="S3:*", Resource=["*"]),
        allow(Action="iam:PassRole", Resource="*"),
        {"Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws:s3:::x"},
        allow(Action="iam:Pass*", Resource="*"),
        allow(Action="i?m:*Role", Resource="*"),
        allow(Action="*:PassRole", Resource=f"arn:aws:iam::{OURS}:role/*"),
        allow(Action="iam:PassRole", Resource="arn:*:iam::*:role/?*"),
        allow(Action="s3:?*", Resource="*"),
        allow(Action="s3:**", Resource="**"),
        allow(Action="s?:*", Resource="*"),
        allow(Action="?*:?*"),
        allow(Action="s3:*", Resource="arn:aws:s3:::*"),
        allow(Action="s3:*", Resource=["arn:aws:s3:::x", "arn:aws:s3:::*/*"]),
        allow(Action="dynamodb:*", Resource=f"arn:aws:dynamodb:*:{OURS}:table/*"),
        allow(Action="logs:*", Resource="arn:aws:logs:*:*:log-group:*:*"),
        allow(Action="sqs:*", Resource="arn:aws:sqs:*:*:*"),
    ],
)
def test_rights_to_everything_are_found(statement: Any) -> None:
    assert set(found(statement)) == {"iam_wildcard"}


@pytest.mark.parametrize(
    "statement",
    [
        allow(),
        allow(Action=["s3:Get*", "s3:List*"]),
        allow(Action="s3:*"),
        allow(Action="ec2:DescribeInstances", Resource="*"),
        allow(Action="iam:List*", Resource="*"),
        allow(Action="iam:PassRole", Resource=f"arn:aws:iam::{OURS}:role/team/*"),
        allow(Action="s3:*", Resource="arn:aws:s3:::bucket/*"),
        allow(Action="s3:*", Resource="arn:aws:s3:::dev-*"),
        allow(Action="dynamodb:*", Resource=f"arn:aws:dynamodb:*:{OURS}:table/dev-*"),
        allow(Action="logs:*", Resource="arn:aws:logs:*:*:log-group:mine:*"),
        allow(Action="*Object", Resource="*"),
        {"Effect": "Deny", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"},
        [],
        "nonsense",
    ],
)
def test_measured_rights_are_none(statement: Any) -> None:
    assert found(statement) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"Principal": "*"},
        {"Principal": {"AWS": "*"}},
        {"Principal": {"AWS": [f"arn:aws:iam::{OURS}:root", f"arn:aws:iam::{OTHER}:role/x"]}},
        {"Principal": {"AWS": OTHER}},
        {"Principal": {"AWS": "AROAEXAMPLEEXAMPLEXX"}},
        {"Principal": {"CanonicalUser": "79a59df900b949e55d96a1e698fbaced"}},
        {"NotPrincipal": {"AWS": f"arn:aws:iam::{OTHER}:root"}},
        {"Principal": "*", "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}},
        {"Principal": "*", "Condition": {"StringEquals": {"aws:SourceAccount": OTHER}}},
        {"Principal": "*", "Condition": {"StringNotEquals": {"aws:SourceAccount": OURS}}},
        {"Principal": "*", "Condition": {"StringEqualsIfExists": {"aws:SourceAccount": OURS}}},
        {"Principal": "*", "Condition": {"StringLike": {"aws:PrincipalArn": "*"}}},
        {"Principal": "*", "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/x"}}},
        {"Principal": "*", "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:topic"}}},
        {"Principal": "*", "Condition": {"StringEquals": {"aws:SourceAccount": []}}},
        {"Principal": {"Federated": GITHUB}},
        {
            "Principal": {"Federated": GITHUB},
            "Condition": {"StringLike": {"token.actions.githubusercontent.com:sub": "*"}},
        },
        {
            "Principal": {"Federated": GITHUB},
            "Condition": {"StringEquals": {"token.actions.githubusercontent.com:aud": "x"}},
        },
    ],
)
def test_outsiders_are_found(fields: dict[str, Any]) -> None:
    assert set(found(allow(**fields))) == {"iam_outside_principal"}


@pytest.mark.parametrize(
    "fields",
    [
        {"Principal": {"AWS": f"arn:aws:iam::{OURS}:root"}, "Action": "kms:*", "Resource": "*"},
        {"Principal": {"AWS": f"arn:aws-us-gov:iam::{TOOLING}:role/x"}},
        {"Principal": {"Service": "ec2.amazonaws.com"}},
        {"Principal": {"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"}},
        {"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}}},
        {"Principal": "*", "Condition": {"StringEquals": {"AWS:SourceAccount": [OURS, TOOLING]}}},
        {"Principal": "*", "Condition": {"ForAnyValue:StringEquals": {"aws:PrincipalAccount": OURS}}},
        {"Principal": "*", "Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:sns:us-east-1:{OURS}:*"}}},
        {"Principal": "*", "Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:s3:::bucket"}}},
        {
            "Principal": {"Federated": GITHUB},
            "Condition": {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:a/b:*"}},
        },
    ],
)
def test_our_own_and_bound_principals_are_none(fields: dict[str, Any]) -> None:
    assert found(allow(**fields)) == []


@pytest.mark.parametrize(
    ("resource_type", "values", "outside"),
    [
        ("aws_lambda_permission", {"principal": "*"}, True),
        ("aws_lambda_permission", {"principal": "*", "source_account": OURS}, False),
        ("aws_lambda_permission", {"principal": "s3.amazonaws.com"}, False),
        ("aws_lambda_permission", {"principal": OTHER}, True),
        ("aws_ami_launch_permission", {"account_id": OTHER}, True),
        ("aws_ram_principal_association", {"principal": f"arn:aws:organizations::{OTHER}:organization/o-1"}, False),
        ("aws_kms_grant", {"grantee_principal": f"arn:aws:iam::{OURS}:role/x"}, False),
        ("aws_s3_bucket", {"principal": OTHER}, False),
    ],
)
def test_attributes_that_are_principals(resource_type: str, values: dict[str, Any], outside: bool) -> None:
    assert bool(list(faults(resource_type, values, TRUSTED))) == outside


def test_documents_are_found_wherever_they_stand() -> None:
    text = json.dumps({"Statement": []})
    values = {
        "inline_policy": [{"policy": text}],
        "other": {"deep": [text.replace("S", "\\u0053")]},
        "no": '{"Statement"',
        "neither": "{}",
        "n": 3,
    }

    assert [path for path, _ in documents(values)] == ["inline_policy[0].policy", "other.deep[0]"]


def test_what_a_plan_would_write_is_told_to_access_analyzer_with_its_kind() -> None:
    identity, resource = (json.dumps({"Statement": allow(**f)}) for f in ({}, {"Principal": "*"}))

    def change(action: Action, **after: str) -> ResourceChange:
        return ResourceChange("aws_x.y", "aws_x", action, {}, after, {}, "")

    found = list(planned_documents([change("create", a=identity, b=resource), change("destroy", a=identity)]))

    assert [(d.address, d.attribute, d.kind) for d in found] == [
        ("aws_x.y", "a", "IDENTITY_POLICY"),
        ("aws_x.y", "b", "RESOURCE_POLICY"),
    ]
    assert json.loads(found[0].text) == json.loads(identity)


def test_only_policies_that_code_writes_are_named_as_unknown() -> None:
    assert unknown_documents("aws_s3_bucket_policy", {"policy": True}) == ["policy"]
    assert unknown_documents("aws_iam_role", {"assume_role_policy": True, "inline_policy": True}) == [
        "assume_role_policy"
    ]
    assert unknown_documents("aws_s3_bucket", {"policy": True}) == []
    assert unknown_documents("other_policy", {"policy": True}) == []


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["*", "Allow", "sts:AssumeRole"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Effect", "Action", "Principal", "Condition", "AWS", "StringEquals", "Federated", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(_JSON)
def test_no_document_however_odd_stops_the_judgement(statement: Any) -> None:
    found(statement if isinstance(statement, list) else [statement])
    found({"Effect": "Allow", "Principal": statement, "Condition": statement, "Action": statement})
