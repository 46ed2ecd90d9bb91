"""`orchestrate targets`, through the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.cli.main import main
from tests.support.git_project import RULES, GitProject


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GitProject:
    """A working tree without git: nothing here concerns a release."""
    project = GitProject(tmp_path)
    prod = RULES["envs/dev.yaml"].replace("111111111111", "333333333333").replace("222222222222", "444444444444")
    project.write(RULES | {"envs/prod.yaml": prod})
    monkeypatch.chdir(tmp_path / "modules" / "workload")
    return project


def test_json(project: GitProject, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["targets", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)["targets"]
    assert len(found) == 10
    assert found[1] == {
        "id": "research/dev-us-east-1",
        "env": "dev",
        "scope": "us-east-1",
        "team": "research",
        "account": "111111111111",
        "region": "us-east-1",
        "partition": "aws",
        "root": "modules/workload",
        "backend": {
            "bucket": "acme-tf-dev",
            "key": "research/dev-us-east-1/terraform.tfstate",
            "region": "us-east-1",
            "dynamodb_table": "acme-tf-lock-dev",
            "use_lockfile": True,
            "encrypt": True,
        },
    }


def test_text(project: GitProject, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["targets"]) == 0
    head, first, *rest = capsys.readouterr().out.splitlines()
    assert head.split() == ["ENVIRONMENT", "SCOPE", "TEAM", "ACCOUNT", "REGION", "ROOT", "STATE"]
    assert first.split() == [
        *("dev", "global", "research", "111111111111", "us-east-1", "modules/workload"),
        "s3://acme-tf-dev/research/dev-global/terraform.tfstate",
    ]
    assert len(rest) == 9
    assert all(line.index("s3://") == head.index("STATE") for line in [first, *rest])


@pytest.mark.parametrize(
    ("options", "count"),
    [(["--env", "dev"], 5), (["--team", "risk"], 4), (["--env", "prod", "--team", "risk"], 2)],
)
def test_some_of_them(project: GitProject, capsys: pytest.CaptureFixture[str], options: list[str], count: int) -> None:
    assert main(["targets", *options, "--format", "json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["targets"]) == count


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--env", "prd"], "there is no environment 'prd'\nDid you mean prod?"),
        (["--team", "x"], "there is no team 'x'\nKnown: research, risk."),
        (["--env", "dev", "--team", "only-prod"], "there is no team 'only-prod' in environment dev"),
    ],
)
def test_none_is_an_error(
    project: GitProject, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    prod = (project.folder / "envs/prod.yaml").read_text()
    if "only-prod" in options:
        project.write({"envs/prod.yaml": prod.replace("risk", "only-prod")})
    assert main(["targets", *options]) == 3
    assert message in capsys.readouterr().err


def test_the_working_tree_counts_not_what_is_committed(
    git_project: GitProject, capsys: pytest.CaptureFixture[str]
) -> None:
    git_project.write({"envs/dev.yaml": RULES["envs/dev.yaml"].replace("111111111111", "999999999999")})
    assert main(["targets", "--repo", str(git_project.folder)]) == 0
    assert "999999999999" in capsys.readouterr().out


def test_in_a_bare_repository_those_of_the_protected_branch(
    git_project: GitProject, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wherever it stands: here within the working tree of a project."""
    bare = git_project.folder / "origin.git"
    git_project.git("clone", "--quiet", "--bare", ".", str(bare))
    git_project.write({"envs/dev.yaml": "wrong: true\n"})
    assert main(["targets", "--repo", str(bare), "--format", "json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["targets"]) == 5
    assert main(["check", "--repo", str(bare)]) == 3
    assert "is a bare repository: there is no working tree to check" in capsys.readouterr().err


def test_a_link_is_no_rules_file_as_in_a_commit(project: GitProject, capsys: pytest.CaptureFixture[str]) -> None:
    dev = project.folder / "envs/dev.yaml"
    dev.rename(project.folder / "dev.yaml")
    dev.symlink_to("../dev.yaml")
    assert main(["targets"]) == 3
    assert "envs/dev.yaml must be a regular file, not a symbolic link" in capsys.readouterr().err
    (project.folder / "envs").rename(project.folder / "elsewhere")
    (project.folder / "envs").symlink_to("elsewhere")
    assert main(["targets"]) == 3
    assert "envs must be a folder, not a symbolic link" in capsys.readouterr().err


def test_wrong_rules_are_told_with_file_line_and_key(project: GitProject, capsys: pytest.CaptureFixture[str]) -> None:
    project.write(
        {"envs/dev.yaml": RULES["envs/dev.yaml"].replace('"111111111111"', '"11111111111"'), "envs/qa.yml": ""}
    )
    assert main(["targets"]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert "the configuration has 2 errors" in err
    assert "envs/dev.yaml:3: teams.research.account: '11111111111' is not valid. An AWS account number" in err
    assert "envs/qa.yml:1: " in err


def test_no_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["targets", "--repo", str(tmp_path)]) == 3
    assert "there is no envs/orchestrate.yaml in" in capsys.readouterr().err
