"""`orchestrate verify`: asks the released address until it answers as it should."""

from __future__ import annotations

import math
from typing import Any

import click

from orchestrator.cli.context import CommandWithCommonOptions, Context, answer, pass_context, surroundings, tag_option


class _Seconds(click.FloatRange):
    """A range lets `nan` through: it is neither less than the least nor more than the most."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = super().convert(value, param, ctx)
        return self.fail(f"{value!r} is not a number of seconds.", param, ctx) if math.isnan(number) else number


@click.command("verify", cls=CommandWithCommonOptions)
@tag_option
@click.option(
    "--timeout",
    type=_Seconds(0, 86400),
    default=300.0,
    show_default=True,
    help="Seconds to wait for the right answer.",
)
@pass_context
def verify(context: Context, tag: str, timeout: float) -> None:
    """Ask the released address until it answers as it should."""
    from orchestrator.report.release import stages as report
    from orchestrator.stages.release.verify import verify as run

    result = run(surroundings(context, tag), timeout)
    answer(context, report.verify_fields(result), report.verify_text(result))
