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
from orchestrator.stages.terraform.bundled_root import Desk, Done, OwnRoot, run

_MODULE = "tooling"
_PACKAGE = "package"
_OWN_KINDS = ("kms_key", "state_bucket", "lock_table")


@dataclass(frozen=True)
class Outcome:
    """What became of the tooling of one Region."""

    region: str
    done: Done


def keep(desk: Desk, project: Path, regions: Collection[str], *, apply: bool) -> Iterator[Outcome]:
    """Plans, or with `apply` applies, the tooling of these Regions, of all it has where none is named.

    `project` is the folder that holds envs/. Raises Refused where `orchestrate bootstrap` has not made an
    environment's stores, and SurroundingsFailed where the credentials are not the tooling account's.
    """
    for region in _chosen(desk, regions):
        desk.progress(f"== tooling in {region}")
        desk.identify()
        _check_stores(desk, region)
        _keep_own_stores(desk, region)
        with tempfile.TemporaryDirectory() as folder:
            wheel.pack(Path(folder))
            yield Outcome(region, run(desk, _root(desk, project, region, Path(folder)), apply=apply))


def _chosen(desk: Desk, regions: Collection[str]) -> tuple[str, ...]:
    known = tooling.tooling_regions(desk.rules)
    for region in regions:
        if region not in known:
            hint = did_you_mean(region, known) or f"There is tooling in {', '.join(known)}."
            raise InvalidInput(f"there is no tooling in {region}", hint=hint)
    return tuple(region for region in known if region in (regions or known))


def _check_stores(desk: Desk, region: str) -> None:
    """Terraform refers to these stores by name and would end in the middle without them."""
    envs = [found.env for found in tooling.pipelines(desk.rules, region)]
    wanted = [store for store in bootstrap.stores_of(desk.rules, envs) if store.region == region]
    outcomes = bootstrap.bootstrap(desk.aws, wanted, check=True, tell=lambda _: None)
    for outcome in outcomes:
        if outcome.error is not None:
            raise outcome.error
        if outcome.state == "missing":
            raise Refused(
                f"the {outcome.store} of environment {outcome.store.env} is missing",
                hint=f"Run `orchestrate bootstrap --env {outcome.store.env}` first.",
            )


def _keep_own_stores(desk: Desk, region: str) -> None:
    place = tooling.own_stores(desk.rules, region)
    stores = settings.each(place, desk.rules.project.tooling.account)
    wanted = [store for store in stores if store.kind in _OWN_KINDS]
    for outcome in bootstrap.bootstrap(desk.aws, wanted, check=False, tell=lambda _: None):
        if outcome.error is not None:
            raise outcome.error
        if outcome.state != "ok":
            desk.progress(f"{outcome.store} {outcome.state}")


def _root(desk: Desk, project: Path, region: str, package: Path) -> OwnRoot:
    """All paths are relative: the state must not depend on the machine that applied it."""
    locking = desk.rules.project.state.locking
    return OwnRoot(
        name=f"_{_MODULE}/{region}",
        module=_MODULE,
        backend=tooling.backend(tooling.own_stores(desk.rules, region), tooling.STATE_KEY, locking=locking),
        region=region,
        role="",
        variables={"region": region, "package": f"../../{_PACKAGE}"},
        folders={FOLDER: project / FOLDER, _PACKAGE: package},
    )
