"""Asks a program for its version, and remembers the answer for as long as the file stays the same."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.effects.system import process
from orchestrator.effects.system.cache import Cache, cache_folder
from orchestrator.effects.tools.pinned import load_pins
from orchestrator.errors import DependencyError
from orchestrator.model.tools.tool import ToolVersion, announced, parse_version

_KIND = "versions"
_SEE = "`orchestrate tools` shows which tools are found, and where."


@dataclass(frozen=True)
class Announcement:
    """What a program says it is."""

    name: str
    version: ToolVersion


def announcement(name: str, path: Path, env: Mapping[str, str]) -> Announcement:
    """Which program stands at `path`, which is expected to be `name`. Raises DependencyError where it is not."""
    if not _answers_for_itself(name, path):
        return ask(name, path, env)
    cache, key = Cache(cache_folder(env)), _key(name, path)
    known = _recall(cache, key)
    if known is not None:
        return known
    answer = ask(name, path, env)
    _remember(cache, key, answer)
    return answer


def ask(name: str, path: Path, env: Mapping[str, str]) -> Announcement:
    """As `announcement`, always by starting the program."""
    pins = load_pins()
    pin = pins[name]
    # Neither the surroundings' Terraform settings nor a folder that chooses a version may change the answer.
    quiet = {key: value for key, value in env.items() if not key.startswith("TF_")} | {"CHECKPOINT_DISABLE": "1"}
    with tempfile.TemporaryDirectory(prefix="orchestrate-") as empty:
        try:
            done = process.run([path, pin.asked], cwd=Path(empty), env=quiet, timeout=pin.patience)
        except DependencyError as failure:
            raise DependencyError(f"{path} does not say its version: {failure.message}", hint=_SEE) from None
    found = announced(name, done.stdout, pins) if done.returncode == 0 else None
    if found is None:
        raise DependencyError(
            f"{path} does not say that it is {name} when asked for its version: {_excerpt(done)}",
            hint=_SEE,
        )
    return Announcement(*found)


def _excerpt(done: process.Completed) -> str:
    said = " ".join((done.stdout.strip() or done.stderr.strip()).split())
    return f"exit code {done.returncode}, {said[:200]!r}"


_PYTHON_SCRIPT = re.compile(rb"#!\s?(/\S+/)?python[0-9.]*(\s|$)|#!/bin/sh\n'''exec' ")


def _answers_for_itself(name: str, path: Path) -> bool:
    """Whether the file alone decides the version.

    A shim of a version manager (asdf, mise, tenv, tfenv, pyenv) answers differently from day to day and folder to
    folder: a shell script, or a link to a program of another name. A script that pip made is rewritten when the
    package changes.
    """
    with contextlib.suppress(OSError), path.open("rb") as file:
        head = file.read(256)
        return path.resolve().name == name and (not head.startswith(b"#!") or bool(_PYTHON_SCRIPT.match(head)))
    return False


def _key(name: str, path: Path) -> str:
    """Everything that the answer depends on."""
    file = path.resolve()
    status = file.stat()
    facts = [name, str(file), status.st_size, status.st_mtime_ns, status.st_ino]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _recall(cache: Cache, key: str) -> Announcement | None:
    """Any doubt about an entry means that it is not there."""
    try:
        name, version = json.loads(cache.get(_KIND, key) or b"")
        return Announcement(str(name), parse_version(version))
    except (ValueError, TypeError):
        return None


def _remember(cache: Cache, key: str, answer: Announcement) -> None:
    """A cache that cannot be written costs time, never a release."""
    with contextlib.suppress(OSError):
        cache.put(_KIND, key, json.dumps([answer.name, str(answer.version)]).encode())
