"""Archives of somebody else: limits, and regular files alone."""

from __future__ import annotations

import contextlib
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.effects.system import archive
from orchestrator.effects.system.archive import content_of, members, opened
from orchestrator.errors import Refused

Read = Callable[[io.BytesIO], list[bytes]]
SPARSE = {
    "GNU.sparse.major": "1",
    "GNU.sparse.minor": "0",
    "GNU.sparse.name": "f",
    "GNU.sparse.realsize": str(12 << 30),
}


def tar(*entries: tarfile.TarInfo) -> io.BytesIO:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as made:
        for entry in entries:
            made.addfile(entry, io.BytesIO(b"\0" * entry.size))
    buffer.seek(0)
    return buffer


def entry(
    name: str, size: int = 0, kind: bytes = tarfile.REGTYPE, more: dict[str, str] | None = None
) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.size, made.type, made.pax_headers, made.linkname = (
        size,
        kind,
        more or {},
        "f" if kind != tarfile.REGTYPE else "",
    )
    return made


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def contents(buffer: io.BytesIO) -> list[bytes]:
        (tmp_path / "x.tar").write_bytes(buffer.getvalue())
        with opened(tmp_path / "x.tar") as archived:
            return [content_of(archived, each) for each in members(archived)]

    return contents


def test_files_are_read(read: Read) -> None:
    assert read(tar(entry("a", 3), entry("b"))) == [b"\0\0\0", b""]


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.DIRTYPE]
)
def test_whatever_is_not_a_file_is_refused(read: Read, kind: bytes) -> None:
    with pytest.raises(Refused, match="not a regular file"):
        read(tar(entry("f", 3), entry("x", kind=kind)))


def test_a_sparse_file_is_refused_before_it_is_read(read: Read) -> None:
    with pytest.raises(Refused, match="sparse"):
        read(tar(entry("f", 1024, more=SPARSE)))


def test_limits(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_MEMBERS", 3)
    monkeypatch.setattr(archive, "LARGEST_MEMBER", 1000)
    monkeypatch.setattr(archive, "LARGEST", 1500)
    assert len(read(tar(*(entry(str(n)) for n in range(3))))) == 3
    for refused, why in (
        (tar(*(entry(str(n)) for n in range(4))), "more than 3 files"),
        (tar(entry("a", 1001)), "more bytes"),
        (tar(entry("a", 800), entry("b", 800)), "more bytes"),
        (tar(entry("a" * 5000)), "a name of 5000"),
    ):
        with pytest.raises(Refused, match=why):
            read(refused)


def test_one_that_ends_too_early(read: Read) -> None:
    cut = io.BytesIO(tar(entry("a", 5000)).getvalue()[:2000])
    with pytest.raises((Refused, tarfile.ReadError)):
        read(cut)


def test_a_header_that_is_as_large_as_a_disk_is_not_read(read: Read) -> None:
    huge = entry("x", kind=tarfile.XHDTYPE)
    huge.size = 12 << 30
    with pytest.raises(Refused, match="a header of 12884901888 bytes"):
        read(io.BytesIO(huge.tobuf(tarfile.GNU_FORMAT) + bytes(10240)))


@given(st.lists(st.tuples(st.integers(0, 3000), st.binary(min_size=1, max_size=40)), max_size=5))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_are_a_bug(read: Read, changes: list[tuple[int, bytes]]) -> None:
    content = bytearray(tar(entry("a", 700), entry("b" * 200, 3, more={"comment": "c" * 200})).getvalue())
    for at, replaced in changes:
        content[at : at + len(replaced)] = replaced
    with contextlib.suppress(Refused, tarfile.TarError):
        read(io.BytesIO(bytes(content)))
