"""What tests look at as a plan: variables for a module, from files that say what must come of them.

`inventories/*.yaml` are inputs of the workload with the resources that they must give, `refusals.yaml` inputs that end
the plan, `deploy-roles.yaml` inputs whose policies are judged.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ACCOUNT = "000000000000"
_HERE = Path(__file__).parents[2] / "modules"
INVENTORIES = sorted((_HERE / "inventories").glob("*.yaml"))


@dataclass(frozen=True)
class Role:
    """One that is there before the plan: a regional scope looks for the global one's."""

    region: str
    name: str


@dataclass(frozen=True)
class Case:
    module: str
    variables: dict[str, Any]
    roles: tuple[Role, ...] = ()


@dataclass(frozen=True)
class Inventory:
    """`values` are attributes that a resource must have, by its address."""

    variables: dict[str, Any]
    inventory: dict[str, int]
    values: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def case(self) -> Case:
        given = self.variables
        role = Role(given["region"], f"{given['env']}-{given['team']}-flow-logs")
        return Case("workload", given, () if given["scope"] == "global" else (role,))


def read() -> dict[str, Case]:
    """All, by the name of the file, or by a name in a file."""
    inventories = {path.stem: inventory(path.read_text()).case for path in INVENTORIES}
    return inventories | {
        name: Case(found["module"], found["variables"])
        for file in ("refusals", "deploy-roles")
        for name, found in listed(file).items()
    }


def inventory(text: str) -> Inventory:
    """Raises ValueError for an inventory that is missing or empty: it would hold for anything."""
    data = yaml.safe_load(text)
    if not data.get("inventory"):
        raise ValueError("the inventory is empty: list the resources that the inputs must give")
    variables = {"account": ACCOUNT, "release": "1.0", **data["variables"]}
    return Inventory(variables, data["inventory"], data.get("values", {}))


def listed(file: str) -> dict[str, dict[str, Any]]:
    """What a file holds beside what its parts share, which stands under `shared`."""
    data = yaml.safe_load((_HERE / f"{file}.yaml").read_text())
    return {name: found for name, found in data.items() if name != "shared"}
