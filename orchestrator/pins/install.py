"""Makes a virtual environment that holds what a lock names, in those versions, and nothing else.

    python3 -I install.py FOLDER LOCK [--editable PROJECT]... [--project PROJECT]...

A lock (a requirements file that `make lock` writes) names every package with its version and hashes. pip gets it with
`--no-deps`: where it may look at dependencies it asks the index for packages that another one wants with an extra,
finds a newer version than the lock's, and refuses it ("all requirements must have their versions pinned"). `pip check`
then says whether the packages fit together. pip itself and setuptools come first, from a lock of their own beside this
file, so that the result does not depend on what came with Python either; the one package that is published as source
alone is built with them.

An environment that was made of the same things by the same Python is left as it is. Everything else is made anew: what
a run left that was killed, what an older lock named, what somebody installed by hand.

This runs before anything is installed: it imports the standard library alone, and starts processes by itself.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

INSTALLER = Path(__file__).with_name("installer.txt")

_SOURCE_ONLY = "python-terraform"
_MARK = ".installed"
_ALONE = ["install", "--quiet", "--no-deps", "--no-compile"]

# Settings that would have pip install something else, or elsewhere. The index, proxies and certificates stay as set.
_DROPPED = frozenset(
    f"PIP_{name}"
    for name in (
        "TARGET PREFIX ROOT USER PYTHON REQUIREMENT EDITABLE CONSTRAINT BUILD_CONSTRAINT NO_BINARY ONLY_BINARY PRE "
        "DRY_RUN UPGRADE IGNORE_INSTALLED FORCE_REINSTALL PLATFORM PYTHON_VERSION IMPLEMENTATION ABI"
    ).split()
)


def main() -> int:
    options = _options()
    if sys.prefix != sys.base_prefix:  # the environment may be the very one that is made anew
        os.execv(sys._base_executable, [sys._base_executable, "-I", *sys.argv])  # type: ignore[attr-defined] # noqa: S606
    try:
        _install(options)
    except _NotInstalled as failure:
        sys.stderr.write(f"Error: {failure}\n")
        return 1
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Make a virtual environment from a lock.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("lock", type=Path)
    several: Any = {"action": "append", "default": [], "type": Path, "metavar": "PROJECT"}
    parser.add_argument("--editable", help="a folder to install as well, editable; may be repeated", **several)
    parser.add_argument("--project", help="a folder to install as well; may be repeated", **several)
    return parser.parse_args()


class _NotInstalled(Exception):
    """What went wrong, for people."""


def _install(options: argparse.Namespace) -> None:
    folder, lock = options.folder, options.lock
    wanted, mark = _digest(options), folder / _MARK
    if mark.is_file() and mark.read_text("utf-8") == wanted and not options.project:
        return
    started = time.monotonic()
    _say(f"Installing what {lock} names into {folder} (Python {_version()})")
    _new_environment(folder)
    _install_lock(folder, lock)
    for project in options.editable:
        _install_project(folder, "--editable", str(project.resolve()))
    for project in options.project:
        _install_project(folder, str(project.resolve()))
    _pip(folder, "check")
    _compile(folder)
    mark.write_text(wanted, "utf-8")
    _say(f"Installed in {time.monotonic() - started:.0f} s")


def _install_lock(folder: Path, lock: Path) -> None:
    hashed = [*_ALONE, "--require-hashes", "--only-binary=:all:"]
    _pip(folder, *hashed, "--requirement", str(INSTALLER))
    from_source = [f"--no-binary={_SOURCE_ONLY}", "--no-build-isolation"]
    _pip(folder, *hashed, *from_source, "--requirement", str(lock))


def _install_project(folder: Path, *which: str) -> None:
    _pip(folder, *_ALONE, "--no-build-isolation", "--no-index", *which)


def _compile(folder: Path) -> None:
    """On all processors, which pip does not. What does not compile (some packages hold templates) matters to nobody."""
    with contextlib.suppress(_NotInstalled):
        _run([_python(folder), "-I", "-m", "compileall", "-qq", "-j", "0", str(folder / "lib")])


def _new_environment(folder: Path) -> None:
    if folder.exists() and not (folder / "pyvenv.cfg").is_file() and any(folder.iterdir()):
        raise _NotInstalled(f"{folder} is not a virtual environment. Move it away, or name another folder.")
    (folder / _MARK).unlink(missing_ok=True)
    _run([sys.executable, "-I", "-m", "venv", "--clear", str(folder)])


def _digest(options: argparse.Namespace) -> str:
    """Of the Python, of the places (they stand in the scripts), and of everything that says what is installed."""
    sources = [INSTALLER, options.lock]
    places = [sys.base_prefix, str(options.folder.resolve())]
    sources += [project / "pyproject.toml" for project in options.editable]
    places += [str(project.resolve()) for project in options.editable]
    try:
        facts = [sys.version, *places, *(hashlib.sha256(source.read_bytes()).hexdigest() for source in sources)]
    except OSError as error:
        raise _NotInstalled(f"cannot read {error.filename}: {error.strerror}") from None
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest() + "\n"


def _pip(folder: Path, *arguments: str) -> None:
    _run([_python(folder), "-I", "-m", "pip", *arguments, "--disable-pip-version-check", "--no-input"])


def _run(argv: Sequence[str]) -> None:
    env = {name: value for name, value in os.environ.items() if name not in _DROPPED}
    done = subprocess.run(argv, env=env, stdout=subprocess.PIPE, check=False, text=True)
    if done.returncode != 0:
        sys.stdout.write(done.stdout)
        called = " ".join(argv[2:5])
        raise _NotInstalled(f"`{called} ...` failed (exit code {done.returncode}): see what it printed")


def _python(folder: Path) -> str:
    return str(folder / "bin" / "python")


def _version() -> str:
    return ".".join(map(str, sys.version_info[:3]))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
