"""Signed tags, with real git, gpg and ssh-keygen."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orchestrator.errors import DependencyError, InvalidInput, OrchestrateError, Refused
from orchestrator.model.release.signature import Signed
from orchestrator.stages.tags.resolve import resolve
from tests.support.git_project import RULES, GitProject
from tests.support.keys import GpgHome, SigningKey, gpg_home, ssh_key

TAG = "dev_us-east-1/research/1.0"
ALICE = "Alice Example <alice@example.com>"


@pytest.fixture(scope="module")
def home() -> Iterator[GpgHome]:
    with gpg_home() as made:
        yield made


@pytest.fixture(scope="module")
def alice_gpg(home: GpgHome) -> SigningKey:
    return home.key(ALICE)


@pytest.fixture(scope="module")
def alice_ssh(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return ssh_key(tmp_path_factory.mktemp("keys"), "alice")


@pytest.fixture(scope="module")
def mallory_ssh(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return ssh_key(tmp_path_factory.mktemp("keys"), "mallory")


def sign(project: GitProject, key: SigningKey, name: str = TAG, **env: str) -> str:
    command = ["git", *key.options, "tag", "--sign", "--message", "A release", name]
    subprocess.run(command, cwd=project.folder, env={**os.environ, **key.env, **env}, check=True, capture_output=True)
    return project.git("rev-parse", f"refs/tags/{name}")


Rules = Callable[..., GitProject]


@pytest.fixture
def asking(git_project: GitProject) -> Rules:
    """The project with `signature: required` and these keys on the protected branch."""

    def make(*, gpg: str | None = None, ssh: str | None = None, signature: str = "required") -> GitProject:
        files = {"envs/dev.yaml": f"{RULES['envs/dev.yaml']}signature: {signature}\n"}
        files |= {"envs/signers.asc": gpg} if gpg is not None else {}
        files |= {"envs/allowed_signers": ssh} if ssh is not None else {}
        git_project.commit(files)
        return git_project

    return make


def signed(project: GitProject) -> Signed | None:
    return resolve(project.open(), TAG, None).author.signed


def refusal(project: GitProject, kind: type[OrchestrateError] = Refused) -> str:
    with pytest.raises(kind) as error:
        resolve(project.open(), TAG, None)
    assert error.value.hint
    return error.value.message


def test_signatures_are_not_looked_at_where_nobody_asks(git_project: GitProject, alice_ssh: SigningKey) -> None:
    sign(git_project, alice_ssh)
    author = resolve(git_project.open(), TAG, None).author
    assert (author.signed, author.tagger) == (None, "person@example.com")


def test_a_gpg_signature(asking: Rules, alice_gpg: SigningKey) -> None:
    project = asking(gpg=alice_gpg.public)
    sign(project, alice_gpg)
    assert signed(project) == Signed("gpg", "alice@example.com", alice_gpg.fingerprint, "alice@example.com")


def test_an_ssh_signature(asking: Rules, alice_ssh: SigningKey) -> None:
    project = asking(ssh=f'alice@example.com namespaces="git" {alice_ssh.public}\n')
    sign(project, alice_ssh)
    assert signed(project) == Signed("ssh", "alice@example.com", alice_ssh.fingerprint, "alice@example.com")


@pytest.mark.parametrize("principals", ["*@example.com", "alice@example.com,bob@example.com"])
def test_a_key_of_several_people_is_nobodys_in_particular(
    asking: Rules, alice_ssh: SigningKey, principals: str
) -> None:
    project = asking(ssh=f"{principals} {alice_ssh.public}\n")
    sign(project, alice_ssh)
    assert signed(project) == Signed("ssh", principals, alice_ssh.fingerprint, None)


def test_a_key_on_two_lines_is_nobodys_in_particular(asking: Rules, alice_ssh: SigningKey) -> None:
    """ssh-keygen itself stops at the first."""
    project = asking(ssh=f"alice@example.com {alice_ssh.public}\nbob@example.com {alice_ssh.public} laptop\n")
    sign(project, alice_ssh)
    assert signed(project) == Signed("ssh", "alice@example.com,bob@example.com", alice_ssh.fingerprint, None)


@pytest.mark.parametrize(("signature", "accepted"), [("none", True), ("any", True), ("required", False)])
def test_a_tag_that_is_not_signed(asking: Rules, alice_ssh: SigningKey, signature: str, accepted: bool) -> None:
    project = asking(ssh=f"alice@example.com {alice_ssh.public}\n", signature=signature)
    project.tag(TAG)
    assert (signed(project) is None) if accepted else ("is not signed" in refusal(project))


def test_a_lightweight_tag_is_never_signed(asking: Rules, alice_ssh: SigningKey) -> None:
    project = asking(ssh=f"alice@example.com {alice_ssh.public}\n")
    rules = project.folder / "envs/dev.yaml"
    project.commit({"envs/dev.yaml": rules.read_text() + "allow_lightweight_tags: true\n"})
    project.git("tag", TAG)
    assert "is not signed" in refusal(project)


@pytest.mark.parametrize("signature", ["any", "required"])
def test_an_unknown_signer_is_refused(
    asking: Rules, alice_ssh: SigningKey, mallory_ssh: SigningKey, signature: str
) -> None:
    project = asking(ssh=f"alice@example.com {alice_ssh.public}\n", signature=signature)
    sign(project, mallory_ssh)
    assert "its key is not among the allowed signers" in refusal(project)


def test_an_unknown_gpg_key_is_refused(asking: Rules, home: GpgHome, alice_gpg: SigningKey) -> None:
    project = asking(gpg=alice_gpg.public)
    sign(project, home.key("Mallory <mallory@example.com>"))
    assert "its key is not among the allowed signers" in refusal(project)


def test_the_tagged_commit_cannot_bring_its_own_signers(
    asking: Rules, alice_ssh: SigningKey, mallory_ssh: SigningKey
) -> None:
    project = asking(ssh=f"alice@example.com {alice_ssh.public}\n")
    project.git("checkout", "--quiet", "-b", "mine")
    project.commit({"envs/allowed_signers": f"mallory@example.com {mallory_ssh.public}\n"})
    rules = (project.folder / "envs/dev.yaml").read_text() + "allow_unmerged_commits: true\n"
    sign(project, mallory_ssh)
    project.git("checkout", "--quiet", "main")
    project.commit({"envs/dev.yaml": rules})
    assert "its key is not among the allowed signers" in refusal(project)


def test_settings_of_repository_and_user_do_not_count(
    asking: Rules, alice_ssh: SigningKey, mallory_ssh: SigningKey, tmp_path: Path
) -> None:
    project = asking(ssh=f"alice@example.com {alice_ssh.public}\n")
    own = tmp_path / "own_signers"
    own.write_text(f"mallory@example.com {mallory_ssh.public}\n")
    liar = tmp_path / "liar"
    liar.write_text('#!/bin/sh\necho "mallory@example.com"\necho \'Good "git" signature for a with X key SHA256:a\'\n')
    liar.chmod(0o755)
    project.git("config", "gpg.ssh.allowedSignersFile", str(own))
    sign(project, mallory_ssh)
    project.git("config", "gpg.ssh.program", str(liar))
    assert "its key is not among the allowed signers" in refusal(project)


def test_the_keyring_of_the_user_does_not_count(
    asking: Rules, home: GpgHome, alice_gpg: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = asking(gpg=alice_gpg.public)
    sign(project, home.key("Own <own@example.com>"))
    monkeypatch.setenv("GNUPGHOME", str(home.folder))
    assert "its key is not among the allowed signers" in refusal(project)


def test_a_signature_of_another_tag_is_refused(asking: Rules, alice_ssh: SigningKey) -> None:
    """Replayed: the block of a good signature under another text."""
    project = asking(ssh=f"alice@example.com {alice_ssh.public}\n")
    good = project.git("cat-file", "tag", sign(project, alice_ssh, "dev_us-east-1/research/0.9"))
    forged = good.replace("research/0.9", "research/1.0").encode() + b"\n"
    made = project.git("hash-object", "-t", "tag", "-w", "--stdin", input=forged)
    project.git("update-ref", f"refs/tags/{TAG}", made)
    assert "is not the signature of this tag" in refusal(project)


def test_a_gpg_signature_of_another_tag_is_refused(asking: Rules, alice_gpg: SigningKey) -> None:
    project = asking(gpg=alice_gpg.public)
    good = project.git("cat-file", "tag", sign(project, alice_gpg, "dev_us-east-1/research/0.9"))
    forged = good.replace("research/0.9", "research/1.0").encode() + b"\n"
    made = project.git("hash-object", "-t", "tag", "-w", "--stdin", input=forged)
    project.git("update-ref", f"refs/tags/{TAG}", made)
    assert "is not the signature of this tag" in refusal(project)


def test_a_signed_tag_object_under_another_name_is_refused(asking: Rules, alice_ssh: SigningKey) -> None:
    project = asking(ssh=f"alice@example.com {alice_ssh.public}\n")
    project.git("update-ref", f"refs/tags/{TAG}", sign(project, alice_ssh, "dev_us-east-1/risk/1.0"))
    assert "calls itself dev_us-east-1/risk/1.0" in refusal(project)


def test_an_expired_gpg_key_is_refused(asking: Rules, home: GpgHome) -> None:
    old = home.key("Old <old@example.com>", "--faked-system-time", "20200101T000000", expires="1y")
    project = asking(gpg=old.public)
    script = home.folder / "then"
    script.write_text('#!/bin/sh\nexec gpg --faked-system-time 20200601T000000 "$@"\n')
    script.chmod(0o755)
    then = SigningKey((*old.settings, f"gpg.program={script}"), old.env, old.public, old.fingerprint)
    sign(project, then)
    assert "the key has expired" in refusal(project)


def test_a_revoked_gpg_key_is_refused(asking: Rules, home: GpgHome) -> None:
    stolen = home.key("Stolen <stolen@example.com>")
    project = asking(gpg=stolen.public)
    sign(project, stolen)
    assert signed(project)
    project.commit({"envs/signers.asc": home.revoke(stolen).public})
    assert "the key has been revoked" in refusal(project)


def test_an_expired_ssh_key_is_refused_whatever_time_the_tag_tells(asking: Rules, alice_ssh: SigningKey) -> None:
    """git itself believes the tag's own date."""
    project = asking(ssh=f'alice@example.com valid-before="20200101" {alice_ssh.public}\n')
    sign(project, alice_ssh, GIT_COMMITTER_DATE="2019-06-01T00:00:00Z")
    assert "or no longer valid" in refusal(project)


def test_a_key_that_was_not_valid_yet_is_refused(asking: Rules, alice_ssh: SigningKey) -> None:
    project = asking(ssh=f'alice@example.com valid-after="20200101" {alice_ssh.public}\n')
    sign(project, alice_ssh, GIT_COMMITTER_DATE="2019-06-01T00:00:00Z")
    assert "git verify-tag does not accept it" in refusal(project)


def test_a_key_for_another_purpose_is_refused(asking: Rules, alice_ssh: SigningKey) -> None:
    project = asking(ssh=f'alice@example.com namespaces="file" {alice_ssh.public}\n')
    sign(project, alice_ssh)
    refusal(project)


@pytest.mark.parametrize("block", ["SIGNED MESSAGE", "PGP MESSAGE"])
def test_other_kinds_of_signatures_are_refused(asking: Rules, alice_ssh: SigningKey, block: str) -> None:
    project = asking(ssh=f"alice@example.com {alice_ssh.public}\n")
    body = f"A release\n-----BEGIN {block}-----\nAAAA\n-----END {block}-----\n"
    project.git("tag", "--annotate", "--cleanup=verbatim", "--file=-", TAG, input=body.encode())
    assert "in another way than with GPG or SSH" in refusal(project)


def test_without_any_keys_the_rules_are_wrong(asking: Rules, alice_ssh: SigningKey) -> None:
    project = asking()
    sign(project, alice_ssh)
    assert "has neither envs/signers.asc nor envs/allowed_signers" in refusal(project, InvalidInput)


def test_the_kind_of_key_that_is_missing_is_named(asking: Rules, alice_gpg: SigningKey, alice_ssh: SigningKey) -> None:
    project = asking(ssh=f"alice@example.com {alice_ssh.public}\n")
    sign(project, alice_gpg)
    assert "signed with GPG, but the protected branch has no envs/signers.asc" in refusal(project)


def test_a_private_key_on_the_protected_branch_is_pointed_out(
    asking: Rules, home: GpgHome, alice_gpg: SigningKey
) -> None:
    project = asking(gpg=home.run("--export-secret-keys", "--armor", alice_gpg.fingerprint))
    sign(project, alice_gpg)
    assert "holds a private key" in refusal(project, InvalidInput)


def test_keys_that_cannot_be_read(asking: Rules, alice_gpg: SigningKey) -> None:
    project = asking(gpg="not keys\n")
    sign(project, alice_gpg)
    assert "cannot be read as GPG public keys" in refusal(project, InvalidInput)


def test_a_link_instead_of_keys_is_refused(asking: Rules, alice_ssh: SigningKey) -> None:
    project = asking()
    (project.folder / "envs/allowed_signers").symlink_to("/etc/passwd")
    project.commit()
    sign(project, alice_ssh)
    assert "is a symbolic link" in refusal(project, InvalidInput)


def test_an_environment_may_name_files_of_its_own(
    asking: Rules, alice_ssh: SigningKey, mallory_ssh: SigningKey
) -> None:
    project = asking(ssh=f"mallory@example.com {mallory_ssh.public}\n")
    rules = (project.folder / "envs/dev.yaml").read_text() + "signers: {ssh: envs/dev/signers}\n"
    project.commit({"envs/dev.yaml": rules, "envs/dev/signers": f"alice@example.com {alice_ssh.public}\n"})
    sign(project, alice_ssh)
    assert signed(project)


@pytest.mark.slow
def test_a_missing_program_is_named(asking: Rules, alice_ssh: SigningKey, monkeypatch: pytest.MonkeyPatch) -> None:
    project = asking(ssh=f"alice@example.com {alice_ssh.public}\n")
    sign(project, alice_ssh)
    bin_folder = project.folder / ".bin"
    bin_folder.mkdir()
    git = subprocess.run(["which", "git"], check=True, capture_output=True, text=True).stdout.strip()
    (bin_folder / "git").symlink_to(git)
    monkeypatch.setenv("PATH", str(bin_folder))
    assert "there is no ssh-keygen on the PATH" in refusal(project, DependencyError)
