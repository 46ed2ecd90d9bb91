"""Where the files of the modules lie that Terraform reads, as its own list of them says (`modules/modules.json`)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.effects.terraform.data_folder import module_entries
from orchestrator.errors import InvalidInput
from orchestrator.model.rules.check_settings import ModuleSource
from orchestrator.model.terraform.module_sources import OutsideModule, is_local, judge


@dataclass(frozen=True)
class ModuleTree:
    """What `init` left: `data` is its data folder, `tree` the folder of the commit's files, in which `root` lies."""

    data: Path
    root: Path
    tree: Path


def check_modules(at: ModuleTree, allowed: Iterable[ModuleSource]) -> dict[str, str]:
    """Digests of the modules from outside the commit, by address; the others lie in it, whatever links say.

    Raises InvalidInput for a module, or a link in the folder of one, that leads elsewhere, and for a module that the
    rules do not allow or whose content may change.
    """
    rules, entries = tuple(allowed), module_entries(at.data)
    fetched = (key for key, entry in entries.items() if key and not is_local(entry["Source"]))
    packages = {key: at.data / "modules" / key for key in fetched}
    digests: dict[str, str] = {}
    for key, entry in entries.items():
        package = _package_of(key, packages)
        home = at.tree if package is None else packages[package]
        _refuse_way_out(f"the module {key}" if key else "the root", at.root / entry["Dir"], home)
        if key in packages:
            found = _outside(key, entry, packages[key])
            judge(found, rules)
            digests[found.address] = found.digest
    return digests


def _package_of(key: str, packages: Mapping[str, Path]) -> str | None:
    """A module with a local source belongs to the package of the module that calls it."""
    parts = key.split(".") if key else []
    return next((name for n in range(len(parts), 0, -1) if (name := ".".join(parts[:n])) in packages), None)


def _refuse_way_out(told: str, folder: Path, home: Path) -> None:
    """Where the folder, or a link at any depth below it, leads out of `home`."""
    inside = Path(os.path.realpath(home.parent)) / home.name
    for path in (folder, *_links(folder)):
        if not Path(os.path.realpath(path)).is_relative_to(inside):
            raise InvalidInput(
                f"{told} reads files from outside the commit: {path} leads to {os.path.realpath(path)}",
                hint="Put them into the repository: what is not in the commit may be another file tomorrow.",
            )


def _links(folder: Path) -> Iterator[Path]:
    for current, folders, names in os.walk(folder):
        yield from (path for name in (*folders, *names) if (path := Path(current, name)).is_symlink())


def _outside(key: str, entry: Mapping[str, Any], package: Path) -> OutsideModule:
    address = f"module.{key.replace('.', '.module.')}"
    return OutsideModule(address, entry["Source"], entry.get("Version", ""), _digest(package), _head(package))


def _head(package: Path) -> str | None:
    try:
        return (package / ".git" / "HEAD").read_text().strip()
    except (OSError, ValueError):
        return None


def _digest(package: Path) -> str:
    """Of names, kinds and contents; what git itself keeps there is left out."""
    whole = hashlib.sha256()
    for path in sorted(_files(package)):
        kind, content = ("link", os.fsencode(os.readlink(path))) if path.is_symlink() else ("file", path.read_bytes())
        name = os.fsencode(path.relative_to(package))
        whole.update(f"{kind} {len(name)} {len(content)}\n".encode() + name + content)
    return whole.hexdigest()


def _files(package: Path) -> Iterator[Path]:
    for current, folders, names in os.walk(package):
        if Path(current) == package and ".git" in folders:
            folders.remove(".git")
        links = [name for name in folders if Path(current, name).is_symlink()]
        yield from (Path(current, name) for name in (*names, *links))
