"""One emulated AWS for all tests of this folder; each makes its own projects and pipelines in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from orchestrate_sandbox.layout import RoleSpec, SandboxLayout
from orchestrate_sandbox.process import start
from tests.support.workbench import Workbench


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """Whatever fails in its server fails here at the end."""
    log = tmp_path_factory.mktemp("sandbox") / "server.log"
    layout = SandboxLayout("000000000000", "us-east-1", (RoleSpec("111111111111", "InfraBuildRole", "admin", "acme"),))
    with start(layout, log=log) as sandbox:
        yield Workbench(sandbox)
    assert "Traceback" not in log.read_text()


@pytest.fixture
def restored(aws: Workbench) -> Iterator[Workbench]:
    """For tests that change the sandbox's settings."""
    before = aws.set()
    yield aws
    aws.set(**before)
