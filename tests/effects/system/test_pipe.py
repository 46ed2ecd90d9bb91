"""A pipe in place of a file: read once and whole, and nothing is left of it."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

from orchestrator.effects.system.pipe import readable_once


def test_it_is_read_whole_and_lies_nowhere(tmp_path: Path) -> None:
    content = os.urandom(1 << 20)
    with readable_once(tmp_path / "plan.json", content):
        status = (tmp_path / "plan.json").stat()
        assert stat.S_ISFIFO(status.st_mode)
        assert (status.st_size, stat.S_IMODE(status.st_mode)) == (0, 0o600)
        read = subprocess.run(["cat", tmp_path / "plan.json"], stdout=subprocess.PIPE, timeout=30, check=True).stdout
    assert read == content
    assert [*tmp_path.iterdir()] == []


def test_nobody_has_to_read_it(tmp_path: Path) -> None:
    with readable_once(tmp_path / "plan.json", b"x" * (1 << 20)):
        pass
    with readable_once(tmp_path / "plan.json", b"x" * (1 << 20)):
        subprocess.run(["head", "-c1", tmp_path / "plan.json"], stdout=subprocess.DEVNULL, timeout=30, check=True)
