"""Is a tag signed as its environment asks? The keys that count come from the protected branch, as all rules do."""

from __future__ import annotations

from orchestrator.effects import signatures
from orchestrator.effects.git import Repository, TagRef
from orchestrator.effects.signatures import KeyFile, Keys
from orchestrator.errors import InvalidInput, Refused
from orchestrator.model.config import Environment
from orchestrator.model.signature import Signed


def check_signature(repository: Repository, ref: TagRef, rules_commit: str, environment: Environment) -> Signed | None:
    """Who signed the tag, None where the environment does not ask or nobody did; Refused where that is not enough."""
    wanted = environment.signature
    if wanted == "none":
        return None
    signed = _verified(repository, ref, _keys(repository, rules_commit, environment)) if ref.annotated else None
    if signed is None and wanted == "required":
        raise Refused(
            f"the tag {ref.name} is not signed, and this environment asks for signed tags",
            hint="Make a new version with `orchestrate tag --sign`.",
        )
    return signed


def _verified(repository: Repository, ref: TagRef, keys: Keys) -> Signed | None:
    try:
        return signatures.verify(repository, ref.object, keys)
    except Refused as error:
        hint = error.hint or f"Keys that count: {keys.gpg.path} and {keys.ssh.path} on the protected branch."
        raise Refused(f"{ref.name}: {error.message}", hint=hint) from None


def _keys(repository: Repository, rules_commit: str, environment: Environment) -> Keys:
    signers = environment.signers
    keys = Keys(_file(repository, rules_commit, signers.gpg), _file(repository, rules_commit, signers.ssh))
    if keys.gpg.content is None and keys.ssh.content is None:
        raise InvalidInput(
            f"tags must be signed, but the protected branch has neither {signers.gpg} nor {signers.ssh}",
            hint="Commit the public keys of those who may sign there.",
        )
    return keys


def _file(repository: Repository, commit: str, path: str) -> KeyFile:
    if repository.is_link(commit, path):
        raise InvalidInput(
            f"{path} on the protected branch is a symbolic link", hint="Commit the public keys themselves."
        )
    return KeyFile(path, repository.read(commit, path))
