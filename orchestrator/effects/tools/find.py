"""Looks for a program: where a variable says, on PATH, then among those that we installed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from orchestrator.effects.system.cache import cache_folder
from orchestrator.effects.tools.pinned import load_pins, this_platform
from orchestrator.effects.tools.private import refuse_if_replaced, refuse_if_shared
from orchestrator.effects.tools.versions import announcement
from orchestrator.errors import DependencyError
from orchestrator.model.tools.dialect import serving
from orchestrator.model.tools.tool import Tool, ToolPin

Pins = Mapping[str, ToolPin]


def find(name: str, *, env: Mapping[str, str], pins: Pins | None = None) -> Tool:
    """The program to use for `name` (one of those that are pinned).

    $ORCHESTRATE_<NAME> may hold the path of a program, or a name to look for instead. Without it, a program on PATH is
    taken if its version is acceptable, else one that we installed. Raises DependencyError where there is none, or
    the one that is set may not be used.
    """
    pins = pins or load_pins()
    variable = f"ORCHESTRATE_{name.upper()}"
    asked = env.get(variable)
    if not asked:
        return _search(name, env, pins)
    if asked in serving(name):
        return _search(asked, env, pins)
    tool = _inspect(name, _program(asked, variable), env, pins)
    if isinstance(tool, Tool):
        return replace(tool, source="setting")
    raise DependencyError(tool, hint=_hint(name, pins))


def _program(asked: str, variable: str) -> Path:
    path = Path(asked)
    if path.is_absolute() and path.is_file() and os.access(path, os.X_OK):
        return path
    raise DependencyError(
        f"{variable} names {asked!r}, which is not the absolute path of a program",
        hint="Correct it, or remove it: then PATH and the tool cache are searched.",
    )


def _search(name: str, env: Mapping[str, str], pins: Pins) -> Tool:
    """One on PATH that may not be used is passed over where we installed one, and else is what the error tells."""
    path = on_path(name, env)
    found = _inspect(name, path, env, pins) if path else f"{name} is not on PATH and has not been installed"
    if isinstance(found, Tool) and found.name == name:
        return found
    installed = in_cache(name, env, pins[name])
    if installed:
        return installed
    if isinstance(found, Tool):
        found = (
            f"{path} is {found.name}, which has to be asked for by `terraform.program: {found.name}` in "
            f"envs/orchestrate.yaml, or by ORCHESTRATE_{name.upper()}={found.name}"
        )
    raise DependencyError(found, hint=_hint(name, pins))


def _inspect(name: str, path: Path, env: Mapping[str, str], pins: Pins) -> Tool | str:
    """The program at `path`, or why it cannot be used."""
    try:
        said = announcement(name, path, env)
    except DependencyError as failure:
        return failure.message
    pin = pins[said.name]
    if pin.accepts(said.version):
        return Tool(said.name, str(said.version), path, "PATH")
    needed = f"at least {pin.minimum} and less than {pin.below}"
    return f"{path} is {said.name} {said.version}, but {needed} is needed"


def on_path(name: str, env: Mapping[str, str]) -> Path | None:
    """Relative entries of PATH are left out: they would let the current folder choose the program."""
    absolute = [entry for entry in env.get("PATH", "").split(os.pathsep) if os.path.isabs(entry)]
    found = shutil.which(name, path=os.pathsep.join(absolute)) if absolute else None
    return Path(found) if found else None


def in_cache(name: str, env: Mapping[str, str], pin: ToolPin) -> Tool | None:
    """One that we installed. Its version is not asked for: it was checked before the folder got its name."""
    for version in pin.versions:
        folder = tool_folder(name, version, env)
        if is_complete(folder, name):
            for place in (folder.parent, folder, folder / name):
                refuse_if_shared(place)
            refuse_if_replaced(folder / name)
            return Tool(name, version, folder / name, "cache")
    return None


def tool_folder(name: str, version: str, env: Mapping[str, str]) -> Path:
    return cache_folder(env) / "tools" / f"{name}-{version}-{this_platform()}"


def is_complete(folder: Path, name: str) -> bool:
    """Whether the program is there, and the Python that it runs on, if any, has not been removed since."""
    interpreter = folder / "venv" / "bin" / "python"
    return os.access(folder / name, os.X_OK) and (interpreter.exists() or not interpreter.is_symlink())


def _hint(name: str, pins: Pins) -> str:
    return f"Run `orchestrate tools install {name}`, which installs {name} {pins[name].version} for you alone."
