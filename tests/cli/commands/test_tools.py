"""`orchestrate tools`."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from pathlib import Path

import pytest

from orchestrator.cli.main import main
from orchestrator.effects.tools.find import tool_folder
from orchestrator.effects.tools.pinned import load_pins
from tests.support.git_project import RULES, GitProject

TOFU = {**RULES, "envs/orchestrate.yaml": RULES["envs/orchestrate.yaml"] + "terraform: {program: tofu}\n"}


GIT = str(shutil.which("git"))
BUILDS = Path(__file__).parents[3] / "buildspecs"
Patch = pytest.MonkeyPatch


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty PATH, and an empty cache."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("ORCHESTRATE_CACHE", str(tmp_path / "cache"))
    for name in ("TERRAFORM", "TOFU", "TFLINT", "CHECKOV"):
        monkeypatch.delenv(f"ORCHESTRATE_{name}", raising=False)
    return tmp_path / "bin"


def program(file: Path, words: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file.write_text(f"#!/bin/sh\necho '{words}'\n")
    file.chmod(0o755)
    return file


def cached(tmp_path: Path, name: str) -> Path:
    version = load_pins()[name].version
    return program(tool_folder(name, version, {"ORCHESTRATE_CACHE": str(tmp_path / "cache")}) / name, "")


def test_shows_what_is_used_and_what_is_missing(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program(path / "terraform", "Terraform v1.5.7")
    program(path / "tflint", "TFLint version 0.65.0")
    checkov = cached(tmp_path, "checkov")
    assert main(["tools"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines[:4]] == [
        ["TOOL", "VERSION", "PINNED", "SOURCE", "PATH"],
        ["terraform", "missing", "1.11.4", "-", "-"],
        ["tflint", "0.65.0", "0.64.0", "PATH", str(path / "tflint")],
        ["checkov", load_pins()["checkov"].version, load_pins()["checkov"].version, "cache", str(checkov)],
    ]
    assert "is terraform 1.5.7, but at least 1.11.0" in lines[5]
    assert "orchestrate tools install" in lines[6]


def test_json(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program(path / "terraform", "Terraform v1.12.0")
    assert main(["tools", "--format", "json"]) == 0
    terraform, tflint, _ = json.loads(capsys.readouterr().out)
    assert terraform == {
        "name": "terraform",
        "program": "terraform",
        "version": "1.12.0",
        "pinned": "1.11.4",
        "path": str(path / "terraform"),
        "source": "PATH",
        "state": "ready",
        "problem": None,
    }
    assert (tflint["state"], tflint["path"]) == ("missing", None)
    assert "not on PATH" in tflint["problem"]


# What the project asks for --------------------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> GitProject:
    """Not yet a repository: the rules are those of the working tree."""
    made = GitProject(tmp_path / "project")
    made.write(TOFU)
    return made


def test_a_project_of_opentofu_needs_tofu(path: Path, project: GitProject, capsys: pytest.CaptureFixture[str]) -> None:
    file = program(path / "tofu", "OpenTofu v1.11.4")
    arguments = ["tools", "--repo", str(project.folder / "modules")]
    assert main([*arguments, "--format", "json"]) == 0
    tofu, *others = json.loads(capsys.readouterr().out)
    assert (tofu["name"], tofu["program"], tofu["path"], tofu["state"]) == ("tofu", "tofu", str(file), "ready")
    assert tofu["pinned"] == load_pins()["tofu"].version
    assert [tool["name"] for tool in others] == ["tflint", "checkov"]
    file.unlink()
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[1].split() == ["tofu", "missing", load_pins()["tofu"].version, "-", "-"]
    assert "terraform" not in out
    assert err == ""


def test_install_installs_what_the_project_needs(
    path: Path, project: GitProject, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tofu, tflint, checkov = (cached(tmp_path, name) for name in ("tofu", "tflint", "checkov"))
    assert main(["tools", "install", "--repo", str(project.folder), "--format", "json"]) == 0
    out, err = capsys.readouterr()
    assert [line.rpartition(": ")[2] for line in err.splitlines()] == [str(tofu), str(tflint), str(checkov)]
    assert [(tool["name"], tool["state"]) for tool in json.loads(out)] == [
        ("tofu", "ready"),
        ("tflint", "ready"),
        ("checkov", "ready"),
    ]


def test_outside_of_any_project_it_is_terraform(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["tools", "--format", "json"]) == 0
    out, err = capsys.readouterr()
    assert [tool["name"] for tool in json.loads(out)] == ["terraform", "tflint", "checkov"]
    assert err == ""


def test_a_broken_configuration_is_a_warning(
    path: Path, project: GitProject, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project.write({"envs/dev.yaml": "surplus: 1\n"})
    assert main(["tools", "--repo", str(project.folder), "--format", "json"]) == 0
    out, err = capsys.readouterr()
    assert [tool["name"] for tool in json.loads(out)] == ["terraform", "tflint", "checkov"]
    assert err.startswith("Warning: the configuration has ")
    assert "envs/dev.yaml:1: surplus" in err
    assert err.endswith("So `terraform.program` cannot be read, and terraform is assumed.\n")
    cached(tmp_path, "tflint")
    assert main(["tools", "install", "tflint", "--repo", str(project.folder)]) == 0
    assert "Warning" not in capsys.readouterr().err, "who names a program is asked nothing of the project"


@pytest.fixture
def source(git_project: GitProject, tmp_path: Path) -> Path:
    """What a build has of a project: the folder of a bare clone."""
    git_project.commit(TOFU)
    git_project.git("branch", "--move", "trunk")
    git_project.git("clone", "--quiet", "--bare", ".", str(tmp_path / "source" / "repository.git"))
    return tmp_path / "source"


@pytest.mark.parametrize("step", ["check", "plan", "apply"])
def test_builds_install_what_the_rules_of_the_protected_branch_ask_for(
    step: str, source: Path, path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Patch
) -> None:
    """By the very line of the build specification."""
    monkeypatch.setenv("CODEBUILD_SRC_DIR", str(source))
    monkeypatch.setenv("ORCHESTRATE_RULES_REF", "refs/heads/trunk")
    monkeypatch.chdir(source)
    (path / "git").symlink_to(GIT)
    tools = [cached(tmp_path, name) for name in ("tofu", "tflint", "checkov")]
    (line,) = re.findall(r"^ +- (orchestrate tools install.*)$", (BUILDS / f"{step}.yml").read_text(), re.MULTILINE)
    assert main(shlex.split(os.path.expandvars(line))[1:]) == 0
    told = capsys.readouterr().err.splitlines()
    assert [line.rpartition(": ")[2] for line in told] == [str(tool) for tool in tools]


def test_path(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = program(path / "tflint", "TFLint version 0.64.0")
    assert main(["tools", "path", "tflint"]) == 0
    assert capsys.readouterr().out == f"{file}\n"


def test_path_of_a_missing_program(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tools", "path", "tflint"]) == 6
    out, err = capsys.readouterr()
    assert out == ""
    assert "orchestrate tools install tflint" in err


def test_a_program_that_is_not_known(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tools", "install", "kubectl"]) == 2
    assert "kubectl" in capsys.readouterr().err


def test_install_leaves_what_is_there(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    terraform = program(path / "terraform", "Terraform v1.11.4")
    tflint, checkov = cached(tmp_path, "tflint"), cached(tmp_path, "checkov")
    assert main(["--format", "json", "tools", "install"]) == 0
    out, err = capsys.readouterr()
    assert [tool["state"] for tool in json.loads(out)] == ["ready"] * 3
    assert err.splitlines() == [
        f"terraform 1.11.4: {terraform}",
        f"tflint 0.64.0: {tflint}",
        f"checkov {load_pins()['checkov'].version}: {checkov}",
    ]


def test_install_says_what_it_tried(
    path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing can be reached, and there is no Go."""
    for variable in ("http_proxy", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    assert main(["tools", "install", "tflint"]) == 6
    err = capsys.readouterr().err
    assert "tflint 0.64.0: downloading https://" in err
    assert "Error: tflint 0.64.0 could not be installed:" in err
    assert "`go` is not on PATH" in err
    assert "ORCHESTRATE_TFLINT" in err
