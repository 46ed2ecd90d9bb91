"""One sandbox for all tests of this folder."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from orchestrate_sandbox.layout import RoleSpec, SandboxLayout
from orchestrate_sandbox.process import Sandbox, start

RESEARCH = "111111111111"
RISK = "222222222222"


@pytest.fixture(scope="session")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Its server changes threads at every chance, so that what is not atomic shows."""
    layout = SandboxLayout(
        tooling_account="000000000000",
        region="us-east-1",
        roles=(
            RoleSpec(RESEARCH, "InfraPlanRole", "read", "acme"),
            RoleSpec(RESEARCH, "InfraBuildRole", "admin", "acme"),
            RoleSpec(RISK, "InfraBuildRole", "admin"),
        ),
    )
    folder = tmp_path_factory.mktemp("restless")
    (folder / "sitecustomize.py").write_text("import sys; sys.setswitchinterval(1e-6)")
    with contextlib.ExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", str(folder))
            sandbox = stack.enter_context(start(layout))
        yield sandbox
