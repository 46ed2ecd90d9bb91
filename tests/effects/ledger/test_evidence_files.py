"""Evidence bundles on disk."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from orchestrator.effects.ledger.evidence_files import archive, read, write
from orchestrator.errors import InvalidInput, Refused, UsageError

FILES = {"README.md": b"x", "records/a/b.json": b"{}", "SHA256SUMS": b""}


@pytest.mark.parametrize("name", ["bundle", "bundle.tar", "a/new/folder"])
def test_what_was_written_is_read(tmp_path: Path, name: str) -> None:
    write(FILES, tmp_path / name)
    assert read(tmp_path / name) == FILES


def test_an_archive_unpacks_into_one_folder_and_depends_on_its_content_alone(tmp_path: Path) -> None:
    content = archive(FILES)
    assert content == archive(dict(reversed(FILES.items())))
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        assert {(entry.mtime, entry.uid, entry.uname, entry.mode) for entry in tar} == {(0, 0, "", 0o644)}
        assert {entry.name.split("/")[0] for entry in tar} == {"evidence"}


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "bundle.tar").touch()
    for taken in (tmp_path, tmp_path / "file", tmp_path / "bundle.tar"):
        with pytest.raises(UsageError, match="exists"):
            write(FILES, taken)
    (tmp_path / "empty").mkdir()
    write(FILES, tmp_path / "empty")


def test_what_is_no_bundle(tmp_path: Path) -> None:
    (tmp_path / "text.tar").write_text("x" * 600)
    for path in (tmp_path / "text.tar", tmp_path / "none"):
        with pytest.raises(InvalidInput, match="is not an evidence bundle"):
            read(path)


def test_links_are_refused_in_folders_and_archives(tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle/link").symlink_to("/etc/hostname")
    with pytest.raises(Refused, match="not a regular file"):
        read(tmp_path / "bundle")
    with tarfile.open(tmp_path / "links.tar", "w") as tar:
        tar.add(tmp_path / "bundle", "evidence")
    with pytest.raises(Refused, match="not a regular file"):
        read(tmp_path / "links.tar")
