"""The wheel of this very orchestrate, and the requirements that pin it and all its dependencies by SHA-256.

Made from what is installed, however it was; so what runs in the builds is what applied the tooling. Equal files give
equal bytes ("Binary distribution format", PyPA specifications).
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import Distribution, PackageNotFoundError, PackagePath, distribution
from pathlib import Path

import orchestrator
from orchestrator import bundled
from orchestrator.errors import DependencyError

_NAME = "orchestrate"
_SOURCE_ONLY = ("python-terraform",)
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip archive can tell
_WHEEL = b"Wheel-Version: 1.0\nGenerator: orchestrate\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_LEFT_OUT = frozenset({"__pycache__", ".terraform", "tests"})


def pack(folder: Path) -> Path:
    """Writes the wheels that no index has and a requirements.txt into the empty `folder`; returns the latter.

    Dependencies that are published as source alone are packed as they are installed: building them would run code
    that no hash pins.
    """
    wheels = [_own_wheel(), *(_installed_wheel(name) for name in _SOURCE_ONLY)]
    for name, content in wheels:
        (folder / name).write_bytes(content)
    pinned = _without((bundled.FOLDER / "requirements.txt").read_text("utf-8"), _SOURCE_ONLY)
    ours = [f"./{name} \\\n    --hash=sha256:{hashlib.sha256(content).hexdigest()}\n" for name, content in wheels]
    requirements = folder / "requirements.txt"
    requirements.write_text("".join([pinned, *ours]), "utf-8")
    return requirements


def _without(pinned: str, names: Sequence[str]) -> str:
    """Each requirement begins a line; its hashes and comments are indented."""
    for name in names:
        pinned, count = re.subn(rf"^{re.escape(name)}==.*\n(?:[ \t].*\n)*", "", pinned, flags=re.MULTILINE)
        assert count == 1, f"{name} is not among the requirements"
    return pinned


def _own_wheel() -> tuple[str, bytes]:
    info = f"{_NAME}-{orchestrator.__version__}.dist-info"
    files = {**dict(_package()), **{f"{info}/{name}": text for name, text in _metadata().items()}}
    return f"{_NAME}-{orchestrator.__version__}-py3-none-any.whl", _archive(files, info)


def _installed_wheel(name: str) -> tuple[str, bytes]:
    found = _distribution(name)
    stem = f"{name.replace('-', '_')}-{found.version}"
    info = next((str(path.parent) for path in found.files or () if path.name == "METADATA"), f"{stem}.dist-info")
    kept = [path for path in found.files or () if _belongs(path, info)]
    return f"{stem}-py3-none-any.whl", _archive({path.as_posix(): path.read_binary() for path in sorted(kept)}, info)


def _belongs(path: PackagePath, info: str) -> bool:
    """Of the metadata only what came with the distribution, not what the installer noted."""
    if str(path.parent) == info:
        return path.name in ("METADATA", "WHEEL", "top_level.txt", "entry_points.txt")
    return ".." not in path.parts and path.suffix != ".pyc"


def _archive(files: Mapping[str, bytes], info: str) -> bytes:
    record = f"{info}/RECORD"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**files, record: _record(files, record)}.items():
            entry = zipfile.ZipInfo(name, _LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def _package() -> Iterator[tuple[str, bytes]]:
    """Every file of the package; what is linked to in the repository is a file in the wheel."""
    base = Path(orchestrator.__file__).parent
    for path in sorted(_files(base)):
        yield f"{base.name}/{path.relative_to(base).as_posix()}", path.read_bytes()


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name in _LEFT_OUT or path.suffix == ".pyc":
            continue
        if path.is_dir():
            yield from _files(path)
        else:
            yield path


def _metadata() -> Mapping[str, bytes]:
    found = _distribution(_NAME)
    texts = {name: found.read_text(name) for name in ("METADATA", "entry_points.txt")}
    metadata = texts["METADATA"] or found.read_text("PKG-INFO")
    if not metadata or not texts["entry_points.txt"]:
        raise DependencyError("the installation of orchestrate has no metadata", hint="Install it again.")
    return {"METADATA": metadata.encode(), "WHEEL": _WHEEL, "entry_points.txt": texts["entry_points.txt"].encode()}


def _distribution(name: str) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError:
        raise DependencyError(
            f"{name} is not installed, so it cannot be packed for the builds", hint="Install orchestrate with pip."
        ) from None


def _record(files: Mapping[str, bytes], own: str) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        writer.writerow((name, f"sha256={digest}", len(content)))
    writer.writerow((own, "", ""))
    return text.getvalue().encode()
