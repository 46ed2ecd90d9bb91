"""Zip files, as artifacts travel between the actions of a pipeline."""

from __future__ import annotations

import io
import os
import stat
import zipfile
from collections.abc import Iterable
from pathlib import Path


def packed(files: Iterable[tuple[str, Path]]) -> bytes:
    """`files`: names in the archive, and where they are."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in files:
            archive.write(path, name)
    return buffer.getvalue()


def unpack(data: bytes, folder: Path) -> None:
    """With the modes that the archive has for its files. Raises zipfile.BadZipFile.

    Links are made as files that hold their target, never as links: they could lead out of the folder.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for entry in archive.infolist():
            path = Path(archive.extract(entry, folder))
            mode = entry.external_attr >> 16
            if stat.S_ISREG(mode) and mode & stat.S_IXUSR:
                path.chmod(path.stat().st_mode | stat.S_IXUSR)


def matching(folder: Path, patterns: Iterable[str], *, flat: bool) -> dict[str, Path]:
    """Files below the folder that one of the patterns names, by their names in the archive.

    `**/*` is every file; a pattern that names a folder means nothing, as in CodeBuild.
    """
    found: dict[str, Path] = {}
    for pattern in patterns:
        for path in sorted(folder.glob(pattern)):
            if path.is_file():
                found[path.name if flat else path.relative_to(folder).as_posix()] = path
    return found


def is_within(folder: Path, path: Path) -> bool:
    return os.path.commonpath([folder.resolve(), path.resolve()]) == str(folder.resolve())
