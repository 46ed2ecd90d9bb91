"""`orchestrate accounts` through the command line, against an emulated AWS whose accounts have only what AWS makes."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orchestrate_sandbox.clients import assumed, client
from orchestrate_sandbox.environment import within
from orchestrate_sandbox.layout import RoleSpec, SandboxLayout
from orchestrate_sandbox.process import Sandbox, start
from tests.support import command
from tests.support.command import CommandResult

pytestmark = pytest.mark.slow

TOOLING, RESEARCH, RISK = "000000000000", "111111111111", "222222222222"
FIRST = "First"  # the role of who sets accounts up, in the account of risk alone
PROJECT = """\
state: {prefix: acme-tf, region: us-east-1}
tooling: {account: "000000000000", trusted_roles: {plan: [Auditor], apply: [Operator]}}
workload: {external_id: acme, services: [ec2, s3]}
"""
DEV = """\
regions: [us-east-1]
global_resource_deploy_from_region: us-east-1
teams: {research: {account: "111111111111"}, risk: {account: "222222222222"}}
apply_from: pipeline
"""


@dataclass(frozen=True)
class AccountsRepository:
    """A repository and the environment that its commands run in."""

    folder: Path
    env: dict[str, str]
    sandbox: Sandbox

    def run(self, *arguments: str) -> CommandResult:
        done = command.run(arguments, cwd=self.folder, env=self.env)
        assert "Traceback" not in done.err
        return done

    def accounts(self, *arguments: str) -> list[dict[str, Any]]:
        done = self.run("accounts", *arguments, "--format", "json")
        assert done.code == 0, done.err
        return list(json.loads(done.out)["accounts"])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AccountsRepository]:
    base = tmp_path_factory.mktemp("accounts")
    folder = base / "repo"
    (folder / "envs").mkdir(parents=True)
    (folder / "envs/orchestrate.yaml").write_text(PROJECT)
    (folder / "envs/dev.yaml").write_text(DEV)
    subprocess.run(["git", "init", "--quiet", "--initial-branch", "main", str(folder)], check=True)
    layout = SandboxLayout(TOOLING, "us-east-1", (RoleSpec(RESEARCH, "Other", "read"), RoleSpec(RISK, FIRST, "admin")))
    with start(layout) as sandbox:
        env = within(os.environ, sandbox.env) | {"ORCHESTRATE_WORKSPACES": str(base / "workspaces")}
        made = AccountsRepository(folder, env, sandbox)
        assert made.run("bootstrap", "--env", "dev").code == 0
        yield made


def _trusted(sandbox: Sandbox, account: str, role: str) -> set[str]:
    iam = client(sandbox, "iam", account=account)
    statements = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]["Statement"]
    return {name for statement in statements for name in _listed(statement["Principal"]["AWS"])}


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def test_without_an_option_it_only_says_what_each_account_is_given(place: AccountsRepository) -> None:
    found = place.accounts("--team", "risk")
    assert [account["account"] for account in found] == [RISK]
    assert found[0]["state"] == f"s3://acme-tf-dev/_accounts/{RISK}/terraform.tfstate"
    assert found[0]["variables"]["managed_names"] == ["dev-risk-*"]
    assert found[0]["variables"]["services"] == ["ec2", "s3"]


def test_one_account_that_fails_does_not_stop_the_others_and_planning_makes_nothing(place: AccountsRepository) -> None:
    done = place.run("accounts", "--plan", "--role", FIRST, "--format", "json")
    assert done.code == 6
    failed, planned = done.json["accounts"]
    assert failed["account"] == RESEARCH
    assert f"cannot assume the role arn:aws:iam::{RESEARCH}:role/{FIRST}" in failed["error"]
    assert f"account {RESEARCH}" in done.err
    assert "Initializing" not in done.err.partition(f"account {RISK}")[0], "Terraform need not find out"
    assert (planned["account"], planned["result"]) == (RISK, "planned")
    roles = client(place.sandbox, "iam", account=RISK).list_roles()["Roles"]
    assert [role["RoleName"] for role in roles if role["RoleName"].startswith("Infra")] == []


def test_an_account_takes_one_command(place: AccountsRepository) -> None:
    assert place.accounts("--team", "risk", "--apply")[0]["result"] == "applied"
    role = f"arn:aws:iam::{TOOLING}:role/"
    assert _trusted(place.sandbox, RISK, "InfraBuildRole") == {f"{role}acme-tf-dev-apply"}
    planning = {"acme-tf-dev-plan", "acme-tf-dev-people", "Auditor", "Operator"}
    assert _trusted(place.sandbox, RISK, "InfraPlanRole") == {role + name for name in planning}
    assert place.accounts("--team", "risk", "--apply")[0]["result"] == "no changes"


def test_the_tooling_accounts_own_administrator_cannot_take_the_build_role(place: AccountsRepository) -> None:
    with pytest.raises(Exception, match="AccessDenied"):
        assumed(place.sandbox, f"arn:aws:iam::{RISK}:role/InfraBuildRole", ExternalId="acme")


def test_an_unknown_team_is_refused_with_the_likely_one(place: AccountsRepository) -> None:
    done = place.run("accounts", "--team", "reserch")
    assert done.code == 3
    assert "research" in done.err
