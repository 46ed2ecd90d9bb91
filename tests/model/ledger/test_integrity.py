"""Findings are documented."""

from __future__ import annotations

from pathlib import Path

from orchestrator.model.ledger.integrity import MEANINGS


def test_every_code_stands_on_the_page_about_them() -> None:
    page = (Path(__file__).parents[3] / "docs/history.md").read_text()
    assert [code for code in MEANINGS if f"`{code}`" not in page] == []
