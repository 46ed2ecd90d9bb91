"""`orchestrate status`, in the test's own process, also where environments are not bootstrapped or cannot be read."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from orchestrate_sandbox.process import Sandbox
from orchestrator.cli.main import main
from orchestrator.effects.aws.session import Session
from tests.support.emulator import surround
from tests.support.faults import FaultRequest, InjectedFault, between

PROJECT = """\
state: {{prefix: {prefix}, region: us-east-1, layout: {layout}, locking: s3}}
tooling: {{account: "000000000000"}}
"""
ENVIRONMENT = """\
regions: [{regions}]
global_resource_deploy_from_region: us-east-1
teams: {{research: {{account: "{account}"}}}}
"""


class StatusProject:
    """Its working tree, which is all that `status` reads of a repository."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, text: str) -> None:
        (self.folder / "envs").mkdir(parents=True, exist_ok=True)
        (self.folder / "envs" / f"{name}.yaml").write_text(text)

    def run(self, *arguments: str) -> int:
        return main([*arguments, "--repo", str(self.folder)])


def environment(account: str, *regions: str) -> str:
    return ENVIRONMENT.format(account=account, regions=", ".join(regions or ("us-east-1",)))


@pytest.fixture(scope="module")
def central(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> StatusProject:
    """Of its two environments dev is bootstrapped, prod is not."""
    made = StatusProject(tmp_path_factory.mktemp("central"))
    made.write("orchestrate", PROJECT.format(prefix="standing", layout="central"))
    made.write("dev", environment("111111111111"))
    made.write("prod", environment("333333333333"))
    with pytest.MonkeyPatch.context() as patch:
        surround(sandbox, patch)
        assert made.run("bootstrap", "--env", "dev") == 0
    return made


@pytest.fixture
def project(
    central: StatusProject, tmp_path: Path, boto_env: None, capsys: pytest.CaptureFixture[str]
) -> StatusProject:
    """One that a test may change."""
    capsys.readouterr()
    shutil.copytree(central.folder / "envs", tmp_path / "envs")
    return StatusProject(tmp_path)


def answer(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    return dict(json.loads(capsys.readouterr().out))


MISSING = {"env": "prod", "region": None, "command": "orchestrate bootstrap --env prod"}


def test_an_environment_that_is_not_bootstrapped_is_named_beside_the_others(
    project: StatusProject, capsys: pytest.CaptureFixture[str]
) -> None:
    assert project.run("status", "--format", "json") == 0
    found = answer(capsys)
    assert [target["target"] for target in found["targets"]] == ["research/dev-global", "research/dev-us-east-1"]
    assert found["not_bootstrapped"] == [MISSING]
    assert project.run("status") == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[2].split() == ["dev", "research", "us-east-1", "-", "-", "-", "never", "released"]
    assert out.splitlines()[3:] == ["", "prod: not bootstrapped; run `orchestrate bootstrap --env prod`"]
    assert err == ""


def test_where_all_are_bootstrapped_nothing_is_said_of_it(
    project: StatusProject, capsys: pytest.CaptureFixture[str]
) -> None:
    assert project.run("status", "--env", "dev", "--format", "json") == 0
    assert answer(capsys)["not_bootstrapped"] == []
    assert project.run("status", "--env", "dev") == 0
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_an_environment_that_was_asked_for_and_is_not_bootstrapped_is_an_error(
    project: StatusProject, capsys: pytest.CaptureFixture[str]
) -> None:
    assert project.run("status", "--env", "prod", "--format", "json") == 6
    out, err = capsys.readouterr()
    assert err == "Error: not bootstrapped: prod\nRun `orchestrate bootstrap --env prod`.\n"
    told = json.loads(out)["error"]
    assert (told["code"], told["kind"], told["message"]) == (6, "dependency", "not bootstrapped: prod")


def strict(asked: FaultRequest) -> InjectedFault | None:
    """As DynamoDB answers where the name of a table is none, which the emulator lets pass."""
    return InjectedFault(400, "ValidationException") if b'"alias/' in asked.body else None


def test_where_none_is_bootstrapped_that_is_an_error(
    project: StatusProject, sandbox: Sandbox, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key of the environment's would be no sign of it: whoever interrupts bootstrap at its beginning leaves one."""
    settings = PROJECT.format(prefix="standing-elsewhere", layout="central")
    project.write("orchestrate", settings.replace("locking: s3", "locking: s3, encryption: kms"))
    with between(sandbox.endpoint, strict) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        assert project.run("status") == 6
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "Error: not bootstrapped: dev, prod\nRun `orchestrate bootstrap --env dev --env prod`.\n"


def test_an_environment_that_has_lost_its_ledger_does_not_pass_for_a_new_one(
    project: StatusProject, capsys: pytest.CaptureFixture[str]
) -> None:
    s3 = Session("us-east-1").client("s3")
    s3.create_bucket(Bucket="standing-prod")
    try:
        assert project.run("status", "--format", "json") == 6
    finally:
        s3.delete_bucket(Bucket="standing-prod")
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert (len(found["targets"]), found["not_bootstrapped"]) == (2, [])
    assert "cannot read the ledger standing-ledger-prod: it does not exist" in err


def refused(asked: FaultRequest) -> InjectedFault | None:
    """Who asks may not read the ledger of prod."""
    return InjectedFault(400, "AccessDeniedException") if b"standing-ledger-prod" in asked.body else None


def unseen(asked: FaultRequest) -> InjectedFault | None:
    """Who asks may read ledgers, and not look for buckets: whether prod has any is not known."""
    return InjectedFault(403, "AccessDenied") if asked.service == "s3" else None


@pytest.mark.parametrize(
    ("rule", "told"), [(refused, "ledger standing-ledger-prod: access denied"), (unseen, "it does not exist")]
)
def test_what_fails_is_not_taken_for_an_environment_that_is_not_bootstrapped(
    rule: Any,
    told: str,
    project: StatusProject,
    sandbox: Sandbox,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with between(sandbox.endpoint, rule) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        assert project.run("status", "--format", "json") == 6
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert ({target["env"] for target in found["targets"]}, found["not_bootstrapped"]) == ({"dev"}, [])
    assert told in err


@pytest.mark.slow
def test_a_region_that_is_not_bootstrapped_hides_no_other_and_changes_no_order(
    tmp_path: Path, boto_env: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """In layout regional each Region has stores of its own, and a new one has none yet."""
    project = StatusProject(tmp_path)
    project.write("orchestrate", PROJECT.format(prefix="standing", layout="regional"))
    project.write("dev", environment("111111111111", "eu-central-1", "us-east-1"))
    assert project.run("bootstrap") == 0
    project.write("dev", environment("111111111111", "eu-central-1", "ap-southeast-1", "us-east-1"))
    capsys.readouterr()
    assert project.run("status", "--env", "dev", "--format", "json") == 0
    found = answer(capsys)
    assert [target["scope"] for target in found["targets"]] == ["global", "eu-central-1", "us-east-1"]
    assert found["not_bootstrapped"] == [
        {"env": "dev", "region": "ap-southeast-1", "command": "orchestrate bootstrap --env dev"}
    ]
    assert project.run("status") == 0
    line = "dev in ap-southeast-1: not bootstrapped; run `orchestrate bootstrap --env dev`"
    assert capsys.readouterr().out.splitlines()[4:] == ["", line]
    assert project.run("status", "--scope", "ap-southeast-1") == 6
