"""Asks a program for its version, and remembers the answer for as long as the file stays the same."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.effects import process
from orchestrator.effects.tools.cache import cache_folder, private_folder, write_atomically
from orchestrator.errors import SurroundingsFailed
from orchestrator.model.tool import Version, announced, parse_version

_QUESTIONS = {"terraform": "version", "tflint": "--version", "checkov": "--version", "tofu": "version"}
_PATIENCE = 120.0  # seconds; checkov's first start on a cold disk takes long


@dataclass(frozen=True)
class Announcement:
    """What a program says it is."""

    name: str
    version: Version


def announcement(name: str, path: Path, env: Mapping[str, str]) -> Announcement:
    """Which program stands at `path`, which is expected to be `name`. Raises SurroundingsFailed where it is not."""
    entry = _entry(name, path, env) if _answers_for_itself(name, path) else None
    known = _recall(entry, path) if entry else None
    if known is not None:
        return known
    answer = ask(name, path, env)
    if entry:
        _remember(entry, path, answer)
    return answer


def ask(name: str, path: Path, env: Mapping[str, str]) -> Announcement:
    """As `announcement`, always by starting the program."""
    # Neither the surroundings' Terraform settings nor a folder that chooses a version may change the answer.
    quiet = {key: value for key, value in env.items() if not key.startswith("TF_")} | {"CHECKPOINT_DISABLE": "1"}
    with tempfile.TemporaryDirectory(prefix="orchestrate-") as empty:
        done = process.run([path, _QUESTIONS[name]], cwd=Path(empty), env=quiet, timeout=_PATIENCE)
    found = announced(name, done.stdout) if done.returncode == 0 else None
    if found is None:
        raise SurroundingsFailed(
            f"{path} does not say that it is {name} when asked for its version: {_excerpt(done)}",
            hint="`orchestrate tools` shows which tools are found, and where.",
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


def _entry(name: str, path: Path, env: Mapping[str, str]) -> Path:
    digest = hashlib.sha256(f"{name}\0{path.resolve()}".encode(errors="surrogateescape")).hexdigest()
    return cache_folder(env) / "versions" / f"{digest}.json"


def _identity(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ino]


def _recall(entry: Path, path: Path) -> Announcement | None:
    """Any doubt about the entry means that it is not there."""
    try:
        known = json.loads(entry.read_bytes())
        if entry.stat().st_uid != os.geteuid() or known["file"] != _identity(path):
            return None
        return Announcement(str(known["name"]), parse_version(known["version"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _remember(entry: Path, path: Path, answer: Announcement) -> None:
    """A cache that cannot be written costs time, never a release."""
    known = {"file": _identity(path), "name": answer.name, "version": str(answer.version)}
    with contextlib.suppress(OSError, SurroundingsFailed):
        private_folder(entry.parent)
        write_atomically(entry, json.dumps(known))
