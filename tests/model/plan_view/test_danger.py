"""Which changes are said to open something, and in which order a plan is read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.model.plan_view.danger import widening
from orchestrator.model.plan_view.order import confined_to, in_groups
from orchestrator.model.plan_view.values import UNKNOWN
from orchestrator.model.terraform.plan import Change


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Statement": list(statements)})


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


ONE = allow(["s3:Get", "s3:Put"], ["a", "b"])
DENY = {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}
PLACE = {"StringEquals": {"aws:SourceVpc": "vpc-1"}}


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (policy(ONE), policy(ONE, allow("sqs:*")), ["policy allows Action sqs:*, Resource *"]),
        (policy(ONE), policy(allow("s3:Get", "a")), []),
        (policy(allow("*")), policy(ONE), []),
        (policy(allow("a", "x"), allow("b", "y")), policy(allow(["a", "b"], ["x", "y"])), ["another combination"]),
        (policy(allow("a", Condition=PLACE)), policy(allow("a")), ["under fewer conditions"]),
        (policy(allow("a")), policy(allow("a", Condition=PLACE)), []),
        (policy(ONE, DENY), policy(ONE), ["policy no longer denies s3:*"]),
        (policy(ONE), policy(ONE, DENY), []),
        (policy(ONE), None, []),
        (None, policy(allow("a", Principal={"AWS": "*"})), ["Principal *"]),
        (policy(ONE), UNKNOWN, ["policy is known only after the apply"]),
        (policy(ONE), policy({"Effect": "Allow", "NotAction": "iam:*", "Resource": "a"}), ["NotAction iam:*"]),
        ("no policy", "another", []),
        ('{"Statement": "odd"}', '{"Statement": ["odd"]}', []),
    ],
)
def test_a_policy_that_allows_more_is_said_to(before: Any, after: Any, told: list[str]) -> None:
    found = widening("aws_iam_policy", {"policy": before}, {"policy": after}, created=False)
    assert len(found) == len(told), found
    assert all(part in line for part, line in zip(told, found, strict=True))


@pytest.mark.parametrize(
    ("kind", "before", "after", "told"),
    [
        ("aws_security_group", {"ingress": []}, {"ingress": [{"cidr_blocks": ["::/0"]}]}, 'cidr_blocks "::/0"'),
        ("aws_security_group_rule", {"to_port": 80}, {"to_port": 443}, "to_port gets 443"),
        ("aws_s3_bucket_public_access_block", {"block_public_acls": True}, {"block_public_acls": False}, "no longer"),
        ("aws_s3_bucket_public_access_block", {"block_public_acls": True}, {}, "block_public_acls is no longer true"),
        ("aws_db_instance", {"publicly_accessible": False}, {"publicly_accessible": True}, "becomes true"),
        ("aws_s3_bucket_acl", {"acl": "private"}, {"acl": "public-read"}, "acl becomes public-read"),
        ("aws_lambda_function_url", {"authorization_type": "AWS_IAM"}, {"authorization_type": "NONE"}, "NONE"),
        ("aws_iam_role", {"permissions_boundary": "a"}, {"permissions_boundary": None}, "taken away"),
        ("aws_iam_role", {"permissions_boundary": "a"}, {"permissions_boundary": "b"}, "is another"),
        ("aws_iam_role", {"managed_policy_arns": ["a"]}, {"managed_policy_arns": ["a", "b"]}, 'gets "b"'),
        ("aws_iam_role", {"inline_policy": []}, {"inline_policy": [{"policy": policy(ONE)}]}, "s3:Get, s3:Put"),
        (
            "aws_eks_cluster",
            {"public_access_cidrs": ["10.0.0.0/8"]},
            {"public_access_cidrs": ["0.0.0.0/0"]},
            'gets "0.',
        ),
        ("aws_instance", {"security_groups": ["a"]}, {"security_groups": ["b"]}, None),
        ("aws_security_group", {"ingress": [{"a": 1, "b": 2}]}, {"ingress": [{"a": 1}]}, None),
        ("aws_instance", {"tags": {"a": "*"}}, {"tags": {"a": "0.0.0.0/0"}}, None),
        ("aws_instance", None, None, None),
    ],
)
def test_what_opens_a_resource_is_said(kind: str, before: Any, after: Any, told: str | None) -> None:
    found = widening(kind, before, after, created=False)
    assert bool(found) == (told is not None), found
    assert told is None or told in found[0]


@pytest.mark.parametrize(
    ("kind", "values", "told"),
    [
        ("aws_iam_policy", {"policy": policy(ONE)}, None),
        ("aws_iam_policy", {"policy": policy(allow("*"))}, "policy allows Action *"),
        ("aws_s3_bucket_policy", {"policy": policy(allow("s3:Get", Principal="*"))}, "policy allows Principal *"),
        (
            "aws_iam_policy",
            {"policy": policy({"Effect": "Allow", "NotAction": "a"})},
            "policy allows all but what it names",
        ),
        ("aws_security_group", {"ingress": [{"cidr_blocks": ["0.0.0.0/0"]}]}, 'ingress gets cidr_blocks "0.0.0.0/0"'),
        ("aws_security_group", {"egress": [{"cidr_blocks": ["0.0.0.0/0"]}]}, None),
        ("aws_security_group", {"ingress": [{"cidr_blocks": ["10.0.0.0/8"]}]}, None),
        ("aws_s3_bucket_public_access_block", {"block_public_policy": False}, "block_public_policy is not true"),
    ],
)
def test_of_what_is_new_only_what_is_open_to_everybody_is_said(kind: str, values: Any, told: str | None) -> None:
    assert widening(kind, None, values, created=True) == (() if told is None else (told,))


def test_long_lists_are_counted() -> None:
    after = {"policy": policy(allow([f"a:{n}" for n in range(20)]))}
    (line,) = widening("x", {"policy": policy(ONE)}, after, created=False)
    assert "a:11 and 8 more" in line


def test_what_can_do_harm_is_read_first_and_outputs_last() -> None:
    changes = [
        Change("output.z", "change"),
        Change("a.new", "add"),
        Change("a.changed", "change"),
        Change("a.open", "change", ("! widens access: x",)),
        Change("a.left", "forget"),
        Change("a.again", "replace"),
        Change("a.gone", "destroy", ("! widens access: x",)),
    ]
    groups = in_groups(changes)
    assert [change.address for group in groups for change in group.changes] == [
        "a.gone", "a.again", "a.left", "a.open", "a.changed", "a.new", "output.z",
    ]  # fmt: skip
    assert [group.dangerous for group in groups] == [True] * 4 + [False] * 3


def test_a_large_plan_names_the_module_that_it_is_confined_to() -> None:
    inside = [Change(f'module.x["{n}"].a.b', "add") for n in range(30)]
    assert confined_to([*inside, Change("a.b", "change"), Change("output.o", "add")]) == "module.x"
    assert confined_to([*inside, Change("a.b", "add")]) is None
    assert confined_to(inside[:3]) is None
