"""`python -m bench.walk`: what one real release walks through, from its tag to its end, in an emulated AWS.

Says how many files and functions of `orchestrate` run, and how often the record is read and added to.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from bench.example import TAG, stored
from bench.measure import timed

_WALKED = Path(__file__).with_name("walked.py")
# By the end of their qualified names, so that a function may move to another module.
_COUNTED = {
    "reads of the history": ("Ledger.history",),
    "appends": ("Ledger.append",),
    "pins of the tag": ("Ledger.pin", "Ledger.first_seen"),
    "tallies of answers": ("tally",),
    "require_account": ("Session.require_account",),
}


def main() -> None:
    with stored() as (repository, env), tempfile.NamedTemporaryFile("r") as file:
        command = (sys.executable, str(_WALKED), file.name, "release", "--tag", TAG)
        timed(command, repository, env)
        walked: dict[str, int] = json.load(file)
    print("\n".join(f"{what:<22}{number:>6}" for what, number in counts(walked).items()))


def counts(walked: Mapping[str, int]) -> dict[str, int]:
    """Numbers of files, functions and of what is asked of the record, from calls by `file:qualified name`."""
    told = {"files": len({name.partition(":")[0] for name in walked}), "functions": len(walked)}
    for what, names in _COUNTED.items():
        told[what] = sum(calls for name, calls in walked.items() if name.partition(":")[2] in names)
    return told


if __name__ == "__main__":
    main()
