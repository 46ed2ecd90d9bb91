"""Finishes what an interrupted run left: safely, as often as one likes, and never two at once for a target.

Nothing is released that might still be in use. A run is known to be gone when our lease has not changed for its whole
length, the workspace's lock is free (a Terraform inherits it), and, where the run was a CodeBuild build, that build
has ended. A lock of Terraform's is ours when this workspace's log names it, or when that build's container took it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from orchestrator.effects.ledger.lease import Held, Holder, here
from orchestrator.effects.pipeline.builds import Builds
from orchestrator.effects.state.locks import StateLocks, md5
from orchestrator.effects.terraform.workspace import Workspace, opened, place_of, suffix
from orchestrator.errors import Locked, Refused
from orchestrator.model.ledger.ledger import Draft, Entry, History
from orchestrator.model.release import receipt as receipts
from orchestrator.model.release.receipt import PlanReceipt, StateVersion
from orchestrator.model.release.recovery import (
    ADOPTION,
    Ending,
    Fit,
    RunLocation,
    StateContent,
    StateLock,
    Work,
    ending,
    fit,
    interrupted,
    is_of_build,
    lock_ids,
    unknown_to,
    work,
)
from orchestrator.model.tools.dialect import DIALECTS
from orchestrator.stages.context.context import ReleaseContext
from orchestrator.stages.context.state import stored_state
from orchestrator.stages.record.refusals import recorded
from orchestrator.stages.recovery import unsaved
from orchestrator.stages.recovery.interrupted import look, state_locks
from orchestrator.stages.recovery.unsaved import STATES, Unsaved
from orchestrator.stages.terraform import prepare


@dataclass(frozen=True)
class RecoveredRun:
    """How one interrupted run ended; `unknown` are resources that may exist without standing in the state."""

    run: Entry
    how: Ending
    unknown: tuple[str, ...]


@dataclass(frozen=True)
class Recovery:
    """What was done: nothing at all where `entry` is None. `left` are plans that may still be under way elsewhere."""

    tag: str
    state: StateVersion | None
    left: tuple[Entry, ...] = ()
    ended: tuple[RecoveredRun, ...] = ()
    released: tuple[StateLock, ...] = ()
    states: tuple[tuple[Unsaved, Fit], ...] = ()
    entry: Entry | None = None


@recorded("recover")
def recover(ctx: ReleaseContext, set_aside: str = "") -> Recovery:
    """With a reason to `set_aside`, a state that does not fit the stored one counts as dealt with.

    Raises Locked where a run is, or may be, alive, and Refused for a state that people must decide about.
    """
    by = ctx.identify()
    if _clean(ctx):
        state = stored_state(ctx.aws, ctx.release.rules, ctx.release.target)
        return Recovery(str(ctx.release.tag), None if state is None else state.version)
    place = here(ctx.env)
    holder = Holder(by, str(ctx.release.tag), place.where, place.build)
    with ctx.leases.held(ctx.release.target.id, holder, ctx.progress) as lease, contextlib.ExitStack() as stack:
        history = ctx.chain.read()
        plans = {run.id: _plan_of(ctx, run) for run in interrupted(history)}
        spaces = tuple(stack.enter_context(opened(path)) for path in _places(ctx, plans.values()))
        scene = _Scene(ctx, history, plans, spaces, lease.taken_over)
        return _finish(scene, _RecoveryRecord(by, lease, set_aside))


def _clean(ctx: ReleaseContext) -> bool:
    """Whether nothing is left by anybody: then nothing needs to be waited for."""
    target = ctx.release.target
    history = ctx.chain.read()
    found = look(ctx.aws, ctx.release.rules, target, interrupted(history))
    here = Workspace(place_of(ctx.release.rules.project, target, ctx.env), -1).unsaved_states
    return not (found.runs or found.locks or found.lease or here or unsaved.waiting(history))


def _plan_of(ctx: ReleaseContext, run: Entry) -> PlanReceipt | None:
    """The receipt of the plan that was being applied."""
    if run.digest is None:
        return None
    content = ctx.releases.get(receipts.receipt_key(ctx.release.target.id, run.digest))
    return None if content is None else receipts.decode(content, run.digest)


def _places(ctx: ReleaseContext, plans: Iterable[PlanReceipt | None]) -> list[Path]:
    """Our workspace of the target, and those on this machine where the plans that were being applied were made."""
    own = place_of(ctx.release.rules.project, ctx.release.target, ctx.env)
    end = f"/{suffix(ctx.release.rules.project, ctx.release.target)}"
    named = [Path(plan.workspace) for plan in plans if plan is not None and plan.workspace.endswith(end)]
    return list(dict.fromkeys([own, *(path for path in named if ".." not in path.parts and path.is_dir())]))


@dataclass(frozen=True)
class _Scene:
    """What is there, while nobody else can change it: we hold the lease and the workspaces."""

    ctx: ReleaseContext
    history: History
    plans: Mapping[str, PlanReceipt | None]
    spaces: tuple[Workspace, ...]
    taken_over: str | None

    @cached_property
    def locks(self) -> StateLocks:
        return state_locks(self.ctx.aws, self.ctx.release.rules, self.ctx.release.target)

    @cached_property
    def runs(self) -> tuple[Entry, ...]:
        """Those that are shown to be gone. Of an apply the lease shows it; a plan may be under way elsewhere."""
        return tuple(run for run in interrupted(self.history) if run.kind == "applying" or self._was_here(run))

    def _was_here(self, run: Entry) -> bool:
        place, path = RunLocation.of(run), run.detail.get("workspace")
        here_ = place.host == self.here.host and path in [str(space.path) for space in self.spaces]
        return here_ or (bool(place.build) and self.ended(place.build))

    @cached_property
    def here(self) -> RunLocation:
        return here(self.ctx.env)

    def ended(self, build: str) -> bool:
        """Of our own build we know by the workspace's lock."""
        target = self.ctx.release.target
        return build == self.here.build or Builds(self.ctx.aws, target.stores.region, target.env).ended(build)

    @cached_property
    def own_locks(self) -> tuple[StateLock, ...]:
        """Raises Locked where a lock is not shown to be that of a run which is gone."""
        found = self.locks.found()
        ours = lock_ids("\n".join(_text(space.trace) for space in self.spaces))
        builds = [place for run in self.runs if (place := RunLocation.of(run)).build]
        for lock in found:
            known = lock.id in ours or lock.operation == ADOPTION
            if not known and not any(is_of_build(lock, place) for place in builds):
                raise _foreign(self.ctx, lock, self.runs)
        return found

    def work(self, run: Entry) -> Work | None:
        """What Terraform said, where its log is here."""
        for space in self.spaces:
            if run.kind == "applying" and _text(space.begun).strip() == run.id:
                return work(_text(space.run / "apply.log").splitlines())
        return None

    def state(self) -> StateContent | None:
        return stored_state(self.ctx.aws, self.ctx.release.rules, self.ctx.release.target)


@dataclass(frozen=True)
class _RecoveryRecord:
    """Who recovers, under which lease, and why a state that does not fit is set aside."""

    by: str
    lease: Held
    set_aside: str


def _finish(scene: _Scene, record: _RecoveryRecord) -> Recovery:
    """Until our own locks are released at the end, they keep everybody from the state."""
    ctx = scene.ctx
    _require_end_of_builds(scene)
    locks = scene.own_locks
    states = unsaved.gather(ctx, scene.spaces, scene.history)
    _mend_checksum(scene)
    fits = _store(scene, states, record.set_aside)
    released = tuple(lock for lock in locks if scene.locks.release(lock))
    state = scene.state()
    ended = tuple(_ended(scene, run, state) for run in scene.runs)
    left = tuple(run for run in interrupted(scene.history) if run not in scene.runs)
    version = None if state is None else state.version
    done = Recovery(str(ctx.release.tag), version, left, ended, released, fits)
    entry = _recorded(scene, record, done) if ended or released or fits or scene.taken_over else None
    unsaved.put_away(states)
    return replace(done, entry=entry)


def _require_end_of_builds(scene: _Scene) -> None:
    for run in scene.runs:
        build = RunLocation.of(run).build
        if build and not scene.ended(build):
            raise Locked(
                f"the build {build}, which began to apply {run.tag} at {run.at}, has not ended",
                hint="Wait until it ends, or stop it; then run this again.",
            )


def _foreign(ctx: ReleaseContext, lock: StateLock, runs: Sequence[Entry]) -> Locked:
    elsewhere = [RunLocation.of(run).where for run in runs if RunLocation.of(run).where]
    where = f"on {elsewhere[0].partition(',')[0]}" if elsewhere else "where that run was"
    return Locked(
        f"the state is locked, and nothing here shows that the lock is of a run that is gone: {lock}",
        hint=f"Run this {where}: its workspace shows whether that run still works. Where it is certain that "
        f"nobody works on the state, `orchestrate unlock --tag {ctx.release.tag} --lock-id {lock.id}` releases it.",
    )


def _mend_checksum(scene: _Scene) -> None:
    """A Terraform killed between writing the state and its checksum leaves a state that none can read any more."""
    expected = scene.locks.checksum()
    content = scene.ctx.states.get(scene.ctx.release.target.backend.key)
    if not expected or content is None or md5(content) == expected:
        return
    state, name = (
        StateContent.read(content, "the stored state"),
        DIALECTS[scene.ctx.release.rules.project.terraform.program].title,
    )
    if not any(_goes_on(state, plan) for plan in scene.plans.values()):
        raise Refused(
            f"the stored state is not the one whose checksum {name} has noted, and not that of the interrupted run",
            hint="Somebody changed it by hand. Its older versions are in the state bucket.",
        )
    if scene.locks.set_checksum(expected, content):
        scene.ctx.progress(f"The checksum beside the state is fixed: {name} was killed before it could write it")


def _goes_on(state: StateContent, plan: PlanReceipt | None) -> bool:
    """Whether the state can be what an apply of that plan has written."""
    if plan is None:
        return False
    line = plan.state.lineage in ("", state.version.lineage)
    return line and state.version.serial >= plan.state.serial


def _store(scene: _Scene, states: Sequence[Unsaved], set_aside: str) -> tuple[tuple[Unsaved, Fit], ...]:
    """Pushes the states that fit, one after the other."""
    fits: list[tuple[Unsaved, Fit]] = []
    for each in states:
        how: Fit = "conflict" if each.state is None else fit(each.state, scene.state())
        if how == "conflict" and not set_aside:
            raise _conflict(scene.ctx, each)
        if how == "newer" and each.path is not None:
            _push(scene, each.path)
        fits.append((each, how))
    return tuple(fits)


def _conflict(ctx: ReleaseContext, each: Unsaved) -> Refused:
    program = ctx.release.rules.project.terraform.program
    what = "is no Terraform state" if each.state is None else "does not go on from the stored state, which has changed"
    return Refused(
        f"the unsaved state s3://{ctx.releases.name}/{each.key} {what}; nothing is overwritten and no lock is released",
        hint=f"Compare the two, and bring into the stored one what only this one knows (`{program} import`, `{program} "
        f'state push`). Then `orchestrate recover --tag {ctx.release.tag} --set-aside "REASON"` goes on without it.',
    )


def _push(scene: _Scene, path: Path) -> None:
    workspace = scene.spaces[0]
    root = prepare.export(scene.ctx, workspace, refuse_unsaved=False)
    terraform = prepare.terraform(scene.ctx, workspace, root, lambda: False)
    terraform.init()
    terraform.push_state(path, lock=not scene.own_locks)


def _ended(scene: _Scene, run: Entry, state: StateContent | None) -> RecoveredRun:
    plan, done = scene.plans[run.id], scene.work(run)
    how = ending(run, None if plan is None else plan.state, state, done)
    return RecoveredRun(run, how, () if done is None else unknown_to(state, done))


def _recorded(scene: _Scene, record: _RecoveryRecord, done: Recovery) -> Entry:
    """Under the tag of the run that was interrupted."""
    release = scene.ctx.release
    first = done.ended[0].run if done.ended else None
    detail = {
        "runs": [each.run.id for each in done.ended],
        "ended": [each.how for each in done.ended],
        "unknown": [name for each in done.ended for name in each.unknown][:100],
        "locks": sorted({lock.id for lock in done.released}),
        "lease": scene.taken_over,
        "state": None if done.state is None else {"lineage": done.state.lineage, "serial": done.state.serial},
        STATES: {each.sha256: how for each, how in done.states},
        "set_aside": record.set_aside,
    }
    tag, commit = (str(release.tag), release.commit) if first is None else (first.tag, first.commit)
    draft = Draft("recovered", tag, commit, record.by, None if first is None else first.digest, detail)
    return scene.ctx.chain.append(lambda _: draft, record.lease)


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""
