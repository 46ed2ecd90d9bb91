"""What Terraform's data folder (TF_DATA_DIR) tells."""

from __future__ import annotations

import json
from pathlib import Path

BACKEND_SEEN = "terraform.tfstate"  # not the state, but where it is


def installed_providers(data: Path) -> frozenset[str]:
    """Addresses of the providers that `init` installed, such as `registry.terraform.io/hashicorp/aws`."""
    base = data / "providers"
    return frozenset("/".join(path.relative_to(base).parts) for path in base.glob("*/*/*") if path.is_dir())


def module_folders(data: Path, root: Path) -> dict[str, Path]:
    """The folders of all modules that `init` found, by address; the root itself left out."""
    try:
        manifest = json.loads((data / "modules" / "modules.json").read_bytes())
    except FileNotFoundError:
        return {}
    return {entry["Key"]: root / entry["Dir"] for entry in manifest["Modules"] if entry["Key"]}


def backend_before(data: Path) -> tuple[str, str] | None:
    """Bucket and key of the state that this workspace used last, None where it is new."""
    try:
        config = json.loads((data / BACKEND_SEEN).read_bytes())["backend"]["config"]
        return str(config["bucket"]), str(config["key"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
