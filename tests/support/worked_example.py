"""Carries a page of docs/contributing/ out: writes its files, makes its changes, runs its commands."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_PATH = re.compile(r"`(?P<path>[\w./-]+/[\w./-]+\.\w+)`")
_COPIED = ("orchestrator", "tests", "envs", "modules", "buildspecs", "docs")


@dataclass(frozen=True)
class WorkedExample:
    """A copy of this working tree to which a page has been applied; `commands` are the lines of its shell."""

    folder: Path
    written: tuple[str, ...]
    commands: tuple[str, ...]

    def pytest(self, *tests: str) -> subprocess.CompletedProcess[str]:
        """Runs tests of the copy against the copy's code."""
        argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *tests]
        return subprocess.run(argv, cwd=self.folder, capture_output=True, text=True, check=False, timeout=120)

    def ruff(self) -> subprocess.CompletedProcess[str]:
        """What `make lint` would say of the style of what was written."""
        files = [path for path in self.written if path.endswith(".py")]
        argv = [sys.executable, "-m", "ruff", "check", "--no-cache", *files]
        return subprocess.run(argv, cwd=self.folder, capture_output=True, text=True, check=False, timeout=60)


def carried_out(page: Path, folder: Path) -> WorkedExample:
    """A block of Python is written to the file that the text before it names last; a diff changes the file it names."""
    for name in _COPIED:
        if (TOP / name).is_dir():
            shutil.copytree(TOP / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(TOP / "pyproject.toml", folder)
    written, commands = [], []
    for kind, path, text in _blocks(page.read_text("utf-8")):
        if kind == "diff":
            written.append(_changed(folder, text))
        elif kind == "sh":
            commands += text.splitlines()
        else:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
            written.append(path)
    return WorkedExample(folder, tuple(written), tuple(commands))


def _blocks(page: str) -> Iterator[tuple[str, str, str]]:
    end = 0
    for block in _BLOCK.finditer(page):
        named = _PATH.findall(page[end : block.start()])
        end = block.end()
        yield block["kind"], named[-1] if named else "", block["text"]


def _changed(folder: Path, diff: str) -> str:
    """Each hunk stands between lines that the file must have exactly once; line numbers would be wrong tomorrow."""
    head, *hunks = re.split(r"^@@.*\n", diff, flags=re.MULTILINE)
    path = re.findall(r"^\+\+\+ b/(.+)$", head, re.MULTILINE)[0]
    text = (folder / path).read_text()
    for hunk in hunks:
        lines = hunk.splitlines(keepends=True)
        old = "".join(line[1:] for line in lines if not line.startswith("+"))
        new = "".join(line[1:] for line in lines if not line.startswith("-"))
        assert text.count(old) == 1, f"{path}: {text.count(old)} places for\n{hunk}"
        text = text.replace(old, new)
    (folder / path).write_text(text)
    return str(path)
