"""What git, gpg and ssh-keygen say about a signature; the programs themselves: tests/stages/tags/test_signed.py."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import Refused
from orchestrator.model.release.signature import Signed, mail_of, open_envelope, read_gpg, read_principals, read_ssh

KEY = "D61AB80F38E15C73C357A5C0731812F331916D2B"
NEW = "[GNUPG:] NEWSIG alice@example.com"
GOOD = "[GNUPG:] GOODSIG 731812F331916D2B Alice <alice@example.com>"
VALID = f"[GNUPG:] VALIDSIG {KEY} 2026-11-21 1795257345 0 4 0 22 8 00 {KEY}"
SSH = 'Good "git" signature for alice@example.com with ED25519 key SHA256:gfqL979WFUIC8uqYiAg6IDOj9/MLuDGDDXELIKedx/w\n'
FINGERPRINT = "SHA256:gfqL979WFUIC8uqYiAg6IDOj9/MLuDGDDXELIKedx/w"
PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMrokgeuz yZ"


def test_one_good_gpg_signature() -> None:
    assert read_gpg("\n".join([NEW, GOOD, VALID])) == Signed("gpg", "alice@example.com", KEY, "alice@example.com")


def test_a_gpg_key_without_a_mail_address_is_nobodys() -> None:
    named = read_gpg("\n".join([GOOD.replace("Alice <alice@example.com>", "Build \x1b[31m"), VALID]))
    assert (named.signer, named.person) == ("Build \\x1b[31m", None)
    nameless = read_gpg("\n".join([GOOD.partition(" Alice")[0], VALID]))
    assert (nameless.signer, nameless.person) == (KEY, None)


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([], "exactly one"),
        ([NEW], "exactly one"),
        ([GOOD], "exactly one"),
        ([VALID], "exactly one"),
        ([GOOD, GOOD, VALID], "exactly one"),
        ([GOOD, VALID, VALID], "exactly one"),
        ([GOOD, VALID.rpartition(" ")[0]], "exactly one"),
        ([GOOD, VALID, "[GNUPG:] BADSIG 1 Alice"], "not the signature of this tag"),
        ([GOOD, VALID, "[GNUPG:] EXPKEYSIG 1 Alice"], "the key has expired"),
        ([VALID, "[GNUPG:] REVKEYSIG 1 Alice"], "the key has been revoked"),
        ([GOOD, VALID, "[GNUPG:] KEYREVOKED"], "the key has been revoked"),
        (["[GNUPG:] EXPSIG 1 Alice"], "the signature has expired"),
        (["[GNUPG:] ERRSIG 1 2 3 4 5 9"], "not among the allowed signers"),
        ([GOOD, VALID.replace(" 8 00 ", " 2 00 ")], "SHA-1, which is broken"),
        ([GOOD, VALID.replace(" 8 00 ", " 8 10 ")], "not the signature of a document"),
        (["x " + GOOD, VALID], "exactly one"),
    ],
)
def test_anything_else_that_gpg_says_is_refused(lines: list[str], why: str) -> None:
    with pytest.raises(Refused, match=why):
        read_gpg("\n".join(lines))


def test_an_ssh_signature() -> None:
    signed = read_ssh(("alice@example.com",), "", SSH)
    assert signed == Signed("ssh", "alice@example.com", FINGERPRINT, "alice@example.com")


@pytest.mark.parametrize("names", [("a@b", "c@d"), ("*@b",), ("!a@b",), ("a?b",), ("a b",)])
def test_several_people_or_a_pattern_are_nobody_in_particular(names: tuple[str, ...]) -> None:
    assert read_ssh(names, "", SSH).person is None


@pytest.mark.parametrize("said", ["", "Could not verify", 'Good "file" signature for a with X key SHA256:a', SSH * 2])
def test_ssh_keygen_that_says_something_else(said: str) -> None:
    with pytest.raises(Refused, match="ssh-keygen says"):
        read_ssh(("a",), "", said)


def test_owners_on_any_line_of_the_same_key_count() -> None:
    key = base64.b64encode(b"\0\0\0\x0bssh-ed25519" + bytes(36)).decode()
    fingerprint = "SHA256:" + base64.b64encode(hashlib.sha256(base64.b64decode(key)).digest()).decode().rstrip("=")
    said = SSH.replace(FINGERPRINT, fingerprint)
    lines = f'# bob\nalice ssh-ed25519 {key}\n"carol,dave" namespaces="git" ssh-ed25519 {key} a comment\n{PUBLIC}\n'
    assert read_ssh(("alice",), lines, said).signer == "alice,carol,dave"
    assert read_ssh(("alice",), lines.partition('"')[0], said).person == "alice"


@given(st.lists(st.text(st.characters(codec="utf-8")) | st.sampled_from(["AAAA", "AAAAC", PUBLIC, " ", "\n"])))
def test_any_text_may_be_asked_for_owners_of_a_key(parts: list[str]) -> None:
    assert read_ssh(("alice",), "".join(parts), SSH).person == "alice"


def test_no_principal() -> None:
    with pytest.raises(Refused, match="not among the allowed signers"):
        read_principals(" \n")
    assert read_principals("a@b\nc@d\n") == ("a@b", "c@d")


MARKS = [b"-----BEGIN PGP SIGNATURE-----", b"-----BEGIN SSH SIGNATURE-----", b"\n", b"-----BEGIN SIGNED MESSAGE-----"]


@given(st.lists(st.sampled_from(MARKS) | st.binary(max_size=5)).map(b"".join))
def test_payload_and_block_are_the_whole_object_and_the_block_is_the_last(content: bytes) -> None:
    envelope = open_envelope(content)
    marked = any(line.startswith(tuple(m for m in MARKS if m != b"\n")) for line in content.split(b"\n"))
    assert (envelope is not None) == marked
    if envelope is not None:
        assert envelope.payload + envelope.block == content
        assert not envelope.payload or envelope.payload.endswith(b"\n")
        assert open_envelope(envelope.block[1:]) is None


def test_the_kind_of_a_signature() -> None:
    def kind(name: bytes) -> str | None:
        envelope = open_envelope(b"object x\n\nhello\n-----BEGIN " + name + b"-----\nx\n")
        return None if envelope is None else envelope.kind

    assert kind(b"PGP SIGNATURE") == "gpg"
    assert kind(b"SSH SIGNATURE") == "ssh"
    assert kind(b"SIGNED MESSAGE") == "x509"
    assert kind(b"PGP MESSAGE") == "other"
    assert kind(b"CERTIFICATE") is None


@pytest.mark.parametrize(
    ("tagger", "mail"),
    [
        (None, None),
        ("", None),
        ("A Person", None),
        ("A <> 1 +0000", None),
        ("A Person <a@b> 1 +0000", "a@b"),
        ("<x@y> <a@b> 1 +0000", "a@b"),
    ],
)
def test_the_address_in_a_tagger_line(tagger: str | None, mail: str | None) -> None:
    assert mail_of(tagger) == mail
