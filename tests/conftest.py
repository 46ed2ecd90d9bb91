"""Git repositories made on the spot, shared by all tests."""

from __future__ import annotations

import os
import re
import signal
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from orchestrate_sandbox.layout import RoleSpec, SandboxLayout
from orchestrate_sandbox.process import Sandbox
from tests.support.accounts import RESEARCH, RISK, TOOLING
from tests.support.command import MEASURE
from tests.support.emulator import surround, unmeasured
from tests.support.git_project import RULES, GitProject
from tests.support.mounts import mounted

__all__ = ["mounted"]

# A shared machine is slow at times; what takes long shows in the durations of the tests.
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")

_UNMEASURED = re.compile(
    "tests/(modules/|e2e/test_(break_glass|demos|faults|foreign_roots|integrity_.*|policy|recover|rollback).py)"
)

# Folders whose files share what takes long to make.
_TOGETHER = ("tests/modules/",)

_LONGEST = ("tests/e2e/", *_TOGETHER)

# A signal that comes while coverage holds its own lock leaves it locked, and the program waits for it for ever.
_INTERRUPTED = re.compile("signal|interrupt|ctrl_c|sigterm|sighup|kill")


def pytest_configure() -> None:
    """What a shell starts in the background ignores Ctrl-C, what `nohup` starts SIGHUP; so would what a test starts."""
    for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest first (with --no-loadscope-reorder): the short ones fill the gaps at the end.

    That are the folders of whole releases and of modules, then the units with the most slow tests.
    """
    slow = Counter(_unit(item.nodeid) for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: (not _unit(item.nodeid).startswith(_LONGEST), -slow[_unit(item.nodeid)]))


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
