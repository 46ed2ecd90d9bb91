"""A root configuration that tftest drives."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tftest

Variables = Mapping[str, object]


@dataclass(frozen=True)
class Told:
    """What a command told: what it would do, or did, by address (moves included); and what went wrong."""

    changes: dict[str, str]
    errors: list[str]


class DrivenRoot:
    """In a folder of its own; its state lies beside it, in `<state>.tfstate`."""

    def __init__(self, folder: Path, terraform: Any, state: str = "terraform") -> None:
        self.folder = folder
        self._terraform = terraform
        self._state = state

    def init(self) -> None:
        self._terraform.setup(cleanup_on_exit=False)

    def with_state(self, name: str) -> DrivenRoot:
        """The same configuration with another state, as the scopes of one team have."""
        return DrivenRoot(self.folder, self._terraform, name)

    def changes(self, variables: Variables) -> dict[str, str]:
        """What a plan would do, by address; moves included, what stays as it is not.

        From the plan's own messages, which spares a second command that shows it.
        """
        told = self._told("plan", f"-var-file={self._written(variables)}")
        assert told.errors == []
        return told.changes

    def apply(self, variables: Variables) -> dict[str, str]:
        """What it did, as `changes` tells it."""
        told = self.try_apply(variables)
        assert told.errors == []
        return told.changes

    def try_apply(self, variables: Variables) -> Told:
        return self._told("apply", "-auto-approve", f"-var-file={self._written(variables)}")

    def destroy(self, variables: Variables) -> None:
        self._terraform.destroy(tf_var_file=self._written(variables), state=self._file())

    def outputs(self) -> dict[str, Any]:
        return dict(self._terraform.output(state=self._file()))

    def state(self) -> set[str]:
        """Addresses of everything in the state."""
        return set(self._terraform.execute_command("state", "list", f"-state={self._file()}").out.split())

    def graph(self) -> str:
        return str(self._terraform.execute_command("graph").out)

    def _told(self, command: str, *options: str) -> Told:
        try:
            said = self._terraform.execute_command(
                command, "-json", "-input=false", f"-state={self._file()}", *options
            ).out
        except tftest.TerraformTestError as error:
            said = str(error.args[0])
        told = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
        planned = [line["change"] for line in told if line["type"] == "planned_change"]
        problems = [line["diagnostic"] for line in told if line["type"] == "diagnostic"]
        return Told(
            {change["resource"]["addr"]: change["action"] for change in planned if change["action"] != "read"},
            [f"{one['summary']}: {one['detail']}" for one in problems if one["severity"] == "error"],
        )

    def _file(self) -> str:
        return str(self.folder / f"{self._state}.tfstate")

    def _written(self, variables: Variables) -> str:
        file = self.folder / "test.tfvars.json"
        file.write_text(json.dumps(dict(variables)))
        return str(file)
