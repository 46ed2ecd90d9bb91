"""The evidence bundle: a target's record as files that anybody can read and check, and read back again.

Files that prove themselves by a hash (entries, receipts, answers, tag objects) stand in it byte for byte; what the
stores say about them beside that is in `record.json`, whose schema is published and versioned.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal
from urllib.parse import quote

import msgspec
from msgspec import Meta

from orchestrator.model.audit.evidence import Kept, Lock, Record, TagObject, TagPin
from orchestrator.model.ledger.anchor import Anchor
from orchestrator.model.ledger.chain import Anchored, Stored
from orchestrator.model.text import decoding
from orchestrator.model.text.canonical import sha256

SUMS = "SHA256SUMS"
FOLDER = "records"
_SHEET = "record.json"


def _of(description: str) -> Meta:
    return Meta(description=description)


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An item of the ledger's table: its sort key, two of its attributes, and the file that holds its body."""

    sk: str
    hash: str
    kind: str
    body: str


class AnchorItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An anchor in the release bucket: its name holds number and hash of the entry it is a copy of."""

    seq: int
    hash: str
    versions: Annotated[int, _of("How often it was ever written; more than once is a finding.")]
    deleted: Annotated[bool, _of("Whether it was ever deleted.")]
    content: Annotated[str | None, _of("Its content where the chain does not hold it: a file of this folder.")]


class TagItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tag as it was first seen, and as the repository has it now; null where there is none."""

    name: str
    pinned_object: str | None
    pinned_commit: str | None
    object: str | None
    commit: str | None
    content: Annotated[str | None, _of("The tag object: `git hash-object -t tag --stdin < FILE` prints its id.")]


class RecordManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """record.json: what the stores say about one target beside the files of its folder."""

    version: Annotated[Literal[1], _of("Of this schema.")]
    ledger: Annotated[str, _of("The name of the ledger's table.")]
    target: str
    items: Annotated[tuple[Item, ...], _of("The chain, oldest first.")]
    anchors: tuple[AnchorItem, ...]
    receipts: Annotated[dict[str, tuple[str | None, str | None]], _of("Digest to content and older original: files.")]
    plans: Annotated[dict[str, str | None], _of("Digest of a receipt to the SHA-256 of the plan found; null: gone.")]
    answers: Annotated[dict[str, tuple[str, ...]], _of("Digest of a receipt to the answers to it: files.")]
    tags: tuple[TagItem, ...]
    repository: Annotated[bool, _of("Whether a repository was there to look tags up in.")]
    lock: Annotated[tuple[str, str] | None, _of("How the newest anchor is kept, and until when.")]


def folder_of(record: Record) -> str:
    return safe(f"{FOLDER}/{record.ledger}/{record.target}")


def safe(name: str) -> str:
    """A path that stays where it is put, whatever somebody has written into a store as a name."""
    parts = (quote(part, safe="", errors="surrogatepass") or "_" for part in name.split("/"))
    return "/".join(part.replace(".", "%2E") if not part.strip(".") else part for part in parts)


def record_files(record: Record) -> dict[str, bytes]:
    """All files of one target by their path in the bundle."""
    files = _Files({})
    sheet = RecordManifest(
        version=1,
        ledger=record.ledger,
        target=record.target,
        items=tuple(files.item(item) for item in record.stored),
        anchors=tuple(files.anchor(each) for each in record.anchors),
        receipts={digest: files.receipt(digest, kept) for digest, kept in sorted(record.receipts.items())},
        plans=dict(sorted(record.plans.items())),
        answers={digest: files.answers(digest, given) for digest, given in sorted(record.answers.items())},
        tags=tuple(files.tag(name, pin, record.tags.get(name)) for name, pin in sorted(record.pins.items())),
        repository=bool(record.tags) or not record.pins,
        lock=None if record.lock is None else (record.lock.mode, record.lock.until),
    )
    files.content[_SHEET] = pretty(sheet)
    return {f"{folder_of(record)}/{name}": content for name, content in files.content.items()}


def pretty(value: object) -> bytes:
    """JSON for people and programs: indented, keys sorted."""
    plain = msgspec.json.encode(msgspec.to_builtins(value), order="sorted")
    return msgspec.json.format(plain, indent=2) + b"\n"


class _Files:
    """Collects files while the sheet that names them is made."""

    def __init__(self, content: dict[str, bytes]) -> None:
        self.content = content

    def _add(self, name: str, content: bytes | None) -> str | None:
        if content is None:
            return None
        self.content[safe(name)] = content
        return safe(name)

    def item(self, item: Stored) -> Item:
        name = f"chain/{item.sk}.json"
        self._add(name, item.body.encode(errors="surrogatepass"))
        return Item(item.sk, item.hash, item.kind, safe(name))

    def anchor(self, each: Anchored) -> AnchorItem:
        anchor = each.anchor
        content = self._add(f"anchors/{anchor.seq:012d}-{anchor.hash}.json", each.content)
        return AnchorItem(anchor.seq, anchor.hash, each.versions, each.deleted, content)

    def receipt(self, digest: str, kept: Kept) -> tuple[str | None, str | None]:
        original = self._add(f"receipts/{digest}.original.json", kept.original)
        return self._add(f"receipts/{digest}.json", kept.content), original

    def answers(self, digest: str, given: tuple[bytes, ...]) -> tuple[str, ...]:
        names = {safe(f"answers/{digest}/{sha256(content)}.json"): content for content in given}
        self.content.update(names)
        return tuple(sorted(names))

    def tag(self, name: str, pin: TagPin | None, found: TagObject | None) -> TagItem:
        content = None if found is None else self._add(f"tags/{found.object}", found.content)
        return TagItem(
            name=name,
            pinned_object=None if pin is None else pin.object,
            pinned_commit=None if pin is None else pin.commit,
            object=None if found is None else found.object,
            commit=None if found is None else found.commit,
            content=content,
        )


# Sums ---------------------------------------------------------------------------------------------------------------


def with_sums(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """As `sha256sum --check` reads them."""
    lines = [f"{sha256(content)}  {name}\n" for name, content in sorted(files.items())]
    return {**files, SUMS: "".join(lines).encode()}


def damage(files: Mapping[str, bytes]) -> Iterator[str]:
    """Files that are not as SHA256SUMS says, missing ones and further ones."""
    if SUMS not in files:
        yield f"{SUMS} is missing"
        return
    lines = files[SUMS].decode(errors="replace").splitlines()
    sums = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    for name, digest in sorted(sums.items()):
        if name not in files:
            yield f"{name} is missing"
        elif sha256(files[name]) != digest:
            yield f"{name} was changed"
    yield from (f"{name} is in no list of the export" for name in sorted(set(files) - set(sums) - {SUMS}))


# Reading back -------------------------------------------------------------------------------------------------------


def read_records(files: Mapping[str, bytes]) -> tuple[tuple[Record, ...], tuple[str, ...]]:
    """The records, and what cannot be read."""
    records, wrong = [], []
    for name in sorted(files):
        if name.startswith(f"{FOLDER}/") and name.endswith(f"/{_SHEET}"):
            folder = name.removesuffix(_SHEET)
            own = {path.removeprefix(folder): content for path, content in files.items() if path.startswith(folder)}
            try:
                sheet = decoding.decode(files[name], RecordManifest)
                wrong += [f"{folder}{path} is not the tag object {path[5:]}" for path in _false_tags(own)]
                records.append(_record(sheet, own))
            except (msgspec.DecodeError, UnicodeDecodeError, KeyError) as error:
                wrong.append(f"{name} cannot be read: {error}")
    return tuple(records), tuple(wrong)


def _false_tags(files: Mapping[str, bytes]) -> list[str]:
    """git's id of an object is the hash of its kind, length and content."""
    return [
        path
        for path, content in files.items()
        if path.startswith("tags/") and path[5:] != _git_id(content, len(path) - 5)
    ]


def _git_id(content: bytes, length: int) -> str:
    whole = b"tag %d\0%s" % (len(content), content)
    return hashlib.sha256(whole).hexdigest() if length == 64 else hashlib.sha1(whole, usedforsecurity=False).hexdigest()


def _record(sheet: RecordManifest, files: Mapping[str, bytes]) -> Record:
    """Raises KeyError for a file that is named and not there."""

    def content(name: str | None) -> bytes | None:
        return None if name is None else files[name]

    def text(name: str) -> str:
        return files[name].decode(errors="surrogatepass")

    return Record(
        ledger=sheet.ledger,
        target=sheet.target,
        stored=tuple(Stored(item.sk, text(item.body), item.hash, item.kind) for item in sheet.items),
        anchors=tuple(
            Anchored(Anchor(sheet.target, each.seq, each.hash), each.versions, each.deleted, content(each.content))
            for each in sheet.anchors
        ),
        receipts={digest: Kept(content(now), content(old)) for digest, (now, old) in sheet.receipts.items()},
        plans=sheet.plans,
        answers={digest: tuple(files[name] for name in names) for digest, names in sheet.answers.items()},
        pins={tag.name: _pin(tag) for tag in sheet.tags},
        tags={tag.name: _tag(tag, content(tag.content)) for tag in sheet.tags} if sheet.repository else {},
        lock=None if sheet.lock is None else Lock(*sheet.lock),
    )


def _pin(tag: TagItem) -> TagPin | None:
    if tag.pinned_object is None or tag.pinned_commit is None:
        return None
    return TagPin(tag.pinned_object, tag.pinned_commit)


def _tag(tag: TagItem, content: bytes | None) -> TagObject | None:
    return None if tag.object is None or tag.commit is None else TagObject(tag.object, tag.commit, content)
