"""Terraform on copies of the modules, in one process of pytest for all tests of this folder.

What waits for AWS most of its time begins with the first test, whichever it is, and goes on beside the others. What is
only planned is planned in one process of Terraform, and what has a mocked provider in another.

Copies only: tftest deletes the lock file and the state of the folder it is given.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
import tftest

from orchestrate_sandbox.clients import client
from orchestrate_sandbox.environment import within
from orchestrate_sandbox.layout import SandboxLayout
from orchestrate_sandbox.process import Sandbox, start
from orchestrator.effects.tools.install import ensure
from orchestrator.effects.tools.providers import cli_config
from orchestrator.model.rules.region import partition_of
from tests.support import tooling_project
from tests.support.modules import cases, examples, runs, upgrade, versions
from tests.support.modules.root import DrivenRoot

REPOSITORY = Path(__file__).parents[2]
ACCOUNT = "000000000000"
BEGUN_EARLY = ("upgrade_begun", "blocks_begun", "tooling_begun")

Copied = Callable[[Path | None], Path]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest to be ready is asked for last."""
    items.sort(key=lambda item: "upgrade_begun" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session", autouse=True)
def _begun(request: pytest.FixtureRequest) -> None:
    """Begins what some test of this run will wait for."""
    used = {name for item in request.session.items for name in getattr(item, "fixturenames", ())}
    for name in BEGUN_EARLY:
        if name in used:
            request.getfixturevalue(name)


@pytest.fixture(scope="session")
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as threads:
        yield threads


@pytest.fixture(scope="session")
def terraform() -> str:
    """The program, found as `orchestrate` finds it."""
    return str(ensure("terraform", env=os.environ, progress=lambda _: None).path)


@pytest.fixture(scope="session")
def emulated() -> Iterator[Sandbox]:
    with start(SandboxLayout(tooling_account=ACCOUNT, region="us-east-1")) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def emulated_env(emulated: Sandbox) -> dict[str, str]:
    """For Terraform in the emulated AWS."""
    return {**within(_surroundings(), emulated.env), **cli_config(os.environ)}


def _surroundings() -> dict[str, str]:
    """Without variables that steer Terraform."""
    steering = ("TF_VAR_", "TF_CLI_ARGS", "TF_REATTACH")
    return {name: value for name, value in os.environ.items() if not name.startswith(steering)}


@pytest.fixture(scope="session")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Copied:
    """A new copy of the modules, of the repository's own or of those of another tree, and of what they read."""

    def copied(source: Path | None = None) -> Path:
        tree = tmp_path_factory.mktemp("tree")
        ignored = shutil.ignore_patterns(".terraform", "*.tfstate*")
        shutil.copytree((source or REPOSITORY) / "modules", tree / "modules", ignore=ignored)
        shutil.copytree(REPOSITORY / "buildspecs", tree / "buildspecs")
        shutil.copytree(REPOSITORY / "tests/modules", tree / "tests/modules", ignore=shutil.ignore_patterns("*.py*"))
        return tree / "modules"

    return copied


@pytest.fixture(scope="session")
def provider(terraform: str, modules: Copied) -> Path:
    """The program of the AWS provider, as Terraform has compared it with the lock file."""
    root = modules(None) / "workload"
    init = [terraform, "init", "-input=false", "-lockfile=readonly"]
    env = {**_surroundings(), **cli_config(os.environ)}
    subprocess.run(init, cwd=root, env=env, check=True, stdout=subprocess.DEVNULL)
    (program,) = root.glob(".terraform/providers/*/hashicorp/aws/*/*/terraform-provider-aws*")
    return program


@contextlib.contextmanager
def _serving(provider: Path, env: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """The environment with a process of the provider, which commands use one after the other.

    Terraform would start, and hash, the provider's 675 MB for every command, and for every run of a test. The shell
    ends it with its own standard input, so that it never outlives us.
    """
    command = ["sh", "-c", '"$0" -debug & cat; kill $!; wait', str(provider)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=env, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        said = next(line for line in process.stdout if "TF_REATTACH_PROVIDERS=" in line)
        yield {**env, "TF_REATTACH_PROVIDERS": said.partition("=")[2].strip().strip("'")}


@pytest.fixture(scope="session")
def terraform_env(provider: Path, emulated_env: dict[str, str]) -> Iterator[dict[str, str]]:
    with _serving(provider, emulated_env) as env:
        yield env


@pytest.fixture(scope="session")
def root(terraform: str, terraform_env: dict[str, str], modules: Copied) -> Callable[..., DrivenRoot]:
    """A root configuration made ready: `modules/<name>` of a new copy, or of `copy`. The Region is us-east-1."""

    def make(name: str, *, copy: Path | None = None, env: Mapping[str, str] = terraform_env) -> DrivenRoot:
        folder = (copy or modules(None)) / name
        made = DrivenRoot(folder, tftest.TerraformTest(str(folder), binary=terraform, env=dict(env)))
        made.init()
        return made

    return make


# What is applied: begun first, asked for last -------------------------------------------------------------------------


@pytest.fixture(scope="session")
def upgrade_begun(
    threads: ThreadPoolExecutor,
    provider: Path,
    emulated_env: dict[str, str],
    root: Callable[..., DrivenRoot],
    modules: Copied,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Future[upgrade.Upgraded]]:
    copy = modules(upgrade.previous(tmp_path_factory.mktemp("previous")))
    with _serving(provider, emulated_env) as env:
        yield threads.submit(upgrade.upgraded, lambda: root("workload", copy=copy, env=env))


@pytest.fixture(scope="session")
def blocks_begun(
    threads: ThreadPoolExecutor, provider: Path, emulated_env: dict[str, str], terraform: str, modules: Copied
) -> Iterator[Future[runs.RunsOutcome]]:
    folder = modules(None).parent / "tests/modules/roots/blocks"
    with _serving(provider, emulated_env) as env:
        yield threads.submit(runs.run, folder, terraform, env, with_plans=True)


@pytest.fixture(scope="session")
def tooling_begun(
    threads: ThreadPoolExecutor, provider: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Future[tooling_project.AppliedTooling]]:
    """With the provider that is checked already, which `orchestrate` would hash for each of its commands."""
    base, settings = tmp_path_factory.mktemp("tooling"), tmp_path_factory.mktemp("settings") / "terraform.tfrc.json"
    settings.write_text(
        json.dumps(
            {
                "provider_installation": [
                    {
                        "dev_overrides": [{"hashicorp/aws": str(provider.parent)}],
                        "filesystem_mirror": [{"path": str(provider.parents[5])}],
                    }
                ]
            }
        )
    )
    with start(tooling_project.LAYOUT) as sandbox:
        env = within(_surroundings(), sandbox.env) | {"TF_CLI_CONFIG_FILE": str(settings)}
        yield threads.submit(tooling_project.applied, base, sandbox, env)


# What is only planned -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def plan_of(
    emulated: Sandbox,
    terraform: str,
    terraform_env: dict[str, str],
    modules: Copied,
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str], runs.ModuleRun]:
    """The plan of a case, by its name, from an empty state: see cases.py. All are planned in one process."""
    copy = modules(None)
    versions.write(copy, tmp_path_factory.mktemp("published"))
    folder = copy / "cases"
    (folder / "tests").mkdir(parents=True)
    (folder / "main.tf").write_text("terraform {}\n")
    found = cases.read() | {"pinned-versions": versions.CASE}
    for name, case in found.items():
        run = {"command": "plan", "module": {"source": f"../{case.module}"}, "variables": case.variables}
        (folder / f"tests/{name}.tftest.json").write_text(json.dumps({"run": {"plan": run}}))
    with _roles(
        emulated,
        {(partition_of(role.region), role.name): role.region for case in found.values() for role in case.roles},
    ):
        outcome = runs.run(folder, terraform, terraform_env, with_plans=True)
    return lambda name: outcome.of(name)["plan"]


@contextlib.contextmanager
def _roles(emulated: Sandbox, roles: Mapping[tuple[str, str], str]) -> Iterator[None]:
    """Roles by partition and name, each with a Region of the partition, for as long as the block runs."""
    for (_, name), region in roles.items():
        client(emulated, "iam", region=region).create_role(RoleName=name, AssumeRolePolicyDocument="{}")
    yield
    for (_, name), region in roles.items():
        client(emulated, "iam", region=region).delete_role(RoleName=name)


@pytest.fixture(scope="session")
def own_tests(terraform: str, terraform_env: dict[str, str], modules: Copied) -> runs.RunsOutcome:
    """The modules' own tests by the module's name, and the examples of their READMEs."""
    copy = modules(None)
    texts = {file.parents[1].name: file.read_text() for file in copy.glob("*/tests/*.tftest.hcl")}
    folder = copy / "all"
    (folder / "tests").mkdir(parents=True)
    (folder / "main.tf").write_text("terraform {}\n")
    for module, text in texts.items():
        (folder / f"tests/{module}.tftest.hcl").write_text(runs.of_module(module, text))
    examples.write(copy, folder / "tests")
    return runs.run(folder, terraform, terraform_env)
