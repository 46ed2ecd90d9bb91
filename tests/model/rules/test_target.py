"""From a tag and the rules to the target."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from orchestrator.errors import InvalidInput
from orchestrator.model.rules.config import Environment, Project, State, Team, Tooling
from orchestrator.model.rules.region import PARTITIONS
from orchestrator.model.rules.rules import Rules
from orchestrator.model.rules.tag import Tag
from orchestrator.model.rules.target import all_targets, locate, scopes

RULES = Rules(
    Project(state=State(prefix="acme", region="us-east-1"), tooling=Tooling("000000000000")),
    {
        "dev": Environment(
            regions=["us-east-1", "eu-central-1"],
            global_resource_deploy_from_region="us-east-1",
            teams={
                "risk": Team("222222222222", regions=["us-east-1"], root="teams/risk"),
                "research": Team("111111111111"),
            },
        ),
        "prod": Environment(["eu-central-1"], "eu-central-1", {"research": Team("333333333333")}),
    },
)


def test_a_target_in_a_region() -> None:
    target = locate(Tag.parse("dev_eu-central-1/research/1.0"), RULES)
    assert (target.env, target.scope, target.team) == ("dev", "eu-central-1", "research")
    assert (target.account, target.region, target.partition) == ("111111111111", "eu-central-1", "aws")
    assert target.root == "modules/workload"
    assert target.backend.bucket == "acme-dev"
    assert target.backend.key == "research/dev-eu-central-1/terraform.tfstate"
    assert target.backend.region == "us-east-1"
    assert target.roles.plan == "arn:aws:iam::111111111111:role/InfraPlanRole"
    assert target.roles.apply == "arn:aws:iam::111111111111:role/InfraBuildRole"
    assert target.id == "research/dev-eu-central-1"


def test_a_global_target_is_deployed_from_its_region() -> None:
    target = locate(Tag.parse("dev_global/risk/1.0"), RULES)
    assert (target.scope, target.region, target.root) == ("global", "us-east-1", "teams/risk")


def test_variable_files_from_the_weakest_to_the_strongest() -> None:
    target = locate(Tag.parse("dev_us-east-1/risk/1.0"), RULES)
    assert target.var_file_candidates == (
        "envs/dev.tfvars",
        "envs/dev/risk.tfvars",
        "envs/dev/risk/us-east-1.tfvars",
    )


@pytest.mark.parametrize(
    ("tag", "message", "hint"),
    [
        ("prd_global/research/1.0", "there is no environment 'prd'", "Did you mean prod?"),
        ("qa_global/research/1.0", "there is no environment 'qa'", "Known: dev, prod."),
        ("dev_global/resaerch/1.0", "there is no team 'resaerch' in environment dev", "Did you mean research?"),
        ("prod_global/risk/1.0", "there is no team 'risk' in environment prod", "Known: research."),
        ("dev_us-east-11/research/1.0", "there is no AWS Region 'us-east-11'", "Did you mean us-east-1?"),
        ("dev_eu-central-1/risk/1.0", "eu-central-1 is not a Region of team risk in environment dev", "Known: global"),
        ("dev_sa-east-1/research/1.0", "sa-east-1 is not a Region of team research", "Did you mean us-east-1?"),
    ],
)
def test_what_the_rules_do_not_list_is_refused(tag: str, message: str, hint: str) -> None:
    with pytest.raises(InvalidInput) as error:
        locate(Tag.parse(tag), RULES)
    assert message in error.value.message
    assert hint in str(error.value.hint)


def test_many_unknown_names_point_to_the_list() -> None:
    teams = {f"team-{number}": Team(f"{number:012}") for number in range(20)}
    rules = Rules(RULES.project, {"dev": msgspec.structs.replace(RULES.environments["dev"], teams=teams)})
    with pytest.raises(InvalidInput) as error:
        locate(Tag.parse("dev_global/zzz/1.0"), rules)
    assert error.value.hint == "`orchestrate targets` lists what can be released."


def test_all_targets_in_order() -> None:
    assert [target.id for target in all_targets(RULES)] == [
        "research/dev-global",
        "research/dev-us-east-1",
        "research/dev-eu-central-1",
        "risk/dev-global",
        "risk/dev-us-east-1",
        "research/prod-global",
        "research/prod-eu-central-1",
    ]


def test_every_target_is_what_its_tag_names() -> None:
    for target in all_targets(RULES):
        assert locate(Tag.parse(f"{target.env}_{target.scope}/{target.team}/1.0"), RULES) == target


@pytest.mark.parametrize("partition", PARTITIONS)
@pytest.mark.parametrize("layout", ["central", "regional"])
def test_every_region_of_every_partition(partition: str, layout: str) -> None:
    known = PARTITIONS[partition].split()
    environment = Environment(known, known[-1], {"a": Team("111111111111"), "b": Team("222222222222")})
    state = State(prefix="acme", region=known[0], layout=layout)  # type: ignore[arg-type]
    rules = Rules(msgspec.structs.replace(RULES.project, state=state), {"dev": environment, "prod": environment})
    targets = list(all_targets(rules))
    assert len({(target.backend.bucket, target.backend.key) for target in targets}) == len(targets)
    assert len({target.id for target in targets}) == len(targets) == 4 * (len(known) + 1)
    for target in targets:
        assert target.partition == partition
        assert target.roles.apply.startswith(f"arn:{partition}:iam::{target.account}:role/")
        assert target.backend.region == (known[0] if layout == "central" else target.region)
        assert target.region == (known[-1] if target.scope == "global" else target.scope)


def test_scopes() -> None:
    dev = RULES.environments["dev"]
    assert scopes(dev, dev.teams["risk"]) == ("global", "us-east-1")
    assert scopes(dev, replace_regions(dev.teams["risk"])) == ("global", "us-east-1", "eu-central-1")


def replace_regions(team: Team) -> Team:
    return msgspec.structs.replace(team, regions=None)


def test_targets_are_values() -> None:
    target = next(all_targets(RULES))
    assert replace(target, region="eu-central-1") != target
