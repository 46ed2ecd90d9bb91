"""`orchestrate show`, through the command line, with real git."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.cli.main import main
from tests.support.git_project import RULES, GitProject

TAG = "dev_us-east-1/research/1.0"


@pytest.fixture
def tagged(git_project: GitProject, monkeypatch: pytest.MonkeyPatch) -> GitProject:
    git_project.commit({"envs/dev.tfvars": "", "envs/dev/research/us-east-1.tfvars": "", "envs/prod.tfvars": ""})
    git_project.tag(TAG)
    monkeypatch.chdir(git_project.folder)
    return git_project


def test_json(tagged: GitProject, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "--tag", TAG, "--format", "json"]) == 0
    out, err = capsys.readouterr()
    commit = tagged.git("rev-parse", "HEAD")
    assert json.loads(out) == {
        "tag": TAG,
        "env": "dev",
        "scope": "us-east-1",
        "team": "research",
        "version": "1.0",
        "commit": commit,
        "tag_object": tagged.git("rev-parse", f"refs/tags/{TAG}"),
        "rules_commit": commit,
        "target": "research/dev-us-east-1",
        "account": "111111111111",
        "region": "us-east-1",
        "partition": "aws",
        "root": "modules/workload",
        "var_files": ["envs/dev.tfvars", "envs/dev/research/us-east-1.tfvars"],
        "backend": {
            "bucket": "acme-tf-dev",
            "key": "research/dev-us-east-1/terraform.tfstate",
            "region": "us-east-1",
            "dynamodb_table": "acme-tf-lock-dev",
            "use_lockfile": True,
            "encrypt": True,
        },
        "stores": {
            "env": "dev",
            "region": "us-east-1",
            "state_bucket": "acme-tf-dev",
            "lock_table": "acme-tf-lock-dev",
            "release_bucket": "acme-tf-releases-dev",
            "ledger_table": "acme-tf-ledger-dev",
            "kms_alias": "alias/acme-tf-dev",
        },
        "roles": {
            "plan": "arn:aws:iam::111111111111:role/InfraPlanRole",
            "apply": "arn:aws:iam::111111111111:role/InfraBuildRole",
        },
    }
    assert err == ""


def test_text(tagged: GitProject, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "--tag", TAG]) == 0
    out = capsys.readouterr().out
    assert f"tag        {TAG} (object " in out
    assert "state      s3://acme-tf-dev/research/dev-us-east-1/terraform.tfstate (us-east-1)" in out
    assert "locks      table acme-tf-lock-dev, lock file" in out


def test_env_lines_are_safe_for_a_shell(tagged: GitProject, capsys: pytest.CaptureFixture[str]) -> None:
    evil = "x $(touch evil); 'quoted' `id`"
    tagged.commit({f"{evil}/main.tf": "", "envs/dev.yaml": RULES["envs/dev.yaml"]})
    assert main(["--format", "env", "show", "--tag", TAG]) == 0
    out = capsys.readouterr().out
    shell = subprocess.run(["sh", "-euc", f"{out}\nenv -0"], capture_output=True, check=True, env={})
    assert shell.stderr == b""
    values = dict(line.partition("=")[::2] for line in (shlex.split(line)[0] for line in out.splitlines()))
    assert values["ENV"] == "dev"
    assert values["TARGET_DEPLOYMENT_SCOPE"] == "us-east-1"
    assert values["TEAM"] == "research"
    assert values["BACKEND_KEY"] == "research/dev-us-east-1/terraform.tfstate"


def test_options_come_before_or_after_the_command(tagged: GitProject, capsys: pytest.CaptureFixture[str]) -> None:
    repo = str(tagged.folder / "modules")
    for arguments in (["--repo", repo, "--format", "json", "show"], ["show", "--repo", repo, "--format", "json"]):
        assert main([*arguments, "--tag", TAG]) == 0
        assert json.loads(capsys.readouterr().out)["tag"] == TAG


def test_a_release_never_supplies_its_own_rules(tagged: GitProject, capsys: pytest.CaptureFixture[str]) -> None:
    rules_commit = tagged.git("rev-parse", "HEAD")
    tagged.git("checkout", "--quiet", "-b", "evil")
    evil = {name: text.replace("111111111111", "999999999999") for name, text in RULES.items()}
    tagged.commit(evil | {"envs/dev.yaml": evil["envs/dev.yaml"] + "allow_unmerged_commits: true\n"})
    tagged.tag("dev_us-east-1/research/2.0")
    assert main(["show", "--tag", "dev_us-east-1/research/2.0"]) == 4
    assert "is not on the protected branch" in capsys.readouterr().err
    tagged.git("checkout", "--quiet", "main")
    allowing = tagged.commit({"envs/dev.yaml": RULES["envs/dev.yaml"] + "allow_unmerged_commits: true\n"})
    assert main(["show", "--tag", "dev_us-east-1/research/2.0", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["account"], found["rules_commit"]) == ("111111111111", allowing)
    assert rules_commit != allowing


def test_rules_ref_names_the_protected_branch(tagged: GitProject, capsys: pytest.CaptureFixture[str]) -> None:
    tagged.git("branch", "trunk")
    tagged.commit({"envs/dev.yaml": RULES["envs/dev.yaml"].replace("111111111111", "999999999999")})
    for ref, account in (("trunk", "111111111111"), ("main", "999999999999")):
        assert main(["show", "--tag", TAG, "--format", "json", "--rules-ref", ref]) == 0
        assert json.loads(capsys.readouterr().out)["account"] == account


@pytest.mark.parametrize(
    ("tag", "code", "message"),
    [
        ("prod_us-east-1/research/1.0", 3, "there is no environment 'prod'"),
        ("dev_us-east-1/reserch/1.0", 3, "Did you mean research?"),
        ("dev_us-east-11/research/1.0", 3, "Did you mean us-east-1?"),
        ("dev_us-east-1/research/v1", 3, "Did you mean 1.0?"),
        ("dev_us-east-1/research/1.0; touch evil", 3, "the character ';' is not allowed in a tag"),
        ("$(touch evil)", 3, "the character '$' is not allowed in a tag"),
        ("--tag", 3, "is not a release tag"),
        ("dev_us-east-1/research/1.0\0", 3, r"the character '\x00' is not allowed"),
        ("dev_us-east-1/research/1.0\udcff", 3, "outside ASCII"),
        ("x" * 100_000, 3, "it has 100000 characters, 128 are allowed"),
        ("dev_us-east-1/research/1.1", 3, f"Did you mean {TAG}?"),
        ("dev_eu-central-1/risk/1.0", 3, "eu-central-1 is not a Region of team risk"),
    ],
)
def test_bad_tags(tagged: GitProject, capsys: pytest.CaptureFixture[str], tag: str, code: int, message: str) -> None:
    assert main(["show", f"--tag={tag}"]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert "Traceback" not in err
    assert len(err.splitlines()) <= 3
    assert not list(tagged.folder.glob("evil*"))


def test_a_lightweight_tag_is_refused_unless_allowed(tagged: GitProject, capsys: pytest.CaptureFixture[str]) -> None:
    tagged.git("tag", "dev_us-east-1/research/1.1")
    assert main(["show", "--tag", "dev_us-east-1/research/1.1"]) == 4
    assert "is a lightweight tag" in capsys.readouterr().err
    tagged.commit({"envs/dev.yaml": RULES["envs/dev.yaml"] + "allow_lightweight_tags: true\n"})
    assert main(["show", "--tag", "dev_us-east-1/research/1.1"]) == 0


def test_outside_a_repository(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "--tag", TAG, "--repo", str(tmp_path)]) == 6
    assert "is not in a git repository" in capsys.readouterr().err


def test_without_git_on_the_path(tagged: GitProject) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "orchestrator", "show", "--tag", TAG],
        env={"PATH": "/nonexistent"},
        cwd=tagged.folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 6
    assert "there is no git on the PATH" in done.stderr
    assert "Traceback" not in done.stderr


def test_show_starts_few_processes_and_imports_no_heavy_library(tagged: GitProject) -> None:
    """What makes it start within 150 ms on an idle machine, without measuring time."""
    heavy = ["git", "boto3", "botocore", "hcl2", "rich", "jsonschema", "python_terraform", "urllib.request", "difflib"]
    code = (
        "import sys\nfrom orchestrator.cli.main import main\n"
        "started = []\n"
        "sys.addaudithook(lambda event, args: started.append(args[1]) if event == 'subprocess.Popen' else None)\n"
        f"assert main(['show', '--tag', {TAG!r}]) == 0\n"
        f"print([name for name in {heavy!r} if name in sys.modules], len(started), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tagged.folder, capture_output=True, text=True, check=True)
    imported, count = done.stderr.rsplit(" ", 1)
    assert imported == "[]"
    assert int(count) <= 5
