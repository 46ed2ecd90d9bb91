"""Runs `orchestrate` in this process and notes its peak memory: `python peak.py FILE ARGUMENT...`."""

from __future__ import annotations

import re
import resource
import sys
from pathlib import Path


def peak() -> int:
    """Bytes. Linux counts what the process was before it became Python into ru_maxrss, so it is asked otherwise."""
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        assert found is not None
        return int(found[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # macOS: bytes


if __name__ == "__main__":
    from orchestrator.cli.main import main

    code = main(sys.argv[2:])
    Path(sys.argv[1]).write_text(str(peak()))
    sys.exit(code)
