"""The variables that orchestrate sets, and that nobody else may set to something else."""

from __future__ import annotations

import pytest

from orchestrator.errors import InvalidInput
from orchestrator.model.rules.config import Workload
from orchestrator.model.rules.rules import Rules
from orchestrator.model.rules.tag import Tag
from orchestrator.model.rules.target import locate
from orchestrator.model.terraform.override import ProviderIdentity
from orchestrator.model.terraform.root import Json, RootBlocks, interpret
from orchestrator.model.terraform.variables import check_reserved, facts, reserved_variables, secrets
from tests.support.git_project import RULES


def test_facts_of_a_release() -> None:
    rules = Rules.parse({name: text for name, text in RULES.items() if name.startswith("envs/")})
    tag = Tag.parse("dev_global/research/1.0")
    found = facts(tag, locate(tag, rules))
    assert found == {
        "account": "111111111111",
        "region": "us-east-1",
        "env": "dev",
        "team": "research",
        "scope": "global",
        "release": "dev_global/research/1.0",
    }
    identity = ProviderIdentity.of(tag, locate(tag, rules), rules.project.workload)
    assert identity.tags == {"env": "dev", "team": "research", "scope": "global", "tag": "dev_global/research/1.0"}


VALUES = {"account": "011111111111", "env": "dev", "region": "us-east-1"}


def declaring(**types: str | None) -> RootBlocks:
    return RootBlocks((), {}, types)


def test_only_declared_variables_are_set() -> None:
    assert reserved_variables(declaring(env=None, other="string"), VALUES, Workload()) == {"env": "dev"}


def test_a_fact_may_have_another_name() -> None:
    workload = Workload(variables={"env": "environment"})
    found = reserved_variables(declaring(environment="string", env="string"), VALUES, workload)
    assert found == {"environment": "dev"}, "`env` is then a variable like any other"


def test_a_mapping_to_a_variable_that_is_not_declared_is_refused() -> None:
    with pytest.raises(InvalidInput, match="names environment, which the root"):
        reserved_variables(declaring(env=None), VALUES, Workload(variables={"env": "environment"}))


@pytest.mark.parametrize("type_", ["number", "${number}"])
@pytest.mark.parametrize("name", ["account", "aws_account_id"])
def test_an_account_declared_as_a_number_is_refused(type_: str, name: str) -> None:
    workload = Workload(variables={} if name == "account" else {"account": name})
    with pytest.raises(InvalidInput, match=f"the variable {name} as a number"):
        reserved_variables(declaring(**{name: type_}), VALUES, workload)


@pytest.mark.parametrize("value", ["dev", 7, True])
def test_a_variable_file_may_repeat_a_fact(value: object) -> None:
    check_reserved("f", {"env": value, "other": "x"}, {"env": str(value)})


@pytest.mark.parametrize("value", ["prod", None, ["dev"], "${var.x}", 11111111111])
def test_a_variable_file_may_not_contradict_a_fact(value: object) -> None:
    with pytest.raises(InvalidInput, match=r"envs/dev\.tfvars sets env to"):
        check_reserved("envs/dev.tfvars", {"env": value}, {"env": "dev"})


def test_the_values_of_sensitive_variables_are_secrets_wherever_they_come_from() -> None:
    files: dict[str, Json] = {
        "main.tf": {
            "variable": [
                {"password": {"type": "string", "sensitive": True, "default": "by default"}},
                {"keys": {"sensitive": "true"}},
                {"plain": {"default": "no secret"}},
                {"later": {"default": "made so later"}},
            ]
        },
        "x_override.tf": {"variable": [{"later": {"sensitive": True}}]},
    }
    given: list[Json] = [{"password": "in a file", "plain": "x"}, {"keys": {"a": ["in a list", 5, None]}}]
    env = {"TF_VAR_password": "outside", "TF_VAR_plain": "open"}
    found = secrets(interpret(files), given, env)
    assert found == {"by default", "in a file", "in a list", "5", "made so later", "outside"}
