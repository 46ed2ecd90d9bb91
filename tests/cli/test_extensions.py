"""Commands of other distributions: found where they are installed, and named with the way to get them where not."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys

import pytest

from orchestrator.cli import extensions
from orchestrator.cli.main import main


@pytest.mark.parametrize("arguments", [[], ["up"], ["run", "--bare", "--", "true"], ["--help"], ["nonsense", "--x=1"]])
def test_one_that_is_not_installed_says_how_to_get_it(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **_: [])
    assert main(["sandbox", *arguments]) == 6
    said = capsys.readouterr().err
    assert "orchestrate-sandbox, which is not installed" in said
    assert "make install-to DEST=... WITH=sandbox" in said
    assert main(["--help"]) == 0
    assert "(not installed)" in capsys.readouterr().out


def test_the_installed_one_is_the_sandbox() -> None:
    assert extensions.command("sandbox").name == "sandbox"


def test_orchestrate_needs_nothing_of_it() -> None:
    """Its start must not even look for it."""
    script = "import sys; from orchestrator.cli import main; sys.exit('orchestrate_sandbox' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)
