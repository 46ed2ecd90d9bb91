"""The plan artefact: the plan file with every file that planning created or changed.

A saved plan is not self-contained: a provider that wrote an archive while planning expects it there when the plan is
applied. So these files travel along and are restored at the same place.
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from orchestrator.effects.system.archive import content_of, members, opened
from orchestrator.errors import Refused, StageFailed

_PLAN = "plan.tfplan"
_SOURCE = "source/"

Snapshot = Mapping[str, tuple[int, int, int, int]]


def snapshot(folder: Path) -> Snapshot:
    """What identifies each file's present content without reading it: size, times, inode."""
    return {str(path.relative_to(folder)): _identity(path) for path in _files(folder)}


def _files(folder: Path) -> Iterator[Path]:
    for current, folders, names in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(current, name))]
        yield from (Path(current, name) for name in [*names, *links])


def _identity(path: Path) -> tuple[int, int, int, int]:
    status = path.lstat()
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def made_since(before: Snapshot, folder: Path) -> list[str]:
    """Files that were created or changed since the snapshot, relative to `folder`, in order.

    Raises StageFailed where planning removed a file or made something else than a regular file.
    """
    after = snapshot(folder)
    if gone := sorted(set(before) - set(after)):
        raise StageFailed(f"planning removed {gone[0]} from the exported commit; the plan could not be applied later")
    made = sorted(name for name, identity in after.items() if before.get(name) != identity)
    for name in made:
        if not (folder / name).is_file() or (folder / name).is_symlink():
            raise StageFailed(f"planning made {name}, which is not a regular file and cannot be kept with the plan")
    return made


def pack(plan_file: Path, folder: Path, made: list[str], archive: Path) -> str:
    """Writes the archive, mode 0600, and returns its SHA-256; equal contents give equal bytes."""
    descriptor = os.open(archive, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        _add(tar, _PLAN, plan_file)
        for name in made:
            _add(tar, _SOURCE + name, folder / name)
    return digest_of(archive)


def _add(tar: tarfile.TarFile, name: str, path: Path) -> None:
    content = path.read_bytes()
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    entry.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
    tar.addfile(entry, io.BytesIO(content))


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def unpack(archive: Path, digest: str, plan_file: Path, folder: Path) -> None:
    """Restores the plan file and the files beside it; Refused where the archive is not the one of the receipt."""
    with archive.open("rb") as file:
        _check_digest(file, digest)
        with opened(file) as tar:
            for entry in members(tar):
                target = plan_file if entry.name == _PLAN else _inside(folder, entry.name)
                _write(target, content_of(tar, entry), 0o600 if entry.name == _PLAN else entry.mode & 0o755)


def _check_digest(file: io.BufferedReader, digest: str) -> None:
    """What is unpacked is what was hashed: both are read from the one open file."""
    if hashlib.file_digest(file, "sha256").hexdigest() != digest:
        raise Refused(
            "the stored plan is not the one that the receipt names: somebody changed it",
            hint="Plan again; find out who wrote to the release bucket.",
        )
    file.seek(0)


def _inside(folder: Path, name: str) -> Path:
    target = folder / name.removeprefix(_SOURCE)
    if not name.startswith(_SOURCE) or not target.parent.resolve().is_relative_to(folder.resolve()):
        raise Refused(f"the stored plan holds {name!r}, which lies outside its workspace")
    return target


def _write(target: Path, content: bytes, mode: int) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_symlink() or target.exists():
        target.unlink()
    with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
