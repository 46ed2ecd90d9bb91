"""Runs `orchestrate` and writes down which of its own functions ran: `python walked.py FILE ARGUMENTS`.

The file holds JSON: how often each function was called, by its file and qualified name.
"""

from __future__ import annotations

import atexit
import json
import sys
import threading
from collections import Counter
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

_CODE: Counter[CodeType] = Counter()


def _note(frame: FrameType, event: str, _: Any) -> None:
    if event == "call":
        _CODE[frame.f_code] += 1


def _write(file: Path) -> None:
    sys.setprofile(None)
    import orchestrator

    package = Path(orchestrator.__file__).parent
    walked: Counter[str] = Counter()
    for code, calls in list(_CODE.items()):
        path = Path(code.co_filename)
        # A module's or a class's own code runs when it is imported; comprehensions are part of their function.
        if path.is_relative_to(package) and not code.co_name.startswith("<") and code.co_flags & 2:
            walked[f"{path.relative_to(package)}:{code.co_qualname}"] += calls
    file.write_text(json.dumps(walked, indent=1, sort_keys=True))


def main() -> None:
    file, sys.argv[1:] = Path(sys.argv[1]).absolute(), sys.argv[2:]
    sys.path.pop(0)  # this folder: Python puts it first
    from orchestrator.cli.main import run

    atexit.register(_write, file)
    threading.setprofile(_note)
    sys.setprofile(_note)
    run()


if __name__ == "__main__":
    main()
