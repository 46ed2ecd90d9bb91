"""An evidence bundle on disk: a folder, or a tar archive whose bytes depend on nothing but its content."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from orchestrator.effects.system.archive import content_of, members, opened
from orchestrator.errors import InvalidInput, Refused, UsageError

TAR = ".tar"
TOP = "evidence"
"""The folder in the archive that holds all files."""


def archive(files: Mapping[str, bytes]) -> bytes:
    """Equal files make equal bytes: no time, no owner, in order."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(f"{TOP}/{name}")
            entry.size, entry.mode = len(content), 0o644
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def write(files: Mapping[str, bytes], path: Path) -> None:
    """To a new archive where the name ends in .tar, else to a new or empty folder; nothing is written over."""
    if path.name.endswith(TAR):
        if path.exists():
            raise UsageError(f"{path} exists", hint="Name a file that does not.")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(archive(files))
        return
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise UsageError(
            f"{path} exists and is not an empty folder", hint="Name a folder that does not, or a .tar file."
        )
    for name, content in files.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def read(path: Path) -> dict[str, bytes]:
    """All files of a bundle by their names in it; InvalidInput where it is none, Refused for anything but files."""
    if path.is_dir():
        found = sorted(each for each in path.rglob("*") if each.is_symlink() or not each.is_dir())
        for each in found:
            if each.is_symlink() or not each.is_file():
                raise Refused(f"the bundle holds {each}, which is not a regular file")
        return {each.relative_to(path).as_posix(): each.read_bytes() for each in found}
    try:
        with opened(path) as tar:
            return dict(_entry(tar, entry) for entry in members(tar) if not entry.isdir())
    except (tarfile.TarError, OSError) as error:
        raise InvalidInput(
            f"{path} is not an evidence bundle: {error}", hint="Name the folder or the .tar file."
        ) from None


def _entry(tar: tarfile.TarFile, entry: tarfile.TarInfo) -> tuple[str, bytes]:
    """Only read, never unpacked: a name can lead nowhere."""
    return PurePosixPath(entry.name).as_posix().removeprefix(f"{TOP}/"), content_of(tar, entry)
