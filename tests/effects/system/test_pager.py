"""The pager: git's conventions, and a plan that is reviewed in a terminal."""

from __future__ import annotations

import os
import pty
import sys
from pathlib import Path

import pytest

from orchestrator.effects.system.pager import page

REVIEW = """
from orchestrator.cli.context import review
from orchestrator.model.plan_view.view import PlanView
from orchestrator.model.terraform.plan import Change, Summary
from orchestrator.report.plan.head import ShownPlan
change = Change("a.b", "add", ("+ x: 1",) * 500)
review(ShownPlan("Plan of T", PlanView(Summary(add=1), (change,)), True, ()), paged={paged})
"""


@pytest.mark.parametrize("name", ["GIT_PAGER", "PAGER"])
def test_a_text_goes_to_the_pager_that_git_would_take(name: str, tmp_path: Path) -> None:
    file = tmp_path / "shown"
    env = {"PATH": os.environ["PATH"], "PAGER": "false", name: f"sh -c 'env > {file}; cat >> {file}'"}
    assert page("Zürich\n", env)
    shown = file.read_text("utf-8")
    assert shown.endswith("Zürich\n")
    assert {"LESS=FRX", "LV=-c", "LESSSECURE=1"} <= set(shown.splitlines())


@pytest.mark.parametrize("pager", ["", "cat", "/nowhere/pager"])
def test_without_a_pager_nothing_is_paged(pager: str) -> None:
    assert not page("text", {"GIT_PAGER": pager})


def test_a_pager_that_ends_early_is_no_error() -> None:
    assert page("line\n" * 1_000_000, {"PAGER": "true", "PATH": os.environ["PATH"]})


@pytest.mark.parametrize("paged", [True, False])
def test_a_plan_is_reviewed_whole_in_the_pager_of_a_terminal(paged: bool, tmp_path: Path) -> None:
    """With --yes nobody waits, and the plan is shown all the same."""
    file, shown = tmp_path / "paged", bytearray()

    def read(terminal: int) -> bytes:
        part = os.read(terminal, 1 << 16)
        shown.extend(part)
        return part

    program = REVIEW.format(paged=paged)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_PAGER", f"tee {file}")
        patch.setenv("TERM", "xterm")
        patch.delenv("NO_COLOR", raising=False)
        assert pty.spawn([sys.executable, "-c", program], read, lambda terminal: b"") == 0
    text = shown.decode()
    assert text.count("x: 1") == 500
    assert "\x1b[32m+\x1b[0m" in text
    assert file.exists() == paged
