"""`make demo`: a release from a git tag to answering infrastructure, on the emulated AWS of this machine.

Makes a repository of its own from the example in this one, and then only runs git and the commands that it shows;
so the demo teaches the tool.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import click

from orchestrate_sandbox.clients import client
from orchestrate_sandbox.example import (
    SOURCE,
    Demo,
    make_repository,
    say,
    show,
    show_page,
    started_sandbox,
    within,
    write,
)
from orchestrate_sandbox.process import Sandbox

_FOLDER = SOURCE / ".demo" / "infrastructure"

_GLOBAL, _REGIONAL = "dev_global/research/1.0", "dev_us-east-1/research/1.0"
_NEXT = "dev_us-east-1/research/1.1"
_VARIABLES = "envs/dev/research.tfvars"


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
    write(folder / _VARIABLES, 'greeting = "Hello from version 1.1"\n')
    demo.git("add", _VARIABLES)
    demo.git("commit", "--quiet", "--message", "A new headline")
    demo.orchestrate("tag", "--env", "dev", "--team", "research", "--version", "1.1", "--scope", "us-east-1")
    for check in ("lint", "scan"):
        demo.orchestrate(check, "--tag", _NEXT)
    demo.orchestrate("plan", "--tag", _NEXT)
    say("   This plan was reviewed and is stored; apply takes exactly it, once.")
    demo.orchestrate("apply", "--tag", _NEXT)
    demo.orchestrate("verify", "--tag", _NEXT)


def what_there_is(demo: Demo, sandbox: Sandbox) -> None:
    say("5. What runs where, where its state is, and what a browser sees.")
    demo.orchestrate("status", "--env", "dev")
    demo.orchestrate("history", "--env", "dev", "--team", "research")
    show("aws", "s3", "ls", "--recursive", "s3://acme-tf-dev/")  # the bucket itself, not what the tool says of it
    for item in client(sandbox, "s3").list_objects_v2(Bucket="acme-tf-dev").get("Contents", []):
        click.echo(f"{item['LastModified']:%Y-%m-%d %H:%M:%S} {item['Size']:>8} {item['Key']}")
    show_page(str(demo.answer("verify", "--tag", _NEXT)["url"]), sandbox)


def main(folder: Path) -> None:
    """Makes the repository in `folder` and shows a first and a second release in it."""
    started = time.monotonic()
    shown = os.path.relpath(folder)
    say(f"An example repository is made in {shown}, and the emulated AWS is started.")
    make_repository(folder)
    sandbox = started_sandbox(folder)
    demo = Demo(folder, within(sandbox))
    try:
        first_release(demo)
        second_release(demo, folder)
        what_there_is(demo, sandbox)
    finally:
        demo.orchestrate("sandbox", "down")
    say(f"Done in {time.monotonic() - started:.0f} s. Try it yourself: cd {shown}, then")
    click.echo('  eval "$(orchestrate sandbox up)" starts an empty AWS; `orchestrate --help` lists the commands.')


if __name__ == "__main__":
    main(Path(*sys.argv[1:2]).absolute() if sys.argv[1:] else _FOLDER)
