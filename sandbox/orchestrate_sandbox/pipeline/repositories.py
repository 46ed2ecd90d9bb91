"""The git side of CodeCommit: a bare repository on this machine for each, whose hook tells the server of every push."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec

from orchestrate_sandbox.pipeline import post_receive
from orchestrate_sandbox.pipeline.place import here

RECEIVED_PATH = "/sandbox-api/received"


_ACCOUNT, _REGION, _NAME = (
    re.compile("[0-9]{12}"),
    re.compile("[a-z]+(-[a-z0-9]+)+"),
    re.compile("[A-Za-z0-9._-]{1,100}"),
)


@dataclass(frozen=True)
class Location:
    """A repository as AWS addresses it. ValueError where it is none: all three become folders of this machine."""

    account: str
    region: str
    name: str

    def __post_init__(self) -> None:
        for form, text in ((_ACCOUNT, self.account), (_REGION, self.region), (_NAME, self.name)):
            if form.fullmatch(text) is None or set(text) == {"."}:
                raise ValueError(f"{text!r} is no part of a repository's address")

    @property
    def folder(self) -> Path:
        return here().within("git", self.account, self.region, self.name)


class Push(msgspec.Struct, frozen=True):
    """What the hook tells: refs as git's post-receive hook gets them, each `<old id> <new id> <ref>`."""

    account: str
    region: str
    repository: str
    refs: list[str]


@dataclass(frozen=True)
class RefChange:
    """A ref that a push has changed. The ids are commits, where the ref leads to one; None is "not there"."""

    ref: str
    before: str | None
    after: str | None


def create(location: Location) -> None:
    """Without the user's templates and hooks, so that a push does here what it does elsewhere."""
    folder = location.folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _git(folder, "init", "--quiet", "--bare", "--template=", "--initial-branch=main", ".")
    _git(folder, "config", "core.hooksPath", str(folder / "hooks"))
    _git(folder, "config", "core.logAllRefUpdates", "false")
    hook = folder / "hooks" / "post-receive"
    hook.parent.mkdir()
    named = (location.account, location.region, location.name)
    command = shlex.join([sys.executable, "-I", "-S", post_receive.__file__, here().endpoint + RECEIVED_PATH, *named])
    # By its environment: everybody on the machine sees its arguments.
    hook.write_text(f"#!/bin/sh\n{post_receive.TOKEN}={here().keys.push_token(*named)} exec {command}\n")
    hook.chmod(0o755)


def delete(location: Location) -> None:
    shutil.rmtree(location.folder, ignore_errors=True)


def delete_all() -> None:
    shutil.rmtree(here().within("git"), ignore_errors=True)


def first_branch(location: Location) -> str | None:
    """CodeCommit makes the first branch that is pushed the default; here the one that HEAD names, else the first."""
    head = _git(location.folder, "symbolic-ref", "--short", "HEAD")
    branches = _git(location.folder, "for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads").splitlines()
    return head if head in branches else next(iter(branches), None)


def every() -> list[Location]:
    """In order of account, Region and name."""
    folders = sorted((here().folder / "git").glob("*/*/*"))
    return [Location(*folder.parts[-3:]) for folder in folders]


def addresses(account: str) -> dict[str, Path]:
    """For git: the folders of the account's repositories, by the beginning of their addresses in each Region."""
    found = {location.region: location.folder.parent for location in every() if location.account == account}
    suffixes = {region: "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com" for region in found}
    return {f"https://git-codecommit.{region}.{suffixes[region]}/v1/repos": folder for region, folder in found.items()}


def changes(location: Location, push: Push) -> list[RefChange]:
    return [_change(location, *line.split(" ", 2)) for line in push.refs]


def _change(location: Location, before: str, after: str, ref: str) -> RefChange:
    return RefChange(ref, _commit(location, before), _commit(location, after))


def _commit(location: Location, object_id: str) -> str | None:
    """A tag object's commit; the object itself where it leads to none."""
    if set(object_id) <= {"0"}:
        return None
    done = _run(location.folder, "rev-parse", "--quiet", "--verify", "--end-of-options", f"{object_id}^{{commit}}")
    return done.stdout.strip() or object_id


def _git(folder: Path, *arguments: str) -> str:
    done = _run(folder, *arguments)
    if done.returncode:
        raise RuntimeError(f"git {arguments[0]} failed in {folder}: {done.stderr.strip()}")
    return done.stdout.strip()


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", *arguments]
    return subprocess.run(command, cwd=folder, env=kept, capture_output=True, text=True, check=False)
