"""What a build may do on this machine: write to its own folders, read what it needs, see nothing of its user's.

Where Linux lets an ordinary user make namespaces. Elsewhere (macOS, a kernel or a container that forbids them) a build
runs with all its user's rights, and its log says so. Its network is the machine's: it needs the emulated AWS, and
Terraform's registry.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import orchestrator
from orchestrate_sandbox import state
from orchestrate_sandbox.pipeline import confined
from orchestrate_sandbox.pipeline.place import here
from orchestrator.effects.system.cache import cache_folder

_PROGRAM = (sys.executable, "-I", "-S", confined.__file__)
_SOCKETS = ("/run/docker.sock", "/run/containerd/containerd.sock", "/run/podman/podman.sock", "/run/user")
_FILES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "TF_CLI_CONFIG_FILE")
_PROBE_SECONDS = 20


@dataclass(frozen=True)
class Confinement:
    """`refused` is why there is none; then commands run as they are."""

    prefix: tuple[str, ...] = ()
    refused: str | None = None

    def command(self, *command: str) -> list[str]:
        return [*self.prefix, *command]


def of_build(own: Iterable[Path], account: str) -> Confinement:
    """`own` are the build's folders. It pushes to the repositories of its account."""
    if reason := why_not():
        return Confinement(refused=reason)
    writable = [*own, here().folder / "workspaces", here().folder / "git" / account, cache_folder(os.environ)]
    if plugins := os.environ.get("TF_PLUGIN_CACHE_DIR"):
        writable.append(Path(plugins))
    spec = {
        "hidden": _paths([tempfile.gettempdir(), Path.home(), here().folder, state.base_folder(), *_SOCKETS]),
        "readable": _paths(_needed()),
        "writable": _paths(writable),
    }
    return Confinement((*_PROGRAM, json.dumps(spec)))


@functools.cache
def why_not() -> str | None:
    """Tried once, with a command that does nothing."""
    if sys.platform != "linux":
        return "there are no namespaces on this system"
    spec = json.dumps({"hidden": [], "readable": [], "writable": []})
    command = [*_PROGRAM, spec, "true"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_PROBE_SECONDS)
    except subprocess.TimeoutExpired:
        return "namespaces take too long"
    return (done.stderr.strip() or f"exit code {done.returncode}") if done.returncode else None


def _needed() -> list[str | Path]:
    """Python, its packages and ours, the programs on PATH, and the files that the environment names."""
    python: list[str | Path] = [
        sys.prefix,
        sys.base_prefix,
        sysconfig.get_path("purelib"),
        Path(sys.executable).resolve().parent,
    ]
    named = [os.environ[name] for name in _FILES if os.environ.get(name)]
    ours = [Path(orchestrator.__file__).parents[1], Path(__file__).parents[2], here().folder / "image"]
    programs = [folder for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if os.path.isabs(folder)]
    return [*python, *ours, *programs, *named]


def _paths(paths: Iterable[str | Path]) -> list[str]:
    """As the kernel knows them, without links; never the root folder, which everything is in."""
    resolved = (str(Path(path).resolve()) for path in paths)
    return [path for path in dict.fromkeys(resolved) if path != "/"]
