"""What the cache gives is what we have put there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestrator.effects.system.cache import Cache


def test_what_was_put_there(tmp_path: Path) -> None:
    Cache(tmp_path).put("hcl", "key", b"value")
    assert Cache(tmp_path).get("hcl", "key") == b"value"
    assert Cache(tmp_path).get("hcl", "other") is None


@pytest.mark.parametrize("what", ["file", "folder"])
@pytest.mark.parametrize("mode", [0o720, 0o702])
def test_what_others_could_have_put_there_is_not_there(tmp_path: Path, what: str, mode: int) -> None:
    Cache(tmp_path).put("hcl", "key", b"value")
    (tmp_path / "hcl" / "key" if what == "file" else tmp_path / "hcl").chmod(mode)
    assert Cache(tmp_path).get("hcl", "key") is None


def test_what_another_user_has_put_there_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Cache(tmp_path).put("hcl", "key", b"value")
    monkeypatch.setattr(os, "geteuid", lambda: 12345)  # we are that other user
    assert Cache(tmp_path).get("hcl", "key") is None


def test_links_and_pipes_are_not_there(tmp_path: Path) -> None:
    Cache(tmp_path).put("hcl", "key", b"value")
    (tmp_path / "hcl" / "link").symlink_to("key")
    os.mkfifo(tmp_path / "hcl" / "pipe", 0o600)
    assert Cache(tmp_path).get("hcl", "link") is None
    assert Cache(tmp_path).get("hcl", "pipe") is None
