"""Names of the tooling, and what each account trusts."""

from __future__ import annotations

import pytest

from orchestrator.errors import InvalidInput
from orchestrator.model.rules import tooling
from orchestrator.model.rules.accounts import accounts
from orchestrator.model.rules.rules import Rules

PROJECT = """\
state: {prefix: %s, region: us-east-1, layout: %s}
tooling: {account: "000000000000", trusted_roles: {plan: [Auditor], apply: [Operator]}}
"""
ENVIRONMENT = """\
regions: [us-east-1, eu-central-1]
global_resource_deploy_from_region: us-east-1
teams: {research: {account: "%s"}, risk: {account: "%s", regions: [us-east-1], shared_account: true}}
apply_from: %s
"""


def rules(layout: str = "central", *, prefix: str = "acme", apply_from: str = "anywhere") -> Rules:
    shared = ENVIRONMENT % ("111111111111", "222222222222", apply_from)
    return Rules.parse({"envs/orchestrate.yaml": PROJECT % (prefix, layout), "envs/dev.yaml": shared})


ROLE = "arn:aws:iam::000000000000:role/"


def test_central_tooling_has_one_pipeline_for_each_environment() -> None:
    found = rules()
    assert tooling.tooling_regions(found) == ("us-east-1",)
    (pipeline,) = tooling.pipelines(found, "us-east-1")
    assert pipeline.name == "acme-dev"
    assert pipeline.submit_project == "acme-dev-submit"
    assert pipeline.asked_source == "orchestrate.acme-dev"
    assert pipeline.role_arn("plan") == f"{ROLE}acme-dev-plan"


def test_regional_tooling_has_one_in_each_region() -> None:
    found = rules("regional")
    assert tooling.tooling_regions(found) == ("us-east-1", "eu-central-1")
    made = [one.name for region in tooling.tooling_regions(found) for one in tooling.pipelines(found, region)]
    assert made == ["acme-use1-dev", "acme-euc1-dev"]


def test_names_that_iam_would_refuse_are_refused_first() -> None:
    found = rules("regional", prefix="a" * 40)
    assert tooling.pipeline(found, "dev", "us-east-1").role_name("verify")
    tooling_of_long_name = Rules(found.project, {"a" * 16: found.environments["dev"]})
    with pytest.raises(InvalidInput, match=r"at most 57.*\n?.*Shorten state.prefix"):
        tooling.pipeline(tooling_of_long_name, "a" * 16, "eu-central-1")


@pytest.mark.parametrize(
    ("caller", "expected"),
    [
        ("arn:aws:sts::000000000000:assumed-role/acme-dev-apply/AWSCodeBuild-1", True),
        ("arn:aws:sts::000000000000:assumed-role/acme-dev-apply2/AWSCodeBuild-1", False),
        ("arn:aws:sts::111111111111:assumed-role/acme-dev-apply/AWSCodeBuild-1", False),
        ("arn:aws:iam::000000000000:role/acme-dev-apply", False),
        ("arn:aws:iam::000000000000:user/me", False),
    ],
)
def test_a_session_of_a_role_is_told_from_all_others(caller: str, expected: bool) -> None:
    assert tooling.is_session_of(caller, f"{ROLE}acme-dev-apply") is expected


def test_with_apply_from_anywhere_people_and_named_roles_may_apply() -> None:
    (research, _) = accounts(rules(), [], [])
    assert research.variables["plan_trusted_role_arns"] == [
        f"{ROLE}{name}" for name in ("Auditor", "Operator", "acme-dev-deploy", "acme-dev-people", "acme-dev-plan")
    ]
    assert research.variables["build_trusted_role_arns"] == [
        f"{ROLE}{name}" for name in ("Operator", "acme-dev-apply", "acme-dev-deploy")
    ]


def test_with_apply_from_pipeline_the_build_roles_trust_the_apply_step_alone() -> None:
    for account in accounts(rules(apply_from="pipeline"), [], []):
        assert account.variables["build_trusted_role_arns"] == [f"{ROLE}acme-dev-apply"]


def test_with_regional_tooling_an_account_trusts_the_roles_of_its_teams_regions() -> None:
    research, risk = accounts(rules("regional", apply_from="pipeline"), [], [])
    assert research.variables["build_trusted_role_arns"] == [f"{ROLE}acme-euc1-dev-apply", f"{ROLE}acme-use1-dev-apply"]
    assert risk.variables["build_trusted_role_arns"] == [f"{ROLE}acme-use1-dev-apply"]
    assert risk.backend.bucket == "acme-use1-dev"
    assert risk.backend.key == "_accounts/222222222222/terraform.tfstate"


def test_teams_that_share_an_account_have_one_entry() -> None:
    shared = ENVIRONMENT.replace('research: {account: "%s"}', 'research: {account: "%s", shared_account: true}')
    text = shared % ("111111111111", "111111111111", "anywhere")
    found = Rules.parse({"envs/orchestrate.yaml": PROJECT % ("acme", "central"), "envs/dev.yaml": text})
    (account,) = accounts(found, ["dev"], ["risk"])
    assert account.teams == ("research", "risk")
    assert account.variables["managed_names"] == ["dev-research-*", "dev-risk-*"]


@pytest.mark.parametrize(("envs", "teams", "near"), [(["dve"], [], "dev"), ([], ["rsk"], "risk")])
def test_unknown_names_are_refused(envs: list[str], teams: list[str], near: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        accounts(rules(), envs, teams)
    assert near in str(raised.value)


def test_an_environment_may_not_be_called_tooling() -> None:
    for name in ("tooling", "tooling-x"):
        with pytest.raises(InvalidInput):
            Rules.parse({
                "envs/orchestrate.yaml": PROJECT % ("acme", "central"),
                f"envs/{name}.yaml": ENVIRONMENT % ("111111111111", "222222222222", "anywhere"),
            })  # fmt: skip


def test_a_region_has_pipelines_of_the_environments_that_are_there_alone() -> None:
    found = rules("regional")
    assert [pipeline.env for pipeline in tooling.pipelines(found, "eu-central-1")] == ["dev"]
    assert list(tooling.pipelines(found, "ap-southeast-1")) == []
    assert tooling.regions_of_environment(found, "dev") == ("us-east-1", "eu-central-1")


def test_the_toolings_own_stores_are_named_like_an_environments() -> None:
    assert tooling.own_stores(rules(), "us-east-1").state_bucket == "acme-tooling"
