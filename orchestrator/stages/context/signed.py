"""Is a tag signed as its environment asks? The keys that count come from the protected branch, as all rules do."""

from __future__ import annotations

from orchestrator.effects.git.repository import Repository, TagRef
from orchestrator.errors import InvalidInput, Refused
from orchestrator.model.release.signature import Signed
from orchestrator.model.rules.config import Environment
from orchestrator.model.rules.release_settings import Signers


def check_signature(repository: Repository, ref: TagRef, rules_commit: str, environment: Environment) -> Signed | None:
    """Who signed the tag, None where the environment does not ask or nobody did; Refused where that is not enough."""
    wanted = environment.signature
    if wanted == "none":
        return None
    signed = _verified(repository, ref, rules_commit, environment.signers) if ref.annotated else None
    if signed is None and wanted == "required":
        raise Refused(
            f"the tag {ref.name} is not signed, and this environment asks for signed tags",
            hint="Make a new version with `orchestrate tag --sign`.",
        )
    return signed


def _verified(repository: Repository, ref: TagRef, rules_commit: str, signers: Signers) -> Signed | None:
    """Imported only where signatures are asked for: `show` must not wait for it."""
    from orchestrator.effects.git.signatures import KeyFile, Keys, verify

    files = {path: _content(repository, rules_commit, path) for path in (signers.gpg, signers.ssh)}
    if all(content is None for content in files.values()):
        raise InvalidInput(
            f"tags must be signed, but the protected branch has neither {signers.gpg} nor {signers.ssh}",
            hint="Commit the public keys of those who may sign there.",
        )
    gpg, ssh = (KeyFile(path, files[path]) for path in (signers.gpg, signers.ssh))
    try:
        return verify(repository, ref.object, Keys(gpg, ssh))
    except Refused as error:
        hint = error.hint or f"Keys that count: {signers.gpg} and {signers.ssh} on the protected branch."
        raise Refused(f"{ref.name}: {error.message}", hint=hint) from None


def _content(repository: Repository, commit: str, path: str) -> bytes | None:
    if repository.is_link(commit, path):
        raise InvalidInput(
            f"{path} on the protected branch is a symbolic link", hint="Commit the public keys themselves."
        )
    return repository.read(commit, path)
