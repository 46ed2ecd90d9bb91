"""Names of anchors: copies of the ledger's entries in the release bucket."""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec

from orchestrator.model.ledger.ledger import Entry
from orchestrator.model.text import decoding

FOLDER = "anchors"

_KEY = re.compile(rf"{FOLDER}/(?P<target>.+)/(?P<seq>[0-9]{{12}})-(?P<hash>[0-9a-f]{{64}})\.json")


@dataclass(frozen=True, order=True)
class Anchor:
    """The entry of this number had this hash when it was written."""

    target: str
    seq: int
    hash: str

    @property
    def key(self) -> str:
        return f"{prefix_of(self.target, self.seq)}{self.hash}.json"

    @staticmethod
    def parse(key: str) -> Anchor | None:
        """None for the name of something else."""
        found = _KEY.fullmatch(key)
        return None if found is None else Anchor(found["target"], int(found["seq"]), found["hash"])


def prefix_of(target: str, seq: int) -> str:
    """What the name of every anchor of that number begins with, whatever the entry was."""
    return f"{FOLDER}/{target}/{seq:012d}-"


def anchor_key(entry: Entry) -> str:
    """The object holds exactly `entry.encode()`, so that `sha256sum` proves its name."""
    return Anchor(entry.target, entry.seq, entry.hash).key


def anchored(key: str, content: bytes | None) -> Entry | None:
    """The entry that an anchor holds; None where it holds something else than its name tells."""
    try:
        entry = decoding.decode(content or b"", Entry)
    except msgspec.DecodeError:
        return None
    return entry if entry.encode() == content and anchor_key(entry) == key else None
