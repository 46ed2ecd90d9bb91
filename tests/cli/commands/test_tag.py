"""`orchestrate tag`, through the command line, with real git."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator.cli.main import main
from orchestrator.effects.git.repository import Repository
from tests.support.git_project import RULES, GitProject

WANTED = ["tag", "--env", "dev", "--team", "research", "--version"]


@pytest.fixture
def project(git_project: GitProject, monkeypatch: pytest.MonkeyPatch) -> GitProject:
    monkeypatch.chdir(git_project.folder)
    return git_project


@pytest.fixture
def origin(project: GitProject, tmp_path: Path) -> GitProject:
    """A bare repository that the project pushes to."""
    bare = tmp_path / "origin.git"
    project.git("clone", "--quiet", "--bare", ".", str(bare))
    project.git("remote", "add", "origin", str(bare))
    return GitProject(bare)


def tags_of(project: GitProject) -> list[str]:
    return project.git("tag", "--list").splitlines()


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Exit code and message of a call that must fail and print no result."""
    code = main(arguments)
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    return code, err


def test_one_scope(project: GitProject, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*WANTED, "1.0", "--scope", "us-east-1", "--format", "json"]) == 0
    commit = project.git("rev-parse", "HEAD")
    made = project.git("rev-parse", "refs/tags/dev_us-east-1/research/1.0")
    assert json.loads(capsys.readouterr().out) == {
        "tags": [{"tag": "dev_us-east-1/research/1.0", "commit": commit, "object": made}],
        "pushed": False,
    }
    assert project.git("cat-file", "-t", made) == "tag"
    assert "Release 1.0 of research to dev, us-east-1" in project.git("cat-file", "tag", made)
    assert main(["show", "--tag", "dev_us-east-1/research/1.0"]) == 0


def test_all_scopes_global_first(project: GitProject, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*WANTED, "1.0", "--all-scopes", "--message", "# why\n-x"]) == 0
    out, err = capsys.readouterr()
    names = ["dev_global/research/1.0", "dev_us-east-1/research/1.0", "dev_eu-central-1/research/1.0"]
    assert [line.split()[0] for line in out.splitlines()[:3]] == names
    assert f"-> commit {project.git('rev-parse', 'HEAD')[:12]} (HEAD)" in out
    assert "git push --atomic origin refs/tags/dev_global/research/1.0" in out
    assert "Release dev_global/research/1.0 before the Regions" in err
    assert sorted(tags_of(project)) == sorted(names)


def test_scopes_are_put_in_order_and_repetitions_dropped(
    project: GitProject, capsys: pytest.CaptureFixture[str]
) -> None:
    scopes = ["--scope", "eu-central-1", "--scope", "global", "--scope", "eu-central-1"]
    assert main([*WANTED, "1.0-rc.1", *scopes, "--format", "json"]) == 0
    made = json.loads(capsys.readouterr().out)["tags"]
    assert [each["tag"] for each in made] == ["dev_global/research/1.0-rc.1", "dev_eu-central-1/research/1.0-rc.1"]


def test_another_commit(project: GitProject, capsys: pytest.CaptureFixture[str]) -> None:
    first = project.git("rev-parse", "HEAD")
    project.commit({"new": "x"})
    project.git("branch", "stable", first)
    for version, name in (("1.0", first), ("1.1", "stable")):
        assert main([*WANTED, version, "--scope", "global", "--commit", name, "--format", "json"]) == 0
        assert json.loads(capsys.readouterr().out)["tags"][0]["commit"] == first


def test_uncommitted_changes_are_mentioned(project: GitProject, capsys: pytest.CaptureFixture[str]) -> None:
    project.write({"modules/workload/main.tf": "# changed\n"})
    assert main([*WANTED, "1.0", "--scope", "global"]) == 0
    assert "changes that are not committed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ["tag", "--env", "prd", "--team", "research", "--version", "1.0", "--scope", "global"],
            3,
            "no environment 'prd'",
        ),
        (["tag", "--env", "prd", "--team", "research", "--version", "1.0", "--all-scopes"], 3, "no environment 'prd'"),
        (["tag", "--env", "dev", "--team", "reserch", "--version", "1.0", "--all-scopes"], 3, "Did you mean research?"),
        (
            ["tag", "--env", "Dev", "--team", "research", "--version", "1.0", "--all-scopes"],
            3,
            "is not allowed in a tag",
        ),
        ([*WANTED, "1", "--all-scopes"], 3, "Did you mean 1.0?"),
        ([*WANTED, "1.0", "--scope", "us-east-11"], 3, "Did you mean us-east-1?"),
        ([*WANTED, "1.0", "--scope", "us-west-2"], 3, "us-west-2 is not a Region of team research"),
        ([*WANTED, "1.0", "--scope", "global", "--scope", "us-east-1/../x"], 3, "is not a release tag"),
        ([*WANTED, "1.0", "--scope", "global", "--commit", "missing"], 3, "there is no branch or commit 'missing'"),
        ([*WANTED, "1.0", "--scope", "global", "--commit=--all"], 3, "there is no branch or commit '--all'"),
        ([*WANTED, "1.0"], 2, "either --scope"),
        ([*WANTED, "1.0", "--scope", "global", "--all-scopes"], 2, "either --scope"),
        ([*WANTED, "1.0", "--scope", "global", "--push"], 6, "git ls-remote failed"),
        (
            [*WANTED, "1.0", "--scope", "global", "--push", "--remote=--upload-pack=touch evil"],
            6,
            "git ls-remote failed",
        ),
    ],
)
def test_nothing_is_made_where_the_request_is_wrong(
    project: GitProject, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, message: str
) -> None:
    found, err = refused(arguments, capsys)
    assert (found, message in err) == (code, True), err
    assert tags_of(project) == []
    assert not (project.folder / "evil").exists()


@pytest.mark.parametrize(
    ("existing", "version", "message"),
    [
        ("1.0", "1.0", "the tag dev_us-east-1/research/1.0 exists already"),
        ("1.0.0", "1.0", "is the same version as dev_us-east-1/research/1.0.0, which exists"),
        ("1.0", "1.0.0", "is the same version as dev_us-east-1/research/1.0, which exists"),
        ("1.10", "1.9", "dev_us-east-1/research/1.9 is older than 1.10, the newest version of this target"),
        ("1.0", "1.0-rc.1", "is older than 1.0"),
    ],
)
def test_versions_that_are_taken_or_old(
    project: GitProject, capsys: pytest.CaptureFixture[str], existing: str, version: str, message: str
) -> None:
    project.tag(f"dev_us-east-1/research/{existing}")
    project.tag("dev_us-east-1/research/not-a-version")
    project.tag("dev_us-east-1/risk/99.0")
    before = tags_of(project)
    code, err = refused([*WANTED, version, "--all-scopes"], capsys)
    assert (code, message in err) == (4, True), err
    assert tags_of(project) == before


def test_an_older_version_where_that_is_meant(project: GitProject) -> None:
    project.tag("dev_global/research/2.0")
    assert main([*WANTED, "1.0", "--scope", "global", "--allow-older"]) == 0
    assert main([*WANTED, "2.0.0", "--scope", "global", "--allow-older"]) == 4


@pytest.mark.parametrize("blocking", ["dev_us-east-1", "dev_us-east-1/research", "dev_us-east-1/research/1.0/x"])
def test_a_tag_that_stands_in_the_way(project: GitProject, capsys: pytest.CaptureFixture[str], blocking: str) -> None:
    project.tag(blocking)
    code, err = refused([*WANTED, "1.0", "--all-scopes"], capsys)
    assert code == 3
    assert f"the tag '{blocking}' stands in the way of dev_us-east-1/research/1.0" in err
    assert f"git tag -d {blocking}" in err
    assert tags_of(project) == [blocking]


def test_a_blocking_name_with_shell_characters_is_quoted(
    project: GitProject, capsys: pytest.CaptureFixture[str]
) -> None:
    project.git("update-ref", "refs/tags/dev_global/research/1.0/;id", "HEAD")
    _, err = refused([*WANTED, "1.0", "--scope", "global"], capsys)
    assert "git tag -d 'dev_global/research/1.0/;id'" in err


def test_all_objections_are_told_at_once(project: GitProject, capsys: pytest.CaptureFixture[str]) -> None:
    project.tag("dev_us-east-1/research/1.0")
    project.tag("dev_eu-central-1/research/2.0")
    code, err = refused([*WANTED, "1.0", "--all-scopes"], capsys)
    assert code == 4
    assert "the tag dev_us-east-1/research/1.0 exists already" in err
    assert "dev_eu-central-1/research/1.0 is older than 2.0" in err


def test_a_commit_that_is_not_on_the_protected_branch(project: GitProject, capsys: pytest.CaptureFixture[str]) -> None:
    project.git("checkout", "--quiet", "-b", "feature")
    project.commit({"new": "x"})
    code, err = refused([*WANTED, "1.0", "--scope", "global"], capsys)
    assert (code, "is not on the protected branch" in err) == (4, True)
    project.git("checkout", "--quiet", "main")
    project.commit({"envs/dev.yaml": RULES["envs/dev.yaml"] + "allow_unmerged_commits: true\n"})
    assert main([*WANTED, "1.0", "--scope", "global", "--commit", "feature"]) == 0


def test_a_commit_that_could_not_be_released(project: GitProject, capsys: pytest.CaptureFixture[str]) -> None:
    project.git("rm", "-r", "--quiet", "modules")
    project.commit()
    code, err = refused([*WANTED, "1.0", "--scope", "global"], capsys)
    assert (code, "has no folder modules/workload" in err) == (3, True)


def test_rules_come_from_the_protected_branch(project: GitProject, capsys: pytest.CaptureFixture[str]) -> None:
    project.write({"envs/qa.yaml": RULES["envs/dev.yaml"].replace("11111", "33333").replace("22222", "44444")})
    code, err = refused(["tag", "--env", "qa", "--team", "research", "--version", "1.0", "--all-scopes"], capsys)
    assert (code, "there is no environment 'qa'" in err) == (3, True)


def failing_create(
    monkeypatch: pytest.MonkeyPatch, on: int, error: BaseException, before: Callable[[], object] = lambda: None
) -> None:
    """The creation number `on` fails, as when the disk is full or somebody presses Ctrl-C."""
    create, calls = Repository.create_tag, iter(range(1, 100))

    def sometimes(self: Repository, *arguments: Any, **options: Any) -> None:
        if next(calls) == on:
            before()
            raise error
        create(self, *arguments, **options)

    monkeypatch.setattr(Repository, "create_tag", sometimes)


@pytest.mark.parametrize(("error", "code"), [(OSError(28, "No space left on device"), 6), (KeyboardInterrupt(), 130)])
def test_a_failure_half_way_removes_what_was_made(
    project: GitProject, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int
) -> None:
    project.tag("dev_global/research/0.9")
    failing_create(monkeypatch, 3, error)
    assert main([*WANTED, "1.0", "--all-scopes"]) == code
    assert tags_of(project) == ["dev_global/research/0.9"]


def test_tags_that_cannot_be_removed_again_are_named(
    project: GitProject, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody moves the first tag before the third fails."""

    def move() -> None:
        project.git("tag", "--force", "--annotate", "--message", "moved", "dev_global/research/1.0")

    failing_create(monkeypatch, 3, OSError(28, "No space left on device"), move)
    code, err = refused([*WANTED, "1.0", "--all-scopes"], capsys)
    assert code == 6
    assert "No space left on device\nthe tags dev_global/research/1.0 could not be removed again" in err
    assert tags_of(project) == ["dev_global/research/1.0"]


def test_a_signature_that_fails_leaves_no_tag(
    project: GitProject, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "own"))
    (tmp_path / "own").write_text("[gpg]\n\tprogram = /nonexistent/gpg\n")
    code, err = refused([*WANTED, "1.0", "--all-scopes", "--sign"], capsys)
    assert (code, "git tag failed: fatal: cannot run" in err) == (6, True), err
    assert tags_of(project) == []


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="there is no ssh-keygen")
def test_signed_tags(project: GitProject, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    (tmp_path / "signers").write_text(f"person@example.com {key.with_suffix('.pub').read_text()}")
    settings = {
        "gpg.format": "ssh",
        "user.signingKey": str(key),
        "gpg.ssh.allowedSignersFile": str(tmp_path / "signers"),
    }
    for name, value in settings.items():
        project.git("config", name, value)
    assert main([*WANTED, "1.0", "--all-scopes", "--sign"]) == 0
    for name in tags_of(project):
        project.git("verify-tag", name)


def test_pushed(origin: GitProject, project: GitProject, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*WANTED, "1.0", "--all-scopes", "--push", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["pushed"] is True
    assert tags_of(origin) == tags_of(project)
    assert main([*WANTED, "1.1", "--scope", "global", "--push"]) == 0
    assert "Pushed to origin." in capsys.readouterr().out


def test_a_tag_that_only_the_remote_has(
    origin: GitProject, project: GitProject, capsys: pytest.CaptureFixture[str]
) -> None:
    origin.tag("dev_us-east-1/research/1.0", "main")
    code, err = refused([*WANTED, "1.0", "--all-scopes", "--push"], capsys)
    assert (code, "origin already has dev_us-east-1/research/1.0" in err) == (4, True)
    assert tags_of(project) == []


def test_a_push_that_is_refused_leaves_nothing_behind(
    origin: GitProject, project: GitProject, capsys: pytest.CaptureFixture[str]
) -> None:
    hook = origin.folder / "hooks" / "update"
    hook.write_text('#!/bin/sh\ncase "$1" in *eu-central-1*) printf "\\033[31mno\\n" >&2; exit 1;; esac\n')
    hook.chmod(0o755)
    code, err = refused([*WANTED, "1.0", "--all-scopes", "--push"], capsys)
    assert (code, "git push failed" in err, "git fetch --tags" in err) == (6, True, True)
    assert "\x1b" not in err
    assert tags_of(project) == tags_of(origin) == []
