"""Signed tags: what git, gpg and ssh-keygen say about a signature, judged.

Sources: gitformat-signature(5); GnuPG's doc/DETAILS, "Format of the --status-fd output"; ssh-keygen(1).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import msgspec

from orchestrator.errors import Refused
from orchestrator.model.text.quoting import escaped, quoted

Kind: TypeAlias = Literal["gpg", "ssh", "x509", "other"]

_BEGIN = re.compile(rb"^-----BEGIN (PGP SIGNATURE|SSH SIGNATURE|SIGNED MESSAGE|PGP MESSAGE)-----", re.MULTILINE)
_KINDS: dict[bytes, Kind] = {b"PGP SIGNATURE": "gpg", b"SSH SIGNATURE": "ssh", b"SIGNED MESSAGE": "x509"}
_STATUS = re.compile(r"^\[GNUPG:\] ([A-Z_]+)(?: (.*))?$", re.MULTILINE)
_MAIL = re.compile(r"<([^<>\s]+@[^<>\s]+)>$")

# RFC 4253, "Public Key Algorithms": a key begins with the length of its type's name, so with three zero bytes.
_KEY = re.compile(r"(?<!\S)AAAA[A-Za-z0-9+/]+")

# What makes a signature none, and why. GOODSIG stands beside none of the first four, but may beside the others.
_FAULTS = {
    "BADSIG": "it is not the signature of this tag",
    "ERRSIG": "its key is not among the allowed signers",
    "EXPSIG": "the signature has expired",
    "EXPKEYSIG": "the key has expired",
    "REVKEYSIG": "the key has been revoked",
    "KEYREVOKED": "the key has been revoked",
}
# RFC 9580, "Hash Algorithms": two texts with the same MD5, SHA-1 or RIPEMD-160 can be or might soon be made.
_BROKEN_HASHES = {"1": "MD5", "2": "SHA-1", "3": "RIPEMD-160"}
_OF_A_DOCUMENT = ("00", "01")


class Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A verified signature. `signer` is who the rules say the key belongs to; `key` its fingerprint."""

    kind: Literal["gpg", "ssh"]
    signer: str
    key: str
    person: str | None
    """The mail address or name of the one person who has the key; None where the rules name several or none."""


@dataclass(frozen=True)
class Envelope:
    """A tag object taken apart as git does it: the last signature block, and all that stands before it."""

    kind: Kind
    payload: bytes
    block: bytes


def open_envelope(tag_object: bytes) -> Envelope | None:
    """None where the tag is not signed."""
    begins = list(_BEGIN.finditer(tag_object))
    if not begins:
        return None
    last = begins[-1]
    return Envelope(_KINDS.get(last[1], "other"), tag_object[: last.start()], tag_object[last.start() :])


def read_gpg(status: str) -> Signed:
    """From gpg's status lines; raises Refused where they do not say that exactly one good signature was found."""
    lines: list[tuple[str, str]] = [(match[1], match[2] or "") for match in _STATUS.finditer(status)]
    for keyword, _ in lines:
        if keyword in _FAULTS:
            raise _bad(_FAULTS[keyword])
    good = [rest for keyword, rest in lines if keyword == "GOODSIG"]
    valid = [rest.split(" ") for keyword, rest in lines if keyword == "VALIDSIG"]
    if len(good) != 1 or len(valid) != 1 or len(valid[0]) < 10:
        raise _bad("gpg does not find exactly one good signature")
    fields = valid[0]
    if fields[7] in _BROKEN_HASHES:
        raise _bad(f"it is made with {_BROKEN_HASHES[fields[7]]}, which is broken")
    if fields[8] not in _OF_A_DOCUMENT:
        raise _bad("it is not the signature of a document")
    return _gpg_signed(good[0].partition(" ")[2], fields[9])


def mail_of(tagger: str | None) -> str | None:
    """The mail address in a tag's tagger line (`Name <address> seconds zone`); whoever made the tag chose it."""
    found = re.search(r"<([^<>]*)>[^<>]*$", tagger or "")
    return found[1].strip() or None if found else None


def _gpg_signed(user: str, key: str) -> Signed:
    mail = _MAIL.search(user)
    person = mail[1] if mail else None
    return Signed(kind="gpg", signer=escaped(person or user or key), key=key, person=person)


def read_principals(found: str) -> tuple[str, ...]:
    """From `ssh-keygen -Y find-principals`: whose the key is, by its first line in the allowed signers."""
    names = tuple(line.strip() for line in found.splitlines() if line.strip())
    if not names:
        raise _bad("its key is not among the allowed signers, or no longer valid")
    return names


def read_ssh(principals: tuple[str, ...], allowed_signers: str, said: str) -> Signed:
    """From what `ssh-keygen -Y verify` says about a good signature."""
    found = re.search(r'^Good "git" signature for .* with \S+ key (SHA256:[A-Za-z0-9+/=]+)$', said.strip())
    if found is None:
        raise _bad(f"ssh-keygen says {quoted(said.strip())}")
    names = sorted({*principals, *_owners(allowed_signers, found[1])})
    one = len(names) == 1 and not re.search(r"[,*?!\s]", names[0])
    return Signed(kind="ssh", signer=escaped(",".join(names)), key=found[1], person=names[0] if one else None)


def _owners(allowed_signers: str, fingerprint: str) -> Iterator[str]:
    """Of all lines with that key, those included that ssh-keygen, content with the first, does not come to."""
    for line in allowed_signers.splitlines():
        for encoded in _KEY.findall(line):
            if len(encoded) % 4 != 1 and _fingerprint(encoded) == fingerprint:
                yield from line.split()[0].strip('"').split(",")


def _fingerprint(encoded: str) -> str:
    import hashlib

    digest = hashlib.sha256(base64.b64decode(encoded + "=" * (-len(encoded) % 4))).digest()
    return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


def _bad(why: str) -> Refused:
    return Refused(f"the tag's signature does not count: {why}")
