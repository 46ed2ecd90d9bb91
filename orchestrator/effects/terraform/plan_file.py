"""What a plan file says of the configuration that it was made of.

Terraform keeps every configuration file in it, and applies those, not the ones on the disk ("planfile" in Terraform's
and OpenTofu's source: `tfconfig/modules.json`, and `tfconfig/m-<module>/<file>`).
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import msgspec

from orchestrator.errors import Refused
from orchestrator.model.text import decoding

_MANIFEST = "tfconfig/modules.json"
_FILES = "tfconfig/m-"
_LARGEST = 1 << 28  # bytes, of all files together
_MOST = 20_000


class _PlannedModule(msgspec.Struct, rename="pascal"):
    key: str
    dir: str


def configuration(plan_file: Path, root: Path) -> Mapping[Path, bytes]:
    """Content by absolute path, as if each module stood where it stood when the plan was made.

    Raises Refused where the file is not a plan's, or larger than any configuration.
    """
    try:
        with zipfile.ZipFile(plan_file) as archive:
            _check_size(archive)
            modules = decoding.decode(archive.read(_MANIFEST), list[_PlannedModule])
            folders = {module.key: Path(root, module.dir).resolve() for module in modules}
            names = [name for name in archive.namelist() if name.startswith(_FILES)]
            return {_place(name, folders): archive.read(name) for name in names}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, msgspec.DecodeError, NotImplementedError) as error:
        raise Refused(f"the stored plan cannot be read: {error}", hint="Plan again.") from None


def _check_size(archive: zipfile.ZipFile) -> None:
    entries = archive.infolist()
    if len(entries) > _MOST or sum(entry.file_size for entry in entries) > _LARGEST:
        raise ValueError("it is larger than any plan")
    if len({entry.filename for entry in entries}) != len(entries):
        raise ValueError("it holds a file twice")


def _place(name: str, folders: Mapping[str, Path]) -> Path:
    module, _, file = name.removeprefix(_FILES).partition("/")
    if not file or "/" in file:
        raise ValueError("it holds a file that is in no module")
    return folders[module] / file
