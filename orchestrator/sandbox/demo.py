"""`make demo`: a release from a git tag to answering infrastructure, on the emulated AWS of this machine.

Makes a repository of its own from the example in this one, and then only runs git and the commands that it shows;
so the demo teaches the tool.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

_SOURCE = Path(__file__).resolve().parents[2]
_FOLDER = _SOURCE / ".demo" / "infrastructure"
_ORCHESTRATE = Path(sys.executable).with_name("orchestrate")
_EXAMPLE = ("modules", "envs")
_LEFT_OUT = shutil.ignore_patterns("tests", ".terraform", "*.tfstate*", "__pycache__")

_GLOBAL, _REGIONAL = "dev_global/research/1.0", "dev_us-east-1/research/1.0"
_NEXT = "dev_us-east-1/research/1.1"
_VARIABLES = Path("envs", "dev", "research.tfvars")


class Demo:
    """Runs commands in the example repository and shows each before it runs."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self._folder = folder
        self._env = env

    def orchestrate(self, *arguments: str) -> None:
        self._show("orchestrate", *arguments)
        self._run([str(_ORCHESTRATE), *arguments])

    def answer(self, *arguments: str) -> dict[str, object]:
        """What a command says as JSON; nothing is shown."""
        command = [str(_ORCHESTRATE), *arguments, "--format", "json"]
        done = subprocess.run(command, cwd=self._folder, env=self._env, check=True, stdout=subprocess.PIPE)
        return dict(json.loads(done.stdout))

    def git(self, *arguments: str) -> None:
        self._show("git", *arguments)
        self._run(["git", *arguments])

    def _show(self, *command: str) -> None:
        click.secho(f"\n$ {shlex.join(command)}", fg="cyan", bold=True)

    def _run(self, command: Sequence[str]) -> None:
        done = subprocess.run(command, cwd=self._folder, env=self._env, check=False)
        if done.returncode != 0:
            raise SystemExit(done.returncode)


def say(text: str) -> None:
    click.secho(f"\n{text}", bold=True)


def make_repository(folder: Path) -> None:
    """A new repository with the example infrastructure, committed on the branch main."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in _EXAMPLE:
        shutil.copytree(_SOURCE / name, folder / name, ignore=_LEFT_OUT)
    _git(folder, "init", "--quiet", "--initial-branch", "main")
    _git(folder, "config", "user.name", "Demo")
    _git(folder, "config", "user.email", "demo@example.com")
    _git(folder, "config", "tag.gpgSign", "false")
    _git(folder, "config", "commit.gpgSign", "false")
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "--message", "Infrastructure")


def _git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True)


def sandbox_environment(folder: Path) -> dict[str, str]:
    """Starts the sandbox of this repository and returns the environment for what runs in it."""
    command = [str(_ORCHESTRATE), "sandbox", "up", "--format", "json"]
    done = subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE)
    answer = json.loads(done.stdout)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**kept, **answer["env"]}


def show_page(demo: Demo, tag: str, env: Mapping[str, str]) -> None:
    """Fetches the released page as a browser would, through the sandbox's proxy."""
    verified = demo.answer("verify", "--tag", tag)
    url = str(verified["url"])
    click.secho(f"\n$ curl --proxy {env['http_proxy']} {url}", fg="cyan", bold=True)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": env["http_proxy"]}))
    with opener.open(url, timeout=10) as response:
        click.echo(response.read().decode())


def first_release(demo: Demo) -> None:
    say("1. Version 1.0 of team research in dev: first what is global, then a Region. Tags name what is released.")
    version = ("--env", "dev", "--team", "research", "--version")
    demo.orchestrate("tag", *version, "1.0", "--scope", "global", "--scope", "us-east-1")
    demo.orchestrate("show", "--tag", _REGIONAL)
    say("2. The environment's stores: state, locks, releases and the ledger.")
    demo.orchestrate("bootstrap", "--env", "dev")
    say("3. Release: lint and scan, plan, apply exactly that plan, verify.")
    demo.orchestrate("release", "--tag", _GLOBAL)
    say("   (AWS takes about a minute to make a load balancer, and the provider waits for the emulated one as well.)")
    demo.orchestrate("release", "--tag", _REGIONAL)


def second_release(demo: Demo, folder: Path) -> None:
    say("4. Version 1.1 changes the headline of the page.")
    path = folder / _VARIABLES
    path.parent.mkdir(exist_ok=True)
    path.write_text('greeting = "Hello from version 1.1"\n')
    demo.git("add", str(_VARIABLES))
    demo.git("commit", "--quiet", "--message", "A new headline")
    demo.orchestrate("tag", "--env", "dev", "--team", "research", "--version", "1.1", "--scope", "us-east-1")
    for check in ("lint", "scan"):
        demo.orchestrate(check, "--tag", _NEXT)
    demo.orchestrate("plan", "--tag", _NEXT)
    say("   This plan was reviewed and is stored; apply takes exactly it, once.")
    demo.orchestrate("apply", "--tag", _NEXT)
    demo.orchestrate("verify", "--tag", _NEXT)


def what_there_is(demo: Demo, env: Mapping[str, str]) -> None:
    say("5. What runs where, where its state is, and what a browser sees.")
    demo.orchestrate("status", "--env", "dev")
    demo.orchestrate("history", "--env", "dev", "--team", "research")
    import boto3  # what is shown here is the bucket itself, not what the tool says of it

    s3 = boto3.client(
        "s3",
        endpoint_url=env["AWS_ENDPOINT_URL"],
        region_name=env["AWS_REGION"],
        aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
    )
    click.secho("\n$ aws s3 ls --recursive s3://acme-tf-dev/", fg="cyan", bold=True)
    for item in s3.list_objects_v2(Bucket="acme-tf-dev").get("Contents", []):
        click.echo(f"{item['LastModified']:%Y-%m-%d %H:%M:%S} {item['Size']:>8} {item['Key']}")
    show_page(demo, _NEXT, env)


def main(folder: Path) -> None:
    """Makes the repository in `folder` and shows a first and a second release in it."""
    started = time.monotonic()
    shown = os.path.relpath(folder)
    say(f"An example repository is made in {shown}, and the emulated AWS is started.")
    make_repository(folder)
    env = sandbox_environment(folder)
    demo = Demo(folder, env)
    try:
        first_release(demo)
        second_release(demo, folder)
        what_there_is(demo, env)
    finally:
        demo.orchestrate("sandbox", "down")
    say(f"Done in {time.monotonic() - started:.0f} s. Try it yourself: cd {shown}, then")
    click.echo('  eval "$(orchestrate sandbox up)" starts an empty AWS; `orchestrate --help` lists the commands.')


if __name__ == "__main__":
    main(Path(*sys.argv[1:2]).absolute() if sys.argv[1:] else _FOLDER)
