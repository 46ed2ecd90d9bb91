"""`python -m orchestrator.pins NAME` prints the Python requirement that is pinned for a tool, for `make lock`."""

import sys
import tomllib

from orchestrator.pins import FOLDER

if __name__ == "__main__":
    pins = tomllib.loads((FOLDER / "tools.toml").read_text("utf-8"))
    sys.stdout.write(pins[sys.argv[1]]["python"]["requirement"] + "\n")
