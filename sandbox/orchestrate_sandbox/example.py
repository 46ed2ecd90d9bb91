"""What the demos share: a repository made from the example in this one, a sandbox, and commands that are shown."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from orchestrate_sandbox.process import Sandbox

SOURCE = Path(__file__).resolve().parents[2]
_ORCHESTRATE = Path(sys.executable).with_name("orchestrate")
_EXAMPLE = ("modules", "envs")
_LEFT_OUT = shutil.ignore_patterns("tests", ".terraform", "*.tfstate*", "__pycache__")


class Demo:
    """Runs commands in the example repository and shows each before it runs."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self._folder = folder
        self._env = env

    def orchestrate(self, *arguments: str, expected: int = 0) -> None:
        """Ends the program where the exit code is not the expected one."""
        show("orchestrate", *arguments)
        self._run([str(_ORCHESTRATE), *arguments], expected)

    def answer(self, *arguments: str) -> dict[str, object]:
        """What a command says as JSON; nothing is shown."""
        command = [str(_ORCHESTRATE), *arguments, "--format", "json"]
        done = subprocess.run(command, cwd=self._folder, env=self._env, check=True, stdout=subprocess.PIPE)
        return dict(json.loads(done.stdout))

    def git(self, *arguments: str) -> None:
        show("git", *arguments)
        self._run(["git", *arguments], 0)

    def _run(self, command: Sequence[str], expected: int) -> None:
        done = subprocess.run(command, cwd=self._folder, env=self._env, check=False)
        if done.returncode != expected:
            raise SystemExit(done.returncode or 1)


def say(text: str) -> None:
    click.secho(f"\n{text}", bold=True)


def show(*command: str) -> None:
    click.secho(f"\n$ {shlex.join(command)}", fg="cyan", bold=True)


def make_repository(folder: Path, changes: Mapping[str, str | None] | None = None) -> None:
    """A new repository with the example infrastructure, committed on the branch main.

    `changes` are texts of files that are to be otherwise; those with None are left out.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in _EXAMPLE:
        shutil.copytree(SOURCE / name, folder / name, ignore=_LEFT_OUT)
    for name, text in (changes or {}).items():
        (folder / name).unlink(missing_ok=True)
        if text is not None:
            write(folder / name, text)
    _git(folder, "init", "--quiet", "--initial-branch", "main")
    _git(folder, "config", "user.name", "Demo")
    _git(folder, "config", "user.email", "demo@example.com")
    _git(folder, "config", "tag.gpgSign", "false")
    _git(folder, "config", "commit.gpgSign", "false")
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "--message", "Infrastructure")


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True)


def started_sandbox(folder: Path, *options: str) -> Sandbox:
    """A new background sandbox for the repository; `options` are those of `orchestrate sandbox up`.

    One that an earlier run has left, because it was killed, holds that run's accounts and perhaps older code.
    """
    subprocess.run([str(_ORCHESTRATE), "sandbox", "down"], cwd=folder, check=True, capture_output=True)
    command = [str(_ORCHESTRATE), "sandbox", "up", *options, "--format", "json"]
    done = subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE)
    return Sandbox(**json.loads(done.stdout))


def within(sandbox: Sandbox) -> dict[str, str]:
    """The environment for what runs in it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**kept, **sandbox.env}


def show_page(url: str, sandbox: Sandbox) -> None:
    """Fetches the released page as a browser would, through the sandbox's proxy."""
    show("curl", "--proxy", sandbox.proxy, url)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": sandbox.proxy}))
    with opener.open(url, timeout=10) as response:
        click.echo(response.read().decode())
