"""`orchestrate unlock`: releases a state lock that a killed run left behind."""

from __future__ import annotations

import click

from orchestrator.cli.context import CommandWithCommonOptions, Context, answer, pass_context, surroundings, tag_option


@click.command("unlock", cls=CommandWithCommonOptions)
@tag_option
@click.option("--lock-id", required=True, help="The lock's id, as the refused run told it.")
@pass_context
def unlock(context: Context, tag: str, lock_id: str) -> None:
    """Release a state lock that a killed run left behind."""
    from orchestrator.stages.recovery.unlock import unlock as run

    at = surroundings(context, tag)
    run(at, lock_id)
    backend = at.release.target.backend
    fields = {"tag": tag, "lock_id": lock_id, "result": "unlocked"}
    answer(context, fields, f"the lock {lock_id} of s3://{backend.bucket}/{backend.key} is released")
