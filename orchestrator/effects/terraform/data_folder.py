"""What Terraform's data folder (TF_DATA_DIR) tells."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator.errors import DependencyError, Refused
from orchestrator.model.terraform.root import Json
from orchestrator.model.terraform.used_backend import DEFAULT_WORKSPACE, UsedBackend, check_backend, of_plan

BACKEND_SEEN = "terraform.tfstate"  # not the state, but where it is


def installed_providers(data: Path) -> frozenset[str]:
    """Addresses of the providers that `init` installed, such as `registry.terraform.io/hashicorp/aws`."""
    base = data / "providers"
    return frozenset("/".join(path.relative_to(base).parts) for path in base.glob("*/*/*") if path.is_dir())


def module_folders(data: Path, root: Path) -> dict[str, Path]:
    """The folders of all modules that `init` found, by address; the root itself left out."""
    return {key: root / entry["Dir"] for key, entry in module_entries(data).items() if key}


def module_entries(data: Path) -> Mapping[str, Mapping[str, Any]]:
    """All modules that `init` found, the root ("") among them, by key: each with its `Source` and `Dir`."""
    try:
        found = json.loads((data / "modules" / "modules.json").read_bytes())["Modules"]
        entries = {str(entry["Key"]): entry for entry in found}
        assert all(isinstance(entry[name], str) for entry in found for name in ("Source", "Dir"))
    except FileNotFoundError:
        return {"": {"Source": "", "Dir": "."}}
    except (ValueError, KeyError, TypeError, AssertionError):
        raise DependencyError(f"Terraform's list of modules in {data} cannot be read") from None
    return {"": {"Source": "", "Dir": "."}, **entries}


def backend_before(data: Path) -> tuple[str, str] | None:
    """Bucket and key of the state that this workspace used last, None where it is new."""
    try:
        config = json.loads((data / BACKEND_SEEN).read_bytes())["backend"]["config"]
        return str(config["bucket"]), str(config["key"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def check_initialized(data: Path, expected: Json) -> None:
    """Raises Refused where `init` has opened another backend than `expected` (`{type: settings}`), and forgets it."""
    try:
        seen: dict[str, Any] = json.loads((data / BACKEND_SEEN).read_bytes())["backend"]
        used = UsedBackend(seen["type"], seen["config"], _workspace(data))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        used = None
    try:
        check_backend(used, expected, "the configuration")
    except Refused:
        (data / BACKEND_SEEN).unlink(missing_ok=True)
        raise


def check_plan_file(plan_file: Path, expected: Json) -> None:
    """Raises Refused where a saved plan would be applied to the state of another backend: it names its own."""
    try:
        with zipfile.ZipFile(plan_file) as parts:
            used = of_plan(parts.read("tfplan"))
    except (OSError, ValueError, KeyError, NotImplementedError, zipfile.BadZipFile) as error:
        raise DependencyError(f"the saved plan {plan_file} cannot be read: {error}") from None
    check_backend(used, expected, "the saved plan")


def _workspace(data: Path) -> str:
    """Terraform keeps the name of the workspace that was chosen last."""
    try:
        return (data / "environment").read_text().strip() or DEFAULT_WORKSPACE
    except FileNotFoundError:
        return DEFAULT_WORKSPACE
