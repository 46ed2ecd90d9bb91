"""States that Terraform could not save (`errored.tfstate`): kept in the release bucket, stored where they fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.effects.terraform.workspace import Workspace
from orchestrator.errors import DependencyError, StageFailed
from orchestrator.model.ledger.ledger import History
from orchestrator.model.release.recovery import StateContent
from orchestrator.model.text.canonical import sha256
from orchestrator.stages.context.context import ReleaseContext

STATES = "states"
"""In the detail of `failed`: the hashes of states that were kept; of `recovered`: what became of each."""


@dataclass(frozen=True)
class Unsaved:
    """`key` is its copy in the release bucket; `path` its file here, None where only the copy is left.

    `state` is None where the file is not a state: Terraform may have been killed while it wrote it.
    """

    sha256: str
    key: str
    path: Path | None
    state: StateContent | None

    @property
    def serial(self) -> int:
        return -1 if self.state is None else self.state.version.serial


def keep(ctx: ReleaseContext, workspace: Workspace) -> list[Unsaved]:
    """Copies what lies in a workspace to the release bucket, and moves it out of the export."""
    return [_keep(ctx, workspace, path) for path in workspace.unsaved_states]


def _keep(ctx: ReleaseContext, workspace: Workspace, path: Path) -> Unsaved:
    content = path.read_bytes()
    digest = sha256(content)
    key = _key(ctx, digest)
    ctx.releases.put(key, content, if_none_match=True)
    kept = workspace.run / f"errored-{digest}.tfstate"
    path.rename(kept)
    kept.chmod(0o600)
    return Unsaved(digest, key, kept, _read(content))


def keep_if_possible(ctx: ReleaseContext, workspace: Workspace) -> list[str]:
    """Right after an apply that failed: a build's files end with the build. Returns the hashes of what is kept."""
    try:
        kept = keep(ctx, workspace)
    except DependencyError as error:
        ctx.progress(f"Warning: the state that could not be saved lies in {workspace.path} alone: {error}")
        return []
    for each in kept:
        ctx.progress(f"The state that could not be saved is kept as s3://{ctx.releases.name}/{each.key}")
    return [each.sha256 for each in kept]


def waiting(history: History) -> tuple[str, ...]:
    """The hashes of kept states of which no recovery has said what became of them."""
    kept: dict[str, None] = {}
    done: set[str] = set()
    for entry in history.entries:
        if entry.kind == "failed":
            kept.update(dict.fromkeys(entry.detail.get(STATES, ())))
        if entry.kind == "recovered":
            done.update(entry.detail.get(STATES, ()))
    return tuple(digest for digest in kept if digest not in done)


def gather(ctx: ReleaseContext, spaces: Sequence[Workspace], history: History) -> list[Unsaved]:
    """All that wait for a decision, kept, the oldest first."""
    found = {each.sha256: each for workspace in spaces for each in keep(ctx, workspace)}
    for digest in waiting(history):
        if digest not in found:
            found[digest] = _fetched(ctx, spaces[0], digest)
    return sorted(found.values(), key=lambda each: each.serial)


def _fetched(ctx: ReleaseContext, workspace: Workspace, digest: str) -> Unsaved:
    """From the bucket into the workspace, as if the apply had failed here."""
    path = workspace.run / f"errored-{digest}.tfstate"
    if not ctx.releases.download(_key(ctx, digest), path) or sha256(path.read_bytes()) != digest:
        path.unlink(missing_ok=True)
        raise StageFailed(
            f"the unsaved state s3://{ctx.releases.name}/{_key(ctx, digest)} is gone or has been changed",
            hint="Find its older version in the bucket. Where it is not needed, `--set-aside` with a reason goes on.",
        )
    return Unsaved(digest, _key(ctx, digest), path, _read(path.read_bytes()))


def put_away(unsaved: Sequence[Unsaved]) -> None:
    """What has been dealt with no longer stands in anybody's way; it stays in the bucket, and here under a new name."""
    for each in unsaved:
        if each.path is not None and each.path.exists():
            each.path.rename(each.path.with_name(f"kept-{each.sha256}.tfstate"))


def _key(ctx: ReleaseContext, digest: str) -> str:
    return f"recovered/{ctx.release.target.id}/{digest}.tfstate"


def _read(content: bytes) -> StateContent | None:
    try:
        return StateContent.read(content, "it")
    except StageFailed:
        return None
