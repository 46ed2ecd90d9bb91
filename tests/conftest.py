"""Git repositories made on the spot, shared by all tests."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from orchestrator.effects.git import Repository
from orchestrator.sandbox.layout import RoleSpec, SandboxLayout
from orchestrator.sandbox.process import Sandbox
from tests.emulator import surround, unmeasured
from tests.support.command import MEASURE

# A shared machine is slow at times; what takes long shows in the durations of the tests.
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")

_UNMEASURED = re.compile(
    "tests/(modules/|integration/test_(break_glass|demos|faults|foreign_roots|integrity_.*|policy|recover|rollback).py)"
)

# Folders whose files share what takes long to make.
_TOGETHER = ("tests/modules/",)

# A signal that comes while coverage holds its own lock leaves it locked, and the program waits for it for ever.
_INTERRUPTED = re.compile("signal|interrupt|ctrl_c|sigterm|sighup|kill")

RULES = {
    "envs/orchestrate.yaml": 'state: {prefix: acme-tf, region: us-east-1}\ntooling: {account: "000000000000"}\n',
    "envs/dev.yaml": (
        "regions: [us-east-1, eu-central-1]\n"
        "global_resource_deploy_from_region: us-east-1\n"
        'teams: {research: {account: "111111111111"}, risk: {account: "222222222222", regions: [us-east-1]}}\n'
    ),
    "modules/workload/main.tf": "# the root\n",
}


def pytest_configure() -> None:
    """What a shell starts in the background ignores Ctrl-C, and so would every program that a test interrupts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Units with the most slow tests first (with --no-loadscope-reorder): the short ones fill the gaps at the end."""
    slow = Counter(_unit(item.nodeid) for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[_unit(item.nodeid)])


def _unit(test: str) -> str:
    """What one process runs, one after the other: a file, or a folder whose files belong together."""
    return next((folder for folder in _TOGETHER if test.startswith(folder)), test.partition("::")[0])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """`--dist loadfile`, by units."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    scheduler = LoadFileScheduling(config, log)
    scheduler._split_scope = _unit
    return scheduler


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Measuring the coverage of the programs that a test starts doubles their time: not where other tests show it."""
    told = os.environ.pop(MEASURE, None)
    if told is not None and not _UNMEASURED.search(str(item.path)) and not _INTERRUPTED.search(item.name):
        os.environ[MEASURE] = told
    try:
        return (yield)
    finally:
        if told is not None:
            os.environ[MEASURE] = told


TOOLING, RESEARCH, RISK = "000000000000", "111111111111", "222222222222"


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """One emulated AWS for each test process. Tests have names of their own in it, so that they do not meet."""
    roles = []
    for account in (RESEARCH, RISK):
        roles.append(RoleSpec(account, "InfraPlanRole", "read", "acme"))
        roles.append(RoleSpec(account, "InfraBuildRole", "admin", "acme"))
    with unmeasured(SandboxLayout(TOOLING, "us-east-1", tuple(roles))) as running:
        yield running


@pytest.fixture
def boto_env(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox's environment for boto3 in the test itself."""
    surround(sandbox, monkeypatch)


@pytest.fixture(scope="module")
def module_boto_env(sandbox: Sandbox) -> Iterator[None]:
    """The same for all tests of a module."""
    with pytest.MonkeyPatch.context() as patch:
        surround(sandbox, patch)
        yield


@dataclass
class GitProject:
    """A repository, driven by git itself."""

    folder: Path

    def git(self, *arguments: str, input: bytes | None = None) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.folder, input=input, check=True, capture_output=True)
        return done.stdout.decode(errors="surrogateescape").strip()

    def write(self, files: Mapping[str, str | bytes]) -> None:
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def commit(self, files: Mapping[str, str | bytes] | None = None) -> str:
        """Commits everything; returns the commit's id."""
        self.write(files or {})
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "A change")
        return self.git("rev-parse", "HEAD")

    def tag(self, name: str, of: str = "HEAD") -> str:
        """An annotated tag; returns the id of its object."""
        self.git("tag", "--annotate", "--message", "A release", name, of)
        return self.git("rev-parse", f"refs/tags/{name}")

    def open(self) -> Repository:
        return Repository.open(self.folder)


@pytest.fixture
def git_identity(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Git as on a machine of nobody in particular: no configuration of the person who runs the tests."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    settings = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": str(tmp_path / "gitconfig"), "HOME": str(tmp_path)}
    for role in ("AUTHOR", "COMMITTER"):
        settings |= {f"GIT_{role}_NAME": "A Person", f"GIT_{role}_EMAIL": "person@example.com"}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def git_project(tmp_path: Path, git_identity: None) -> GitProject:
    """A repository on the branch main with rules for dev (research, risk) and one commit."""
    project = GitProject(tmp_path / "project")
    project.folder.mkdir()
    project.git("init", "--quiet", "--initial-branch", "main")
    project.commit(RULES)
    return project


Mounted = Callable[[int], Path]


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Mounted]:
    """Mounts file systems of so many KiB; only root may."""
    folders: list[Path] = []

    def mount(size: int) -> Path:
        folder = tmp_path / f"disk{len(folders)}"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", str(folder)]
        if subprocess.run(command, capture_output=True).returncode != 0:
            pytest.skip("no file system can be mounted here")
        folders.append(folder)
        return folder

    yield mount
    for folder in folders:
        subprocess.run(["umount", str(folder)], check=True)
