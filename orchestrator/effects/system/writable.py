"""Whether a folder can be written to."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from orchestrator.errors import DependencyError

_PROBE = b"0" * 4096


def free_space(folder: Path, setting: str) -> int:
    """The bytes that are free there. Makes the folder and writes a file in it, which is gone afterwards.

    `setting` is the variable that names another folder; DependencyError points to it.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(_PROBE)
            file.flush()
        return shutil.disk_usage(folder).free
    except OSError as error:
        raise DependencyError(
            f"{folder} cannot be written to: {error.strerror}",
            hint=f"Fix its permissions or make room, or name another folder with {setting}.",
        ) from None
