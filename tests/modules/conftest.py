"""Terraform on copies of the modules, against one emulated AWS for all tests of this folder.

`root` drives a root configuration by tftest. Copies only: tftest deletes the lock file and the state of the folder
it is given.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import tftest

from orchestrator.effects.tools import cli_config
from orchestrator.effects.tools.install import ensure
from orchestrator.sandbox.environment import within
from orchestrator.sandbox.layout import SandboxLayout
from orchestrator.sandbox.process import Sandbox, start

REPOSITORY = Path(__file__).parents[2]
ACCOUNT = "000000000000"

Variables = Mapping[str, object]
Plan = dict[str, Any]


class Root:
    """A root configuration in a folder of its own; its state lies beside it, in `<state>.tfstate`."""

    def __init__(self, folder: Path, terraform: Any, state: str = "terraform") -> None:
        self.folder = folder
        self._terraform = terraform
        self._state = state

    def init(self) -> None:
        self._terraform.setup(cleanup_on_exit=False)

    def with_state(self, name: str) -> Root:
        """The same configuration with another state, as the scopes of one team have."""
        return Root(self.folder, self._terraform, name)

    def plan(self, variables: Variables) -> Plan:
        """The plan as `terraform show -json` tells it."""
        options = {"tf_var_file": self._written(variables), "state": self._file()}
        plan: Plan = self._terraform.plan(output=True, **options)._raw
        return plan

    def changes(self, variables: Variables, *, refresh: bool = True) -> dict[str, str]:
        """What a plan would do, by address; moves included, what stays as it is not.

        From the plan's own messages, which spares the second command that `plan` needs. Without `refresh` it trusts
        the state: enough where only an input differs from what was just applied.
        """
        command = ["-json", "-input=false", f"-state={self._file()}", f"-refresh={str(refresh).lower()}"]
        command.append(f"-var-file={self._written(variables)}")
        said = [json.loads(line) for line in self._terraform.execute_command("plan", *command).out.splitlines()]
        planned = [line["change"] for line in said if line["type"] == "planned_change"]
        return {change["resource"]["addr"]: change["action"] for change in planned if change["action"] != "read"}

    def apply(self, variables: Variables) -> None:
        self._terraform.apply(tf_var_file=self._written(variables), state=self._file())

    def destroy(self, variables: Variables) -> None:
        self._terraform.destroy(tf_var_file=self._written(variables), state=self._file())

    def outputs(self) -> dict[str, Any]:
        return dict(self._terraform.output(state=self._file()))

    def state(self) -> set[str]:
        """Addresses of everything in the state."""
        return set(self._terraform.execute_command("state", "list", f"-state={self._file()}").out.split())

    def refusal(self, variables: Variables) -> str:
        """What Terraform says of a plan that it must refuse, on one line, without its frame."""
        with pytest.raises(tftest.TerraformTestError) as raised:
            self._terraform.plan(tf_var_file=self._written(variables), state=self._file())
        return " ".join(str(raised.value.cmd_error).replace("│", " ").split())

    def _file(self) -> str:
        return str(self.folder / f"{self._state}.tfstate")

    def _written(self, variables: Variables) -> str:
        file = self.folder / "test.tfvars.json"
        file.write_text(json.dumps(dict(variables)))
        return str(file)


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
    """For Terraform in the emulated AWS: no variable of the surroundings steers it."""
    steering = ("TF_VAR_", "TF_CLI_ARGS", "TF_REATTACH")
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
    return {**within(surroundings, emulated.env), **cli_config(os.environ)}


@pytest.fixture(scope="session")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path | None], Path]:
    """A new copy of the modules, of the repository's own or of those of another tree."""

    def copied(source: Path | None = None) -> Path:
        tree = tmp_path_factory.mktemp("tree")
        ignored = shutil.ignore_patterns(".terraform", "*.tfstate*")
        shutil.copytree((source or REPOSITORY) / "modules", tree / "modules", ignore=ignored)
        shutil.copytree(REPOSITORY / "tests/modules", tree / "tests/modules", ignore=shutil.ignore_patterns("*.py*"))
        return tree / "modules"

    return copied


@pytest.fixture(scope="session")
def terraform_env(
    terraform: str, emulated_env: dict[str, str], modules: Callable[[Path | None], Path]
) -> Iterator[dict[str, str]]:
    """The same with one process of the AWS provider, which all commands use one after the other.

    Terraform would start, and hash, the provider's 675 MB for every command, and for every run of a test.
    """
    root = modules(None) / "workload"
    init = [terraform, "init", "-input=false", "-lockfile=readonly"]
    subprocess.run(init, cwd=root, env=emulated_env, check=True, stdout=subprocess.DEVNULL)
    (program,) = root.glob(".terraform/providers/*/hashicorp/aws/*/*/terraform-provider-aws*")
    with (
        (root / "provider.log").open("w") as log,
        subprocess.Popen(
            [program, "-debug"], env=emulated_env, stdout=subprocess.PIPE, stderr=log, text=True
        ) as provider,
    ):
        assert provider.stdout is not None
        said = next(line for line in provider.stdout if "TF_REATTACH_PROVIDERS=" in line)
        yield {**emulated_env, "TF_REATTACH_PROVIDERS": said.partition("=")[2].strip().strip("'")}
        provider.terminate()


@pytest.fixture(scope="session")
def root(terraform: str, terraform_env: dict[str, str], modules: Callable[[Path | None], Path]) -> Callable[..., Root]:
    """A root configuration made ready: `modules/<name>` of a new copy, or of `copy`. The Region is us-east-1."""

    def make(name: str, *, copy: Path | None = None) -> Root:
        folder = (copy or modules(None)) / name
        made = Root(folder, tftest.TerraformTest(str(folder), binary=terraform, env=terraform_env))
        made.init()
        return made

    return make
