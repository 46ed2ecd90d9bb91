"""Verifies signed tags, with the keys that the rules name and no others.

`git verify-tag` judges, in a folder of its own: neither the user's keyring nor the settings of user or repository
(another program for gpg, another file of signers) count. For SSH git asks whether the key was valid at the time that
the tag itself tells, which whoever stole an old key can choose; so ssh-keygen is asked once more about today.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from orchestrator.effects.git.repository import Repository
from orchestrator.effects.system import process
from orchestrator.errors import DependencyError, InvalidInput, Refused
from orchestrator.model.release.signature import Envelope, Signed, open_envelope, read_gpg, read_principals, read_ssh

_SECONDS = 60.0
# Nothing is looked up elsewhere, no other program is started, and each key of the keyring counts: the rules chose it.
_GPG_CONF = "trust-model always\nno-auto-key-retrieve\nno-auto-key-locate\nno-autostart\ndisable-dirmngr\n"


@dataclass(frozen=True)
class KeyFile:
    """A file of public keys on the protected branch; `content` is None where there is none."""

    path: str
    content: bytes | None


@dataclass(frozen=True)
class Keys:
    """The keys that count."""

    gpg: KeyFile
    ssh: KeyFile


def verify(repository: Repository, tag_object: str, keys: Keys) -> Signed | None:
    """Who signed the tag object; None where it is not signed.

    Raises Refused where the signature does not count, InvalidInput where the keys cannot be read and
    DependencyError where gpg or ssh-keygen is missing.
    """
    envelope = open_envelope(repository.blob(tag_object))
    if envelope is None:
        return None
    if envelope.kind not in ("gpg", "ssh"):
        raise Refused("the tag is signed in another way than with GPG or SSH", hint="Sign it with a GPG or an SSH key.")
    file = keys.gpg if envelope.kind == "gpg" else keys.ssh
    if file.content is None:
        raise Refused(
            f"the tag is signed with {envelope.kind.upper()}, but the protected branch has no {file.path}",
            hint=f"Commit the public keys that count to {file.path}.",
        )
    with tempfile.TemporaryDirectory(prefix="orchestrate-keys-") as name:
        folder = Path(name)
        if envelope.kind == "gpg":
            return _gpg(repository, tag_object, file, folder)
        return _ssh(repository, tag_object, file, envelope, folder)


def _gpg(repository: Repository, tag_object: str, file: KeyFile, folder: Path) -> Signed:
    program = _program("gpg")
    (folder / "gpg.conf").write_text(_GPG_CONF)
    (folder / "common.conf").touch()  # else GnuPG 2.4 starts a keyboxd for a new folder
    _import(program, file, folder)
    settings = {"gpg.program": program, "gpg.openpgp.program": program, "gpg.minTrustLevel": "undefined"}
    good, said = repository.verify_tag(tag_object, settings, {"GNUPGHOME": str(folder)})
    signed = read_gpg(said)
    if not good:
        raise Refused("the tag's signature does not count: git verify-tag does not accept it")
    return signed


def _import(program: str, file: KeyFile, folder: Path) -> None:
    content = file.content or b""
    if b"PRIVATE KEY BLOCK" in content:
        raise InvalidInput(
            f"{file.path} on the protected branch holds a private key",
            hint="Take it out, replace that key everywhere, and export public keys: `gpg --export --armor KEY`.",
        )
    done = process.run([program, "--homedir", str(folder), "--batch", "--import", "-"], timeout=_SECONDS, input=content)
    if done.returncode != 0 and content.strip():
        raise InvalidInput(
            f"{file.path} on the protected branch cannot be read as GPG public keys",
            hint="Write it with `gpg --export --armor KEY...`.",
        )


def _ssh(repository: Repository, tag_object: str, file: KeyFile, envelope: Envelope, folder: Path) -> Signed:
    program = _program("ssh-keygen")
    signers, block = folder / "allowed_signers", folder / "signature"
    signers.write_bytes(file.content or b"")
    block.write_bytes(envelope.block)
    principals = read_principals(
        process.run([program, "-Y", "find-principals", "-s", block, "-f", signers], timeout=_SECONDS).stdout
    )
    whose: list[str | Path] = ["-n", "git", "-f", signers, "-I", principals[0], "-s", block]
    today = process.run([program, "-Y", "verify", *whose], timeout=_SECONDS, input=envelope.payload)
    if today.returncode != 0:
        raise Refused("the tag's signature does not count: it is not the signature of this tag by an allowed signer")
    settings = {"gpg.ssh.program": program, "gpg.ssh.allowedSignersFile": str(signers), "gpg.ssh.revocationFile": ""}
    good, _ = repository.verify_tag(tag_object, settings, {})
    if not good:
        raise Refused(
            "the tag's signature does not count: git verify-tag does not accept it",
            hint="It asks whether the key was valid on the day that the tag tells.",
        )
    return read_ssh(principals, signers.read_text("utf-8", errors="replace"), today.stdout)


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        package = "GnuPG" if name == "gpg" else "OpenSSH"
        raise DependencyError(
            f"there is no {name} on the PATH, which verifying the tag's signature needs", hint=f"Install {package}."
        )
    return found
