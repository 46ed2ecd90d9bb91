"""Ways to get a program where its release cannot be downloaded: build it with Go, or install it with pip."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from orchestrator import pins
from orchestrator.effects import process
from orchestrator.effects.tools.download import Unreachable
from orchestrator.errors import SurroundingsFailed
from orchestrator.model.tool import GoModule, PythonPackage

Environment = Mapping[str, str]

_BUILD_SECONDS = 1200.0
_PIP_SECONDS = 900.0


def go_install(go: GoModule, version: str, folder: Path, env: Environment) -> Path:
    """Builds `module`@v`version` into `folder` and returns the program's path.

    Go checks every module against its checksum database; that check is not to be turned off from outside. Raises
    Unreachable where that fails, SurroundingsFailed where what was built is not what is pinned.
    """
    if shutil.which("go", path=env.get("PATH")) is None:
        raise Unreachable("`go` is not on PATH")
    settings = {key: value for key, value in env.items() if key not in _GO_LOOPHOLES and value != "off"}
    settings |= {"GOFLAGS": "-mod=mod", "GOBIN": str(folder), "CGO_ENABLED": "0"}
    _do(["go", "install", f"{go.module}@v{version}"], folder, settings, _BUILD_SECONDS)
    program = folder / go.module.rpartition("/")[2]
    built = _do(["go", "version", "-m", str(program)], folder, settings, _BUILD_SECONDS)
    if ["mod", go.module, f"v{version}", go.sum] not in [line.split() for line in built.splitlines()]:
        raise SurroundingsFailed(
            f"what Go built from {go.module}@v{version} does not have the pinned hash {go.sum}",
            hint="Do not use it. A module proxy may have answered with something else (`go env GOPROXY`).",
        )
    return program


_GO_LOOPHOLES = frozenset({"GONOSUMDB", "GONOSUMCHECK", "GONOPROXY", "GOPRIVATE", "GOINSECURE", "GOOS", "GOARCH"})


def pip_install(python: PythonPackage, folder: Path, env: Environment) -> Path:
    """Makes a virtual environment in `folder`/venv from pinned hashes; returns its Python.

    Raises Unreachable where that fails.
    """
    interpreter = make_venv(folder, env)
    options = ["--require-hashes", "--no-input", "--disable-pip-version-check", "--quiet"]
    requirements = str(pins.FOLDER / python.lock)
    command = [str(interpreter), "-I", "-m", "pip", "install", *options, "-r", requirements]
    _do(command, folder, _plain(env), _PIP_SECONDS)
    return interpreter


def make_venv(folder: Path, env: Environment, *options: str) -> Path:
    _do([sys.executable, "-I", "-m", "venv", *options, str(folder / "venv")], folder, _plain(env), _PIP_SECONDS)
    return folder / "venv" / "bin" / "python"


_PIP_LOOPHOLES = frozenset({"PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_REQUIREMENT", "PIP_CONSTRAINT"})


def _plain(env: Environment) -> Environment:
    """Without what would send pip's work elsewhere; the index, proxies and certificates stay as they are set."""
    return {key: value for key, value in env.items() if key not in _PIP_LOOPHOLES}


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
    except SurroundingsFailed as failure:
        raise Unreachable(failure.message) from None
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-4:]
        raise Unreachable(f"`{os.path.basename(argv[0])} {argv[1]}` failed: {' '.join(' '.join(said).split())[-600:]}")
    return done.stdout
