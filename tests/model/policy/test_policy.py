"""The plan policy."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import StageFailed
from orchestrator.model.checks.finding import Finding
from orchestrator.model.policy.policy import OVERRIDABLE, PROTECTED, ROLLBACK, PolicyContext, judge
from orchestrator.model.policy.stateful import STATEFUL_TYPES
from orchestrator.model.release.rollback import Rollback
from orchestrator.model.rules.check_settings import PlanPolicy
from orchestrator.model.terraform.planned import Action

ACCOUNT, OTHER = "111111111111", "999999999999"
CONTEXT = PolicyContext(ACCOUNT, "us-east-1", released_before=False)
_ACTIONS: dict[Action, list[str]] = {
    "create": ["create"],
    "update": ["update"],
    "destroy": ["delete"],
    "replace": ["delete", "create"],
    "forget": ["forget"],
    "nothing": ["no-op"],
}


def change(address: str, action: Action, **fields: Any) -> dict[str, Any]:
    kind, name = address.rpartition(".")[0].rpartition(".")[2] or address.split(".")[0], address.split(".")[-1]
    before = None if action == "create" else fields.get("before", {})
    after = None if action in ("destroy", "forget") else fields.get("after", {})
    body = {"actions": _ACTIONS[action], "before": before, "after": after, "after_unknown": fields.get("unknown", {})}
    module = address.split(f".{kind}.")[0] if address.startswith("module.") else None
    found = {"address": address, "mode": "managed", "type": kind, "name": name.partition("[")[0], "change": body}
    return {**found, **({"module_address": module} if module else {})}


def plan(*changes: dict[str, Any], prior: int = 1, **fields: Any) -> dict[str, Any]:
    resources = [{"mode": "managed"}] * prior
    return {
        "format_version": "1.2",
        "resource_changes": list(changes),
        "prior_state": {"values": {"root_module": {"resources": resources}}},
        **fields,
    }


def rules(*changes: dict[str, Any], policy: PlanPolicy = PlanPolicy(), context: PolicyContext = CONTEXT) -> list[str]:  # noqa: B008
    return [finding.rule for finding in judge(plan(*changes), policy, context)]


# Limits -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pattern", ["module.payments.*", "module.payments", "module.payments.null_resource.one"])
@pytest.mark.parametrize("at", ["module.payments", "module.payments[0]", 'module.payments["eu-1.x"]'])
def test_a_protected_address_protects_every_instance(pattern: str, at: str) -> None:
    lost = change(f"{at}.null_resource.one", "destroy")
    assert rules(lost, policy=PlanPolicy(protected_addresses=[pattern])) == [PROTECTED]


def test_a_protected_resource_is_protected_where_it_is_moved_from() -> None:
    lost = change("module.new.null_resource.one", "replace") | {"previous_address": "module.payments.null_resource.one"}
    assert rules(lost, policy=PlanPolicy(protected_addresses=["module.payments"])) == [PROTECTED]


def test_a_protected_address_that_matches_nothing_is_told() -> None:
    kept = change("null_resource.one", "nothing")
    (finding,) = judge(plan(kept), PlanPolicy(protected_addresses=["null_resource.one", "module.paymnts.*"]), CONTEXT)
    assert (finding.rule, finding.severity) == ("plan_protected_unmatched", "notice")
    assert "module.paymnts.*" in finding.message


def test_destroys_and_replacements_are_counted_apart() -> None:
    actions: tuple[Action, ...] = ("destroy", "destroy", "replace", "forget", "update")
    changes = [change(f"aws_instance.x{number}", action) for number, action in enumerate(actions)]

    assert rules(*changes) == []
    assert rules(*changes, policy=PlanPolicy(max_destroys=2, max_replacements=1)) == []
    assert rules(*changes, policy=PlanPolicy(max_destroys=1, max_replacements=0)) == [
        "plan_destroys",
        "plan_replacements",
    ]
    assert rules(*changes, policy=PlanPolicy(max_destroys=0)) == ["plan_destroys"]


@given(
    st.lists(st.sampled_from(list(_ACTIONS)), max_size=12), st.none() | st.integers(0, 5), st.none() | st.integers(0, 5)
)
def test_a_limit_holds_for_every_plan(actions: list[Action], destroys: int | None, replacements: int | None) -> None:
    changes = [change(f"aws_instance.x{number}", action) for number, action in enumerate(actions)]

    found = rules(*changes, policy=PlanPolicy(max_destroys=destroys, max_replacements=replacements))

    assert ("plan_destroys" in found) == (destroys is not None and actions.count("destroy") > destroys)
    assert ("plan_replacements" in found) == (replacements is not None and actions.count("replace") > replacements)


# Protected resources ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", ["aws_db_instance", "aws_s3_bucket", "aws_kms_key", "aws_dynamodb_table", "aws_efs_file_system"]
)
@pytest.mark.parametrize("action", ["destroy", "replace"])
def test_what_holds_data_is_protected_by_default(kind: str, action: Action) -> None:
    assert rules(change(f"module.x[0].{kind}.y", action)) == [PROTECTED]


@pytest.mark.parametrize("action", ["create", "update", "forget", "nothing"])
def test_only_its_loss_is_refused(action: Action) -> None:
    assert rules(change("aws_db_instance.x", action)) == []


def test_environments_protect_more_or_less() -> None:
    lost = change("aws_instance.x", "destroy"), change("aws_s3_bucket.y", "replace")

    assert rules(*lost) == [PROTECTED]
    assert rules(*lost, policy=PlanPolicy(unprotected_types=["aws_s3_bucket"])) == []
    assert rules(*lost, policy=PlanPolicy(protected_types=["aws_instance"])) == [PROTECTED, PROTECTED]
    assert rules(*lost, policy=PlanPolicy(unprotected_types=["aws_s3_bucket"], protected_addresses=["aws_s3*"])) == [
        PROTECTED
    ]


def test_what_is_protected_by_name_stays_so_where_its_type_is_given_up() -> None:
    policy = PlanPolicy(unprotected_types=["aws_instance"], protected_types=["aws_instance"])

    assert rules(change("aws_instance.x", "destroy"), policy=policy) == [PROTECTED]


def test_protected_types_are_types_of_the_provider() -> None:
    assert all(kind.startswith("aws_") and kind == kind.lower() for kind in STATEFUL_TYPES)
    assert "aws_instance" not in STATEFUL_TYPES


# Account and Region -------------------------------------------------------------------------------------------------


def with_provider(region: Any, kind: str = "aws_instance", **more: Any) -> dict[str, Any]:
    """A plan with one resource of a provider that is configured so."""
    expressions = {"region": region, **more} if region is not None else more
    config = {"aws.x": {"name": "aws", "full_name": "registry.terraform.io/hashicorp/aws", "expressions": expressions}}
    resource = {"mode": "managed", "type": kind, "name": "y", "provider_config_key": "aws.x"}
    module = {"module_calls": {"m": {"module": {"resources": [resource]}}}}
    return plan(
        change(f'module.m["a.b"].{kind}.y', "create"),
        configuration={"provider_config": config, "root_module": module},
        variables={"region": {"value": "eu-west-1"}, "here": {"value": "us-east-1"}},
    )


def judged(document: dict[str, Any], policy: PlanPolicy = PlanPolicy()) -> list[Finding]:  # noqa: B008
    return list(judge(document, policy, CONTEXT))


@pytest.mark.parametrize("region", [{"constant_value": "eu-west-1"}, {"references": ["var.region"]}])
def test_a_provider_of_another_region_is_refused(region: Any) -> None:
    assert [f.rule for f in judged(with_provider(region))] == ["plan_region"]
    assert judged(with_provider(region), PlanPolicy(allowed_regions=["eu-west-1"])) == []


@pytest.mark.parametrize("region", [{"constant_value": "us-east-1"}, {"references": ["var.here"]}])
def test_a_provider_of_the_targets_region_is_fine(region: Any) -> None:
    assert judged(with_provider(region)) == []


@pytest.mark.parametrize("region", [{"references": ["local.region"]}, {"references": ["var.a", "var.b"]}, None, {}])
def test_a_region_that_cannot_be_told_is_said(region: Any) -> None:
    (found,) = judged(with_provider(region))

    assert (found.rule, found.severity) == ("plan_region", "notice")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"}, []),
        ({"arn": f"arn:aws:sqs:us-east-1:{OTHER}:q"}, ["plan_account"]),
        ({"arn": f"arn:aws:sqs:eu-west-1:{ACCOUNT}:q"}, ["plan_region"]),
        ({"arn": f"arn:aws:sqs:eu-west-1:{OTHER}:q"}, ["plan_account", "plan_region"]),
        ({"arn": "arn:aws:s3:::bucket"}, []),
        ({"arn": f"arn:aws:iam::{ACCOUNT}:role/x"}, []),
        ({"arn": "arn:aws:iam::aws:policy/x"}, []),
        ({"region": "eu-west-1"}, ["plan_region"]),
        ({"role": f"arn:aws:iam::{OTHER}:role/x"}, []),
    ],
)
def test_a_resource_tells_by_its_own_arn_where_it_is(values: dict[str, Any], expected: list[str]) -> None:
    assert rules(change("aws_sqs_queue.q", "destroy", before=values)) == expected
    assert rules(change("aws_sqs_queue.q", "nothing", before=values, after=values)) == []


def test_a_provider_that_is_written_to_assume_another_accounts_role_is_refused() -> None:
    role = [{"role_arn": {"constant_value": f"arn:aws:iam::{OTHER}:role/x"}}]

    assert [f.rule for f in judged(with_provider({"constant_value": "us-east-1"}, assume_role=role))] == [
        "plan_account"
    ]
    allowed = PlanPolicy(allowed_accounts=[OTHER])
    assert judged(with_provider({"constant_value": "us-east-1"}, assume_role=role), allowed) == []


# Lost state ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("before", "prior", "refused"), [(True, 0, True), (False, 0, False), (True, 1, False)])
def test_creating_everything_again_is_refused(before: bool, prior: int, refused: bool) -> None:
    changes = change("aws_instance.a", "create"), change("aws_instance.b", "create")
    context = PolicyContext(ACCOUNT, "us-east-1", released_before=before)

    found = [finding.rule for finding in judge(plan(*changes, prior=prior), PlanPolicy(), context)]

    assert ("plan_recreates" in found) == refused


def test_a_first_plan_that_changes_nothing_is_none_of_a_lost_state() -> None:
    context = PolicyContext(ACCOUNT, "us-east-1", released_before=True)

    assert judge(plan(prior=0), PlanPolicy(), context) == ()


# Documents and broken plans -----------------------------------------------------------------------------------------


def test_policies_in_a_plan_are_judged_against_the_projects_accounts() -> None:
    document = {"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": OTHER}}}
    role = change("aws_iam_role.r", "create", after={"assume_role_policy": json.dumps(document)})

    (found,) = judge(plan(role), PlanPolicy(), CONTEXT)

    assert (found.rule, found.resource) == ("iam_outside_principal", "aws_iam_role.r")
    assert rules(role, policy=PlanPolicy(trusted_accounts=[OTHER])) == []
    assert rules(role, context=PolicyContext(ACCOUNT, "us-east-1", False, frozenset({OTHER}))) == []


def test_a_policy_that_is_not_known_yet_is_said() -> None:
    (found,) = judge(plan(change("aws_iam_policy.p", "create", unknown={"policy": True})), PlanPolicy(), CONTEXT)

    assert (found.rule, found.severity) == ("iam_unknown", "notice")


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"format_version": "2.0"},
        {"format_version": "1.2", "errored": True},
        plan({**change("aws_instance.x", "create"), "change": {"actions": ["explode"]}}),
    ],
)
def test_a_plan_that_is_not_understood_is_no_pass(document: dict[str, Any]) -> None:
    with pytest.raises(StageFailed):
        judge(document, PlanPolicy(), CONTEXT)


def test_secrets_and_escape_sequences_of_a_plan_stay_out_of_findings() -> None:
    (found,) = judge(plan(change('aws_s3_bucket.x["\x1b[31m"]', "destroy")), PlanPolicy(), CONTEXT)

    assert found.resource is not None
    assert found.resource.isprintable()


def test_data_sources_are_read_past() -> None:
    data = {**change("aws_s3_bucket.x", "destroy"), "mode": "data"}
    configuration = {"root_module": {"resources": [{"mode": "data", "type": "aws_s3_bucket", "name": "x"}]}}

    assert judge(plan(data, configuration=configuration), PlanPolicy(), CONTEXT) == ()


def test_a_role_that_is_not_written_out_is_ours_to_give() -> None:
    role = [{"role_arn": {"references": ["var.orchestrate_role"]}}]

    assert judged(with_provider({"constant_value": "us-east-1"}, assume_role=role)) == []


# Rollbacks ----------------------------------------------------------------------------------------------------------


def test_what_a_rollback_destroys_or_replaces_needs_an_override_whatever_the_limits() -> None:
    changes = [change(f"aws_instance.{action}", action) for action in _ACTIONS]
    back = PolicyContext(ACCOUNT, "us-east-1", True, rollback=Rollback("dev_global/a/1.1", "dev_global/a/1.0"))
    found = judge(plan(*changes), PlanPolicy(max_destroys=99, max_replacements=99), back)
    assert [(each.rule, each.resource) for each in found] == [
        (ROLLBACK, "aws_instance.destroy"),
        (ROLLBACK, "aws_instance.replace"),
    ]
    assert found[0].message == "going back from dev_global/a/1.1 to dev_global/a/1.0 would destroy it"
    assert {PROTECTED, ROLLBACK} == OVERRIDABLE
