"""`sha256sum --check [--quiet]` for builds on machines that have none; a program of its own, standard library alone."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path


def main() -> None:
    options = [argument for argument in sys.argv[1:] if argument.startswith("-") and argument != "-"]
    if not {"--check", "-c"} & set(options):
        sys.exit("sha256sum: the sandbox's own knows --check alone")
    names = [argument for argument in sys.argv[1:] if argument not in options]
    text = "".join(sys.stdin.read() if name == "-" else Path(name).read_text() for name in names or ["-"])
    good = [_matches(line, quiet="--quiet" in options) for line in text.splitlines() if line.strip()]
    sys.exit(0 if good and all(good) else 1)


def _matches(line: str, *, quiet: bool) -> bool:
    digest, _, name = line.partition(" ")
    path = Path(name.lstrip(" *"))
    try:
        matches = hashlib.sha256(path.read_bytes()).hexdigest() == digest.lower()
    except OSError as error:
        sys.stderr.write(f"sha256sum: {path}: {error.strerror}\n")
        return False
    if not (matches and quiet):
        sys.stdout.write(f"{path}: {'OK' if matches else 'FAILED'}\n")
    return matches


if __name__ == "__main__":
    main()
