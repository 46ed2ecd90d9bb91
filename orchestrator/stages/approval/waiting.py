"""Answers the approval that a plan's execution waits for in CodePipeline."""

from __future__ import annotations

from orchestrator.effects.pipeline.pipelines import Pipelines
from orchestrator.model.release.receipt import PlanReceipt
from orchestrator.stages.context.context import ReleaseContext


def answer_waiting(ctx: ReleaseContext, receipt: PlanReceipt, *, approved: bool, reason: str) -> bool:
    """False where the plan was not made in a pipeline, or nothing waits there.

    The plan step has recorded which execution made the plan (`submitted`, with its digest).
    """
    submitted = ctx.chain.read().newest("submitted", digest=receipt.digest)
    if submitted is None:
        return False
    stores = ctx.release.target.stores
    pipeline, execution = str(submitted.detail["pipeline"]), str(submitted.detail["execution"])
    pipelines = Pipelines(ctx.aws, stores.region, stores.env)
    waiting = pipelines.waiting(pipeline, execution)
    if waiting is None:
        return False
    pipelines.answer(pipeline, waiting, approved=approved, reason=reason or receipt.digest)
    ctx.progress(f"execution {execution} of {pipeline} goes on" if approved else f"execution {execution} ends")
    return True
