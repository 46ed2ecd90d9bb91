"""Ways to get a program where its release cannot be downloaded: build it with Go, or install it with pip."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from orchestrator import pins
from orchestrator.effects.system import process
from orchestrator.effects.tools.download import Unreachable
from orchestrator.errors import DependencyError
from orchestrator.model.tools.tool import GoModule, PythonPackage

Environment = Mapping[str, str]

_BUILD_SECONDS = 1200.0
_PIP_SECONDS = 900.0


def go_install(go: GoModule, version: str, folder: Path, env: Environment) -> Path:
    """Builds `module`@v`version` into `folder` and returns the program's path.

    Go checks every module against its checksum database; that check is not to be turned off from outside. Raises
    Unreachable where that fails, DependencyError where what was built is not what is pinned.
    """
    if shutil.which("go", path=env.get("PATH")) is None:
        raise Unreachable("`go` is not on PATH")
    settings = {key: value for key, value in env.items() if key not in _GO_LOOPHOLES and value != "off"}
    settings |= {"GOFLAGS": "-mod=mod", "GOBIN": str(folder), "CGO_ENABLED": "0"}
    _do(["go", "install", f"{go.module}@v{version}"], folder, settings, _BUILD_SECONDS)
    program = folder / go.module.rpartition("/")[2]
    built = _do(["go", "version", "-m", str(program)], folder, settings, _BUILD_SECONDS)
    if ["mod", go.module, f"v{version}", go.sum] not in [line.split() for line in built.splitlines()]:
        raise DependencyError(
            f"what Go built from {go.module}@v{version} does not have the pinned hash {go.sum}",
            hint="Do not use it. A module proxy may have answered with something else (`go env GOPROXY`).",
        )
    return program


_GO_LOOPHOLES = frozenset({"GONOSUMDB", "GONOSUMCHECK", "GONOPROXY", "GOPRIVATE", "GOINSECURE", "GOOS", "GOARCH"})


def pip_install(python: PythonPackage, folder: Path, env: Environment) -> Path:
    """Makes a virtual environment in `folder`/venv that holds what the package's lock names; returns its Python.

    Raises Unreachable where that fails.
    """
    script, lock = pins.FOLDER / "install.py", pins.FOLDER / python.lock
    _do([sys.executable, "-I", str(script), str(folder / "venv"), str(lock)], folder, env, _PIP_SECONDS)
    return _interpreter(folder)


def make_venv(folder: Path, env: Environment) -> Path:
    """An empty one, in `folder`/venv; returns its Python."""
    _do([sys.executable, "-I", "-m", "venv", "--without-pip", str(folder / "venv")], folder, env, _PIP_SECONDS)
    return _interpreter(folder)


def _interpreter(folder: Path) -> Path:
    return folder / "venv" / "bin" / "python"


def from_own_environment(python: PythonPackage, file: str) -> Path | None:
    """A file of the package, where orchestrate was installed with it (the extra `embedded`) in the pinned version."""
    try:
        distribution = importlib.metadata.distribution(python.package)
    except importlib.metadata.PackageNotFoundError:
        return None
    path = Path(str(distribution.locate_file(file)))
    return path if f"{python.package}=={distribution.version}" == python.requirement and path.is_file() else None


def _do(argv: Sequence[str], cwd: Path, env: Environment, seconds: float) -> str:
    try:
        done = process.run(argv, cwd=cwd, env=env, timeout=seconds)
    except DependencyError as failure:
        raise Unreachable(failure.message) from None
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-6:]
        command = next(word for word in argv[1:] if not word.startswith("-"))
        called = f"{os.path.basename(argv[0])} {os.path.basename(command)}"
        raise Unreachable(f"`{called}` failed: {' '.join(' '.join(said).split())[-1000:]}")
    return done.stdout
