"""The plan stage: plans a release under the read-only role and stores plan and receipt."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from orchestrator.effects.system import clock, interruption
from orchestrator.effects.terraform import artefact
from orchestrator.effects.terraform.terraform import Terraform
from orchestrator.effects.terraform.workspace import Workspace, opened
from orchestrator.effects.terraform.workspace import place_of as workspace_of
from orchestrator.errors import OrchestrateError
from orchestrator.model.approval.break_glass import due
from orchestrator.model.ledger.ledger import Draft, History
from orchestrator.model.plan_view.view import PlanView, view_of
from orchestrator.model.release.admission import superseded, withdraws
from orchestrator.model.release.receipt import (
    Artefact,
    PlanReceipt,
    StateVersion,
    artefact_key,
    place_of,
    receipt_key,
    rollback_detail,
)
from orchestrator.model.release.recovery import RUN
from orchestrator.model.rules.check_names import checks_of_release
from orchestrator.model.terraform.provider_lock import locked_versions
from orchestrator.model.text.canonical import sha256
from orchestrator.model.text.progress import Progress
from orchestrator.stages.context.answers import record_answers
from orchestrator.stages.context.context import ReleaseContext
from orchestrator.stages.context.receipts import check_state
from orchestrator.stages.context.state import state_version
from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.registry import ask
from orchestrator.stages.policy.refused import telling
from orchestrator.stages.record.planning import Admission, begins, ends
from orchestrator.stages.record.refusals import recorded
from orchestrator.stages.recovery.interrupted import tell
from orchestrator.stages.release.kept_view import kept
from orchestrator.stages.terraform import prepare
from orchestrator.stages.terraform.credentials import narrowed
from orchestrator.stages.terraform.prepare import Prepared

if TYPE_CHECKING:
    from orchestrator.model.policy.result import PolicyResult
    from orchestrator.model.terraform.root import Json


@dataclass(frozen=True)
class PlanResult:
    """A stored plan: `url` is where its receipt is."""

    receipt: PlanReceipt
    url: str
    view: PlanView


@recorded("plan")
def plan(ctx: ReleaseContext) -> PlanResult:
    """Raises StageFailed where Terraform fails, and Locked, Refused or DependencyError where it may not run."""
    place, failed = workspace_of(ctx.release.rules.project, ctx.release.target, ctx.env), threading.Event()
    with opened(place) as workspace, ThreadPoolExecutor(max_workers=2) as pool:
        root = prepare.export(ctx, workspace)
        terraform = prepare.terraform(ctx, workspace, root, failed.is_set)
        background = _Background.start(ctx, terraform, pool, failed)
        with ends(ctx, background.admitted), ExitStack() as until_planned:
            if prepare.lacks_providers(terraform):
                background.admitted.result()  # installs nothing for a release that is not admitted
            with background.first(ctx.progress) as tell:
                telling = until_planned.enter_context(narrowed(ctx, replace(terraform, progress=tell)))
                telling.init()
            terraform = replace(telling, progress=terraform.progress)
            admission = background.admitted.result()
            receipt, view = _planned(ctx, terraform, background, pool)
            return PlanResult(receipt, _record(ctx, receipt, admission.run), view)


def _admitted(ctx: ReleaseContext) -> Admission:
    """Refused by the gates that are asked before a plan; tells what will stop its apply, and what others have left."""
    asked = GateContext.of(ctx, "plan", acts=True)
    ask(asked)
    late = superseded(asked.history, ctx.release.tag)
    if late is not None:
        ctx.progress(f"Warning: {late}. Apply will refuse it; to go back, use `orchestrate rollback`.")
    tell(ctx, asked.history)
    return Admission(asked.history, asked.by, asked.rollback)


def _planned(
    ctx: ReleaseContext, terraform: Terraform, background: _Background, pool: ThreadPoolExecutor
) -> tuple[PlanReceipt, PlanView]:
    """After `init`: the plan, its artefact stored, judged by the rules."""
    admission, workspace = background.admitted.result(), terraform.workspace
    background.warned.result()
    prepared = prepare.complete(ctx, terraform, background.files.result())
    before = artefact.snapshot(workspace.source)
    terraform = prepared.terraform
    outcome = terraform.plan(ctx.release.target.roles.plan, list(prepared.var_files))
    stored = pool.submit(_store_artefact, ctx, workspace, before)
    state = pool.submit(state_version, ctx)
    content = terraform.plan_json()
    prepared.check_credentials(content, ctx.release.rules.project.workload.unmanaged_providers)
    found = view_of(content, outcome.warnings)
    with telling(ctx, found):
        protected = background.judge.result()(ctx, content, admission).protected if outcome.changes else ()
    evidence = _Evidence(stored.result(), state.result(), sha256(content), kept(found), outcome.changes, protected)
    return _receipt(ctx, prepared, admission, evidence), found


@dataclass(frozen=True)
class _Background:
    """What runs beside `init`: `admitted` tells whether the release may be planned, and stops Terraform if not."""

    admitted: Future[Admission]
    files: Future[dict[str, Json]]
    warned: Future[None]
    judge: Future[Callable[[ReleaseContext, bytes, Admission], PolicyResult]]

    @staticmethod
    def start(
        ctx: ReleaseContext, terraform: Terraform, pool: ThreadPoolExecutor, failed: threading.Event
    ) -> _Background:
        """What fails in `admitted` sets `failed`."""

        def admit() -> Admission:
            try:
                return begins(ctx, _admitted(ctx), terraform.workspace)
            except BaseException:
                failed.set()
                raise

        return _Background(
            admitted=pool.submit(admit),
            files=pool.submit(prepare.read, ctx, terraform.root),
            warned=pool.submit(prepare.warn, ctx, terraform.workspace.source),
            judge=pool.submit(_judge),
        )

    @contextmanager
    def first(self, tell: Progress) -> Iterator[Progress]:
        """While Terraform runs, which should tell of itself by what is given.

        Where both fail, the reason in the background is the one to tell: it made Terraform stop or fail.
        """
        held = _Held(self.admitted, tell)
        try:
            yield held
        except OrchestrateError:
            if not interruption.came():
                self.admitted.result()
            raise
        finally:
            held.flush()


@dataclass(frozen=True)
class _Held:
    """Keeps what Terraform says until the release is admitted; where it is not, none of that is worth telling."""

    admitted: Future[Admission]
    tell: Progress
    lines: list[str] = field(default_factory=list)

    def __call__(self, line: str) -> None:
        self.lines.append(line)
        if self.admitted.done():
            self.flush()

    def flush(self) -> None:
        """Waits for the end of the admission."""
        if self.admitted.exception() is None:
            for line in self.lines:
                self.tell(line)
        self.lines.clear()


def _judge() -> Callable[[ReleaseContext, bytes, Admission], PolicyResult]:
    """Imported beside Terraform, not before it: the checks and policies are a good part of all that a plan imports."""
    from orchestrator.stages.policy.verdict import judge

    return judge


def _store_artefact(ctx: ReleaseContext, workspace: Workspace, before: artefact.Snapshot) -> Artefact:
    archive = workspace.run / "plan.tar"
    made = artefact.made_since(before, workspace.source)
    digest = artefact.pack(workspace.run / "plan.tfplan", workspace.source, made, archive)
    key = artefact_key(ctx.release.target.id, digest)
    ctx.releases.put(key, archive)
    return Artefact(bucket=ctx.releases.name, key=key, sha256=digest, size=archive.stat().st_size)


@dataclass(frozen=True)
class _Evidence:
    """What a run of Terraform left."""

    artefact: Artefact
    state: StateVersion
    plan_json: str
    plan: PlanView
    changes: bool
    protected: tuple[str, ...]


def _receipt(ctx: ReleaseContext, prepared: Prepared, admission: Admission, evidence: _Evidence) -> PlanReceipt:
    release, now = ctx.release, clock.now()
    environment = release.rules.environments[release.tag.env]
    hours, checks = environment.plans.expire_after_hours, environment.checks.required
    return PlanReceipt(
        version=1,
        tag=str(release.tag),
        tag_object=release.tag_object,
        commit=release.commit,
        rules_commit=release.rules_commit,
        place=place_of(release.target),
        var_files=_digests(release.var_files, prepared.var_files),
        program=f"{prepared.terraform.name} {prepared.terraform.version}",
        lock_file=prepared.lock_file,
        providers=locked_versions(prepare.locked_providers(prepared.root)),
        checks={check: check_state(admission.history, check, release.commit) for check in checks_of_release(checks)},
        artefact=evidence.artefact,
        plan_json=evidence.plan_json,
        state=evidence.state,
        summary=evidence.plan.summary,
        changes=evidence.changes,
        resources=evidence.plan.changes,
        resources_after=evidence.plan.resources_after,
        protected=evidence.protected,
        rollback=admission.rollback,
        workspace=str(prepared.terraform.workspace.path),
        planned_at=now.isoformat(),
        expires_at=(now + timedelta(hours=hours)).isoformat(),
        planned_by=admission.by,
        signed=release.author.signed,
        tagger=release.author.tagger,
        submitted_by=ctx.env.get("ORCHESTRATE_SUBMITTED_BY") or None,
        drift=evidence.plan.drift,
        failed_checks=evidence.plan.checks,
        warnings=evidence.plan.warnings,
        modules=dict(prepared.modules),
    )


def _digests(names: tuple[str, ...], paths: tuple[Path, ...]) -> dict[str, str]:
    """Of the release's own files, and of the generated one under the name `generated`."""
    return {name: sha256(path.read_bytes()) for name, path in zip([*names, "generated"], paths, strict=True)}


def _record(ctx: ReleaseContext, receipt: PlanReceipt, run: str) -> str:
    digest = receipt.digest
    key = receipt_key(receipt.place.target, digest)
    ctx.releases.put(key, receipt.encode(), lock=ctx.release.rules.project.state.object_lock)
    detail = {
        RUN: run,
        "receipt": key,
        "summary": msgspec.to_builtins(receipt.summary),
        "changes": receipt.changes,
        "expires_at": receipt.expires_at,
        **rollback_detail(receipt),
    }

    before = ctx.chain.history
    for answered in {withdraws(before), *(broken.digest for broken in due(before))} - {None}:
        record_answers(ctx, str(answered))

    def decide(history: History) -> Draft:
        all_of_it = {**detail, "withdraws": withdraws(history)}
        return Draft("planned", receipt.tag, receipt.commit, receipt.planned_by, digest, all_of_it)

    ctx.chain.append(decide)
    return f"s3://{ctx.releases.name}/{key}"
