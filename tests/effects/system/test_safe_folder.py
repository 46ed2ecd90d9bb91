"""Folders on a machine that others use: what somebody else could replace is not used."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from orchestrator.effects.system.safe_folder import make, refuse_link
from orchestrator.errors import DependencyError

NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def refused(path: Path, why: str, own: int = 1) -> None:
    with pytest.raises(DependencyError, match=why) as error:
        make(path, own=own)
    assert "ORCHESTRATE_WORKSPACES" in (error.value.hint or "")


@pytest.mark.parametrize("mask", [0o022, 0o002, 0o000])
def test_what_is_missing_is_made_for_us_alone_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        make(tmp_path / "a/b/c", own=2)
        make(tmp_path / "a/b/c", own=2)
    finally:
        os.umask(before)

    assert [mode(tmp_path / part) for part in ("a", "a/b", "a/b/c")] == [0o700] * 3


def test_what_is_ours_and_open_to_others_is_closed(tmp_path: Path) -> None:
    """As an earlier version made it under umask 002."""
    (tmp_path / "a/b").mkdir(parents=True)
    for part in ("a", "a/b"):
        (tmp_path / part).chmod(0o775)

    make(tmp_path / "a/b", own=2)

    assert [mode(tmp_path / part) for part in ("a", "a/b")] == [0o755] * 2


@pytest.mark.parametrize("link", ["a", "a/b", "a/b/c"])
def test_a_link_anywhere_in_the_path_is_not_followed(tmp_path: Path, link: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / link).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / link).symlink_to(tmp_path / "elsewhere")

    refused(tmp_path / "a/b/c", "is a link or not a folder", own=3)

    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_folder_that_others_may_write_to_holds_no_workspace(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o777)

    refused(tmp_path / "shared/a", "can be written to by others")

    (tmp_path / "shared").chmod(0o1777)
    make(tmp_path / "shared/a", own=1)


@as_root
def test_a_folder_of_somebody_else_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "theirs/a").mkdir(parents=True)
    os.chown(tmp_path / "theirs", NOBODY, NOBODY)

    refused(tmp_path / "theirs/a", "belongs to another user")


def test_a_file_is_not_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a").touch()

    refused(tmp_path / "a/b", "not a folder", own=2)


@as_root
def test_what_stands_in_the_place_of_a_folder_of_ours_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", NOBODY, NOBODY)

    refuse_link(tmp_path)
    refuse_link(tmp_path / "missing")
    for name in ("link", "theirs"):
        with pytest.raises(DependencyError, match="is not a folder of yours"):
            refuse_link(tmp_path / name)
