"""The example that is planned: a repository with this one's modules, its stores, in a private sandbox."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.measure import timed
from orchestrate_sandbox.configured import layout_of
from orchestrate_sandbox.process import start
from orchestrator.effects.tools.find import find
from orchestrator.effects.tools.providers import cli_config
from orchestrator.model.rules.rules import Rules
from orchestrator.model.rules.tag import Tag
from orchestrator.model.rules.target import Target, locate
from orchestrator.model.terraform.override import GENERATED_FILE
from orchestrator.model.terraform.root import OVERRIDE_FILE, ROLE_VARIABLE

SOURCE = Path(__file__).resolve().parents[1]
ORCHESTRATE = Path(sys.executable).with_name("orchestrate")
TAG = "dev_global/research/1.0"

# As the script does it: init, plan, show. The checks and the policies' validation by AWS are apart from that.
_RULES = {
    "envs/orchestrate.yaml": """\
state: {prefix: bench, region: us-east-1}
tooling: {account: "000000000000"}
workload: {external_id: bench}
""",
    "envs/dev.yaml": """\
regions: [us-east-1]
global_resource_deploy_from_region: us-east-1
teams:
  research: {account: "111111111111"}
checks: {required: []}
policy: {access_analyzer: "off"}
""",
}
_SCRIPT = Path(__file__).with_name("plan.sh")
_DROPPED = ("AWS_", "GIT_", "ORCHESTRATE_", "TF_")


@dataclass(frozen=True)
class Example:
    """A release to plan: by `orchestrate` in `env`, or by `script` in `script_env` in a folder of its own."""

    repository: Path
    env: Mapping[str, str]
    script: tuple[str, ...]
    script_env: Mapping[str, str]


@contextlib.contextmanager
def stored() -> Iterator[tuple[Path, Mapping[str, str]]]:
    """The repository, its stores made and nothing released yet, and the environment for commands in it."""
    with tempfile.TemporaryDirectory(prefix="orchestrate-bench-") as name, start(layout_of(_rules())) as sandbox:
        base = Path(name)
        env = _environment(base, sandbox.env)
        repository = _repository(base / "repository", env)
        timed((str(ORCHESTRATE), "bootstrap", "--env", "dev"), repository, env)
        yield repository, env


def _rules() -> Rules:
    return Rules.parse(_RULES)


@contextlib.contextmanager
def ready() -> Iterator[Example]:
    """Both commands have run once, so that neither downloads nor parses anything for the first time."""
    target = locate(Tag.parse(TAG), _rules())
    with stored() as (repository, env):
        base = repository.parent
        timed((str(ORCHESTRATE), "plan", "--tag", TAG), repository, env)
        folder = base / "script"
        _take_settings(next((base / "workspaces").glob("*/dev/research/global")), target, folder / "settings")
        script = ("/bin/sh", str(_SCRIPT), str(repository), TAG, target.root, str(folder))
        example = Example(repository, env, script, _script_environment(env, target))
        timed(script, repository, example.script_env)
        yield example


def _environment(base: Path, sandbox: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_DROPPED)}
    tools = {name: os.environ[name] for name in ("ORCHESTRATE_CACHE", "TF_CLI_CONFIG_FILE") if name in os.environ}
    own = {"ORCHESTRATE_WORKSPACES": str(base / "workspaces"), "GIT_CONFIG_GLOBAL": os.devnull}
    return {**kept, **tools, **sandbox, **own}


def _repository(folder: Path, env: Mapping[str, str]) -> Path:
    shutil.copytree(SOURCE / "modules", folder / "modules", ignore=shutil.ignore_patterns("tests", ".terraform"))
    (folder / "envs").mkdir()
    for file, content in _RULES.items():
        (folder / file).write_text(content)
    who = ("-c", "user.name=Bench", "-c", "user.email=bench@example.com", "-c", "gc.auto=0")
    for arguments in (
        ("init", "--quiet", "--initial-branch", "main"),
        ("add", "--all"),
        ("commit", "--quiet", "--message", "Infrastructure"),
        ("tag", "--annotate", "--message", "Version 1.0", TAG),
    ):
        subprocess.run(("git", *who, *arguments), cwd=folder, env=env, check=True)
    return folder


def _take_settings(workspace: Path, target: Target, settings: Path) -> None:
    """The backend, role and variables that `orchestrate` has derived, so that both plan the same."""
    settings.mkdir(parents=True)
    for name in (OVERRIDE_FILE, GENERATED_FILE):
        shutil.copy(workspace / "source" / target.root / name, settings)
    shutil.copy(workspace / "run" / "orchestrate.tfvars.json", settings)


def _script_environment(env: Mapping[str, str], target: Target) -> dict[str, str]:
    """The same Terraform, found on PATH, with the same providers, Region and role."""
    terraform = find("terraform", env=env)
    own = {
        "PATH": f"{terraform.path.parent}{os.pathsep}{env['PATH']}",
        "AWS_REGION": target.region,
        "AWS_DEFAULT_REGION": target.region,
        f"TF_VAR_{ROLE_VARIABLE}": target.roles.plan,
        "TF_IN_AUTOMATION": "1",
    }
    return {**env, **cli_config(env), **own}
