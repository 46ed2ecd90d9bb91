"""`orchestrate doctor` through the command line, with the emulated AWS behind it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orchestrate_sandbox.clients import assumed, client
from orchestrate_sandbox.layout import ORGANIZATION_ROLE, RoleSpec, SandboxLayout
from orchestrate_sandbox.process import Sandbox
from tests.support import command
from tests.support.emulator import unmeasured

LOCK_FILE = Path(__file__).parents[3] / "modules" / "workload" / ".terraform.lock.hcl"
TOOLING, RESEARCH, RISK, SALES = "000000000000", "111111111111", "222222222222", "333333333333"

PROJECT = """\
state: {prefix: surgery, region: us-east-1}
tooling: {account: "000000000000"}
workload: {root: infra, external_id: acme}
"""
ENVIRONMENT = """\
regions: [us-east-1, eu-central-1]
global_resource_deploy_from_region: us-east-1
teams:
"""
DEV = f'{ENVIRONMENT}  research: {{account: "{RESEARCH}"}}\n'
# In qa, team risk's plan role asks for another external id and team sales has no roles.
QA = f'{ENVIRONMENT}  risk: {{account: "{RISK}"}}\n  sales: {{account: "{SALES}"}}\n'


@dataclass(frozen=True)
class DoctorAnswer(command.CommandResult):
    @property
    def checks(self) -> dict[str, dict[str, Any]]:
        answer = json.loads(self.out)
        assert answer["exit_code"] == self.code
        return {check["name"]: check for check in answer["checks"]}

    @property
    def wrong(self) -> dict[str, str]:
        return {name: check["state"] for name, check in self.checks.items() if check["state"] != "ok"}


@dataclass(frozen=True)
class DoctorProject:
    folder: Path
    env: Mapping[str, str]

    def doctor(self, *arguments: str, env: Mapping[str, str | None] | None = None) -> DoctorAnswer:
        return self.run("doctor", "--format", "json", *arguments, env=env)

    def run(self, *arguments: str, env: Mapping[str, str | None] | None = None) -> DoctorAnswer:
        """`env` is added to the project's; a None takes away."""
        both = {**self.env, **(env or {})}
        surroundings = {name: value for name, value in both.items() if value is not None}
        done = command.run(arguments, cwd=self.folder, env=surroundings, timeout=120)
        assert "Traceback" not in done.err, done.err
        return DoctorAnswer(done.code, done.out, done.err)

    def git(self, *arguments: str) -> None:
        who = ("-c", "user.name=Tester", "-c", "user.email=tester@example.com")
        subprocess.run(["git", *who, *arguments], cwd=self.folder, env=self.env, check=True, capture_output=True)

    def rewrite(self, file: str, change: Callable[[str], str]) -> None:
        path = self.folder / file
        path.write_text(change(path.read_text()))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    roles = (
        RoleSpec(RESEARCH, "InfraPlanRole", "read", "acme"),
        RoleSpec(RESEARCH, "InfraBuildRole", "admin", "acme"),
        RoleSpec(RISK, "InfraPlanRole", "read", "somebody-else"),
        RoleSpec(SALES, "Unrelated", "read", "acme"),
    )
    with unmeasured(SandboxLayout(TOOLING, "us-east-1", roles)) as running:
        yield running


@pytest.fixture(scope="module")
def healthy(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> DoctorProject:
    """A project whose environment dev lacks nothing; it stays as it is."""
    base = tmp_path_factory.mktemp("doctor")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "GIT_", "TF_"))}
    own = {"ORCHESTRATE_WORKSPACES": str(base / "workspaces"), "GIT_CONFIG_GLOBAL": os.devnull}
    project = DoctorProject(base / "repo", {**kept, **sandbox.env, **own})
    (project.folder / "infra").mkdir(parents=True)
    (project.folder / "envs").mkdir()
    (project.folder / "envs" / "orchestrate.yaml").write_text(PROJECT)
    (project.folder / "envs" / "dev.yaml").write_text(DEV)
    (project.folder / "envs" / "qa.yaml").write_text(QA)
    shutil.copy(LOCK_FILE, project.folder / "infra")
    project.git("init", "--quiet", "--initial-branch", "main")
    project.git("add", "--all")
    project.git("commit", "--quiet", "--message", "First")
    made = project.run("bootstrap", "--env", "dev")
    assert made.code == 0, made.err
    return project


@pytest.fixture
def project(healthy: DoctorProject, tmp_path: Path) -> DoctorProject:
    """A copy that a test may spoil; its stores are the same."""
    shutil.copytree(healthy.folder, tmp_path / "repo")
    return DoctorProject(tmp_path / "repo", healthy.env)


def test_everything_in_order(healthy: DoctorProject) -> None:
    answer = healthy.doctor("--env", "dev")
    assert (answer.code, answer.wrong) == (0, {})
    assert {"terraform", "stores of dev in us-east-1", "plan role of dev/research"} <= answer.checks.keys()
    assert "apply role of dev/research" not in answer.checks
    assert all(check["mend"] is None for check in answer.checks.values())


def test_the_text_tells_the_same_as_the_json(healthy: DoctorProject) -> None:
    answer = healthy.run("doctor", "--env", "dev")
    assert answer.code == 0
    *lines, empty, last = answer.out.splitlines()
    assert [line.split()[0] for line in lines] == ["ok"] * len(lines)
    assert empty == ""
    assert last == f"{len(lines)} checks: {len(lines)} in order"


def test_apply_roles_are_tried_where_asked_for(healthy: DoctorProject) -> None:
    role = healthy.doctor("--env", "dev", "--apply-roles").checks["apply role of dev/research"]
    assert role["state"] == "ok"
    assert f":{RESEARCH}:assumed-role/InfraBuildRole/INFRA_BUILD" in role["found"]


def test_missing_stores_and_roles_all_in_one_answer(healthy: DoctorProject) -> None:
    answer = healthy.doctor("--env", "qa")
    assert answer.code == 6
    assert answer.wrong == {
        "stores of qa in us-east-1": "failed",
        "plan role of qa/risk": "failed",
        "plan role of qa/sales": "failed",
    }
    stores = answer.checks["stores of qa in us-east-1"]
    assert "state bucket surgery-qa is missing" in stores["found"]
    assert "ledger table surgery-ledger-qa is missing" in stores["found"]
    assert stores["mend"] == "Run `orchestrate bootstrap --env qa`."


def test_a_role_that_does_not_trust_or_does_not_exist_is_told_with_what_it_takes(healthy: DoctorProject) -> None:
    answer = healthy.run("doctor", "--env", "qa")
    assert f"cannot assume the role arn:aws:iam::{RISK}:role/InfraPlanRole: access denied" in answer.out
    assert f"cannot assume the role arn:aws:iam::{SALES}:role/InfraPlanRole: access denied" in answer.out
    assert f"let its trust policy allow account {TOOLING} sts:AssumeRole and sts:TagSession" in answer.out
    assert "under the external id acme" in answer.out
    assert answer.out.splitlines()[-1].endswith("3 failed")


def test_without_an_external_id_the_hint_names_none(project: DoctorProject) -> None:
    project.rewrite("envs/orchestrate.yaml", lambda text: text.replace(", external_id: acme", ""))
    role = project.doctor("--env", "dev").checks["plan role of dev/research"]
    assert role["state"] == "failed"
    assert "external id" not in role["mend"]


def test_stores_that_differ_are_told_by_setting(project: DoctorProject, sandbox: Sandbox) -> None:
    bucket = {"Bucket": "surgery-dev"}
    s3 = client(sandbox, "s3")
    s3.put_bucket_versioning(**bucket, VersioningConfiguration={"Status": "Suspended"})
    try:
        answer = project.doctor("--env", "dev")
    finally:
        s3.put_bucket_versioning(**bucket, VersioningConfiguration={"Status": "Enabled"})
    assert (answer.code, answer.wrong) == (6, {"stores of dev in us-east-1": "failed"})
    assert answer.checks["stores of dev in us-east-1"]["found"] == "state bucket surgery-dev differs in versioning"


def test_a_missing_tool_fails_and_the_rest_is_examined(healthy: DoctorProject, tmp_path: Path) -> None:
    (tmp_path / "git").symlink_to(str(shutil.which("git")))
    answer = healthy.doctor("--env", "dev", env={"PATH": str(tmp_path), "ORCHESTRATE_CACHE": str(tmp_path / "cache")})
    assert answer.code == 6
    assert answer.wrong == {"terraform": "failed", "tflint": "failed", "checkov": "failed"}
    assert "`orchestrate tools install terraform`" in answer.checks["terraform"]["mend"]


def test_credentials_of_another_account(healthy: DoctorProject, sandbox: Sandbox) -> None:
    keys = assumed(sandbox, f"arn:aws:iam::{RESEARCH}:role/{ORGANIZATION_ROLE}")
    answer = healthy.doctor("--env", "dev", env={name.upper(): value for name, value in keys.items()})
    assert answer.code == 6
    assert answer.wrong == {"AWS credentials": "failed", "stores": "warning", "roles": "warning"}
    credentials = answer.checks["AWS credentials"]
    assert f"are for account {RESEARCH}" in credentials["found"]
    assert f"tooling.account in envs/orchestrate.yaml is {TOOLING}" in credentials["found"]
    assert "AWS_PROFILE" in credentials["mend"]


def test_no_credentials(healthy: DoctorProject) -> None:
    without = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}
    answer = healthy.doctor("--env", "dev", env=without)
    assert answer.code == 6
    assert "no usable AWS credentials" in answer.checks["AWS credentials"]["found"]
    assert "aws sso login" in answer.checks["AWS credentials"]["mend"]


def test_an_endpoint_that_cannot_be_reached_is_told_soon(healthy: DoctorProject) -> None:
    """Also where the surroundings do not limit the attempts."""
    with socket.socket() as taken:  # bound, not listening: connections are refused
        taken.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{taken.getsockname()[1]}"
        healthy.doctor("--env", "dev", env={"AWS_ENDPOINT_URL": endpoint})  # so that tools' versions are known
        begun = time.monotonic()
        answer = healthy.doctor("--env", "dev", env={"AWS_ENDPOINT_URL": endpoint, "AWS_MAX_ATTEMPTS": None})
        seconds = time.monotonic() - begun
    assert answer.code == 6
    assert f"{endpoint} cannot be reached" in answer.checks["AWS credentials"]["found"]
    assert seconds < 15


def test_a_configuration_error_alone_ends_with_3(project: DoctorProject) -> None:
    project.rewrite("envs/dev.yaml", lambda text: text + "surplus: 1\n")
    answer = project.doctor()
    assert answer.code == 3
    assert "envs/dev.yaml:5: surplus" in answer.checks["configuration"]["found"]
    assert answer.wrong.keys() == {"configuration", "lock files", "providers", "AWS"}
    assert answer.wrong["AWS"] == "warning"


def test_an_unknown_environment_is_refused_at_once(healthy: DoctorProject) -> None:
    answer = healthy.doctor("--env", "dve")
    assert answer.code == 3
    assert json.loads(answer.out)["error"]["hint"] == "Did you mean dev?"
    assert "Did you mean dev?" in answer.err


def test_it_works_from_a_folder_of_the_project_and_outside_of_any(healthy: DoctorProject, tmp_path: Path) -> None:
    inside = DoctorProject(healthy.folder / "infra", healthy.env).doctor("--env", "dev")
    assert inside.code == 0
    outside = DoctorProject(tmp_path, healthy.env).doctor()
    assert outside.code == 6
    assert {"repository", "configuration"} <= outside.wrong.keys()
    assert "--repo" in outside.checks["repository"]["mend"]
