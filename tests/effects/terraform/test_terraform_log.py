"""What is kept of Terraform's output."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.effects.terraform.terraform import _mask
from orchestrator.model.text.masking import Masker


def test_a_log_is_masked_however_long_it_is(tmp_path: Path) -> None:
    log = tmp_path / "apply.log"
    log.write_text("a line with hunter2-and-more in it\n" * 100_000)
    _mask(log, Masker(("hunter2-and-more",)))
    assert log.read_text() == "a line with *** in it\n" * 100_000
    assert log.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["apply.log"]


def test_a_log_that_cannot_be_masked_is_not_kept(tmp_path: Path) -> None:
    log = tmp_path / "apply.log"
    log.write_text("hunter2-and-more")
    log.with_suffix(".new").mkdir()
    with pytest.raises(OSError, match=r"Is a directory|Operation not permitted"):
        _mask(log, Masker(("hunter2-and-more",)))
    assert log.read_text() == ""
