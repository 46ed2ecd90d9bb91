"""The plan file and what planning made beside it, kept and restored."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from orchestrator.effects.terraform.artefact import digest_of, made_since, pack, snapshot, unpack
from orchestrator.errors import Refused, StageFailed


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The export of a commit, before planning."""
    folder = tmp_path / "source"
    (folder / "modules").mkdir(parents=True)
    (folder / "main.tf").write_text("# the root\n")
    (folder / "modules/main.tf").write_text("# a module\n")
    return folder


def test_what_planning_made_is_restored_beside_the_plan(source: Path, tmp_path: Path) -> None:
    before, plan = snapshot(source), tmp_path / "plan.tfplan"
    plan.write_bytes(b"a plan")
    (source / "main.tf").write_text("# changed\n")
    (source / "build").mkdir()
    (source / "build/code.zip").write_bytes(b"a zip")
    (source / "build/run").write_bytes(b"a program")
    (source / "build/run").chmod(0o700)
    made = made_since(before, source)
    assert made == ["build/code.zip", "build/run", "main.tf"]
    archive = tmp_path / "plan.tar"
    digest = pack(plan, source, made, archive)
    assert archive.stat().st_mode & 0o777 == 0o600

    again, restored = tmp_path / "again", tmp_path / "restored.tfplan"
    again.mkdir()
    (again / "main.tf").write_text("# the root\n")
    unpack(archive, digest, restored, again)
    assert restored.read_bytes() == b"a plan"
    assert restored.stat().st_mode & 0o777 == 0o600
    assert {str(path.relative_to(again)): path.read_bytes() for path in again.rglob("*") if path.is_file()} == {
        "build/code.zip": b"a zip",
        "build/run": b"a program",
        "main.tf": b"# changed\n",
    }
    assert (again / "build/run").stat().st_mode & 0o100


def test_a_file_that_planning_removed_stops_the_plan(source: Path) -> None:
    before = snapshot(source)
    (source / "modules/main.tf").unlink()
    with pytest.raises(StageFailed, match=r"planning removed modules/main\.tf from the exported commit"):
        made_since(before, source)


def test_what_is_no_plain_file_cannot_be_kept(source: Path) -> None:
    before = snapshot(source)
    (source / "link").symlink_to("main.tf")
    with pytest.raises(StageFailed, match="planning made link, which is not a regular file"):
        made_since(before, source)


def archive_of(folder: Path, name: str, kind: bytes = tarfile.REGTYPE) -> Path:
    """An archive of one entry, as somebody may have put it into the release bucket."""
    archive, entry = folder / "plan.tar", tarfile.TarInfo(name)
    entry.size, entry.type = 7 if kind == tarfile.REGTYPE else 0, kind
    with tarfile.open(archive, "w") as tar:
        tar.addfile(entry, io.BytesIO(b"hostile"))
    return archive


@pytest.mark.parametrize(
    "name",
    [
        "source/../outside",
        "source/modules/../../outside",
        "source/{folder}/outside",
        "source/elsewhere/outside",
        "{folder}/outside",
        "outside",
    ],
)
def test_nothing_is_written_outside_the_workspace(source: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (source / "elsewhere").symlink_to(tmp_path / "elsewhere")
    archive = archive_of(tmp_path, name.format(folder=tmp_path))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(Refused, match="which lies outside its workspace"):
        unpack(archive, digest_of(archive), tmp_path / "plan.tfplan", source)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_or_device_is_refused(source: Path, tmp_path: Path) -> None:
    for kind in (tarfile.DIRTYPE, tarfile.CHRTYPE):
        archive = archive_of(tmp_path, "source/thing", kind)
        with pytest.raises(Refused, match="'source/thing', which is not a regular file"):
            unpack(archive, digest_of(archive), tmp_path / "plan.tfplan", source)


def test_an_archive_of_another_digest_is_not_opened(source: Path, tmp_path: Path) -> None:
    archive = archive_of(tmp_path, "source/main.tf")
    with pytest.raises(Refused, match="somebody changed it"):
        unpack(archive, "0" * 64, tmp_path / "plan.tfplan", source)
    assert (source / "main.tf").read_text() == "# the root\n"


def test_a_link_in_the_place_of_a_file_is_replaced_and_not_followed(source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("somebody's file\n")
    for outside in ("file", "nothing"):
        (source / outside).symlink_to(tmp_path / outside)
        archive = archive_of(tmp_path, f"source/{outside}")
        unpack(archive, digest_of(archive), tmp_path / "plan.tfplan", source)
        assert (source / outside).read_bytes() == b"hostile"
    assert (tmp_path / "file").read_text() == "somebody's file\n"
    assert not (tmp_path / "nothing").exists()
