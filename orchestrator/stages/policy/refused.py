"""What a refused plan leaves behind: all its findings in a file, and the plan itself to be shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from orchestrator.effects.system import clock
from orchestrator.model.plan_view.refusal import PlanRefused
from orchestrator.model.plan_view.view import PlanView
from orchestrator.stages.context.context import ReleaseContext

_KIND = "findings"


@contextmanager
def telling(ctx: ReleaseContext, view: PlanView) -> Iterator[None]:
    """While a plan is judged: a refusal says what was planned, and where all findings are."""
    try:
        yield
    except PlanRefused as refused:
        name = f"{str(ctx.release.tag).replace('/', '.')}.{ctx.release.commit[:12]}.json"
        findings = [msgspec.to_builtins(each) for each in refused.findings]
        content = json.dumps({"tag": str(ctx.release.tag), "findings": findings}, indent=2)
        ctx.cache.put(_KIND, name, ctx.masker(content).encode())
        settings = f"envs/{ctx.release.tag.env}.yaml"
        refused.tell(str(ctx.release.tag), view, str(ctx.cache.folder / _KIND / name), settings, clock.now().date())
        raise
