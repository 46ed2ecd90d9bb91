"""Keys to sign with, made on the spot by gpg and ssh-keygen, apart from those of the person who runs the tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class SigningKey:
    """`settings` make git sign with the key, `env` lets it find it; `public` is what the protected branch holds."""

    settings: tuple[str, ...]
    env: Mapping[str, str]
    public: str
    fingerprint: str

    @property
    def options(self) -> list[str]:
        return [part for setting in self.settings for part in ("-c", setting)]


def ssh_key(folder: Path, name: str) -> SigningKey:
    """An ed25519 key in `folder`; `public` is `ssh-ed25519 AAAA...`."""
    file = folder / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(file)], check=True)
    public = " ".join(file.with_name(f"{name}.pub").read_text().split()[:2])
    said = subprocess.run(["ssh-keygen", "-lf", f"{file}.pub"], check=True, capture_output=True, text=True).stdout
    return SigningKey(("gpg.format=ssh", f"user.signingKey={file}.pub"), {}, public, said.split()[1])


@dataclass(frozen=True)
class GpgHome:
    """A keyring of its own; its path is short, because an agent's socket stands in it."""

    folder: Path

    def run(self, *arguments: str, input: str | None = None) -> str:
        done = subprocess.run(
            ["gpg", "--batch", "--quiet", "--passphrase", "", "--pinentry-mode", "loopback", *arguments],
            env={**os.environ, "GNUPGHOME": str(self.folder)},
            input=input,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout

    def key(self, user: str, *options: str, expires: str = "never") -> SigningKey:
        """Makes a signing key for `Name <address>`; `options` as for gpg (`--faked-system-time`)."""
        self.run(*options, "--quick-gen-key", user, "ed25519", "sign", expires)
        return self.existing(user)

    def existing(self, user: str) -> SigningKey:
        listed = self.run("--with-colons", "--list-keys", f"={user}")
        fingerprint = next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr:"))
        public = self.run("--export", "--armor", fingerprint)
        env = {"GNUPGHOME": str(self.folder)}
        return SigningKey(("gpg.format=openpgp", f"user.signingKey={fingerprint}!"), env, public, fingerprint)

    def revoke(self, key: SigningKey) -> SigningKey:
        """The key as its owner publishes it once it is stolen."""
        certificate = self.folder / "openpgp-revocs.d" / f"{key.fingerprint}.rev"
        self.run("--import", input=certificate.read_text().replace(":-----BEGIN", "-----BEGIN"))
        public = self.run("--export", "--armor", key.fingerprint)
        return SigningKey(key.settings, key.env, public, key.fingerprint)


@contextmanager
def gpg_home() -> Iterator[GpgHome]:
    folder = Path(tempfile.mkdtemp(prefix="gpg-", dir="/tmp"))
    try:
        yield GpgHome(folder)
    finally:
        stop = ["gpgconf", "--kill", "all"]
        subprocess.run(stop, env={**os.environ, "GNUPGHOME": str(folder)}, check=True, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)
