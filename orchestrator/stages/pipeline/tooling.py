"""The tooling of an account, planned or applied Region by Region, with a state of its own in stores of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from orchestrator.effects.pipeline import wheel
from orchestrator.errors import InvalidInput, Refused
from orchestrator.model.rules import tooling
from orchestrator.model.rules.rules import FOLDER
from orchestrator.model.stores import settings
from orchestrator.model.text.quoting import did_you_mean
from orchestrator.stages.stores import bootstrap
from orchestrator.stages.terraform.bundled_root import CommandContext, Done, OwnRoot, run

_MODULE = "tooling"
_PACKAGE = "package"
_OWN_KINDS = ("kms_key", "state_bucket", "lock_table")


@dataclass(frozen=True)
class ToolingResult:
    """What became of the tooling of one Region."""

    region: str
    done: Done


def keep(ctx: CommandContext, project: Path, regions: Collection[str], *, apply: bool) -> Iterator[ToolingResult]:
    """Plans, or with `apply` applies, the tooling of these Regions, of all it has where none is named.

    `project` is the folder that holds envs/. Raises Refused where `orchestrate bootstrap` has not made an
    environment's stores, and DependencyError where the credentials are not the tooling account's.
    """
    for region in _chosen(ctx, regions):
        ctx.progress(f"== tooling in {region}")
        ctx.identify()
        _check_stores(ctx, region)
        _keep_own_stores(ctx, region)
        with tempfile.TemporaryDirectory() as folder:
            wheel.pack(Path(folder))
            yield ToolingResult(region, run(ctx, _root(ctx, project, region, Path(folder)), apply=apply))


def _chosen(ctx: CommandContext, regions: Collection[str]) -> tuple[str, ...]:
    known = tooling.tooling_regions(ctx.rules)
    for region in regions:
        if region not in known:
            hint = did_you_mean(region, known) or f"There is tooling in {', '.join(known)}."
            raise InvalidInput(f"there is no tooling in {region}", hint=hint)
    return tuple(region for region in known if region in (regions or known))


def _check_stores(ctx: CommandContext, region: str) -> None:
    """Terraform refers to these stores by name and would end in the middle without them."""
    envs = [found.env for found in tooling.pipelines(ctx.rules, region)]
    wanted = [store for store in bootstrap.stores_of(ctx.rules, envs) if store.region == region]
    outcomes = bootstrap.bootstrap(ctx.aws, wanted, check=True, tell=lambda _: None)
    for outcome in outcomes:
        if outcome.error is not None:
            raise outcome.error
        if outcome.state == "missing":
            raise Refused(
                f"the {outcome.store} of environment {outcome.store.env} is missing",
                hint=f"Run `orchestrate bootstrap --env {outcome.store.env}` first.",
            )


def _keep_own_stores(ctx: CommandContext, region: str) -> None:
    place = tooling.own_stores(ctx.rules, region)
    stores = settings.each(place, ctx.rules.project.tooling.account)
    wanted = [store for store in stores if store.kind in _OWN_KINDS]
    for outcome in bootstrap.bootstrap(ctx.aws, wanted, check=False, tell=lambda _: None):
        if outcome.error is not None:
            raise outcome.error
        if outcome.state != "ok":
            ctx.progress(f"{outcome.store} {outcome.state}")


def _root(ctx: CommandContext, project: Path, region: str, package: Path) -> OwnRoot:
    """All paths are relative: the state must not depend on the machine that applied it."""
    locking = ctx.rules.project.state.locking
    return OwnRoot(
        name=f"_{_MODULE}/{region}",
        module=_MODULE,
        backend=tooling.backend(tooling.own_stores(ctx.rules, region), tooling.STATE_KEY, locking=locking),
        region=region,
        role="",
        variables={"region": region, "package": f"../../{_PACKAGE}"},
        folders={FOLDER: project / FOLDER, _PACKAGE: package},
    )
