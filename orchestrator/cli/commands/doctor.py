"""`orchestrate doctor`: what a release needs, and how to fix what is missing."""

from __future__ import annotations

import click

from orchestrator.cli.context import CommandWithCommonOptions, Context, answer, pass_context


@click.command("doctor", cls=CommandWithCommonOptions)
@click.option("--env", "envs", metavar="ENV", multiple=True, help="Only this environment; may be repeated.")
@click.option("--apply-roles", is_flag=True, help="Try the apply roles as well; without it only the plan roles.")
@pass_context
def doctor(context: Context, envs: tuple[str, ...], apply_roles: bool) -> int:
    """Check tools, credentials, roles, stores and configuration, and say how to fix each.

    Changes nothing. Exit code 0: nothing failed (there may be warnings); 3: something is wrong with the configuration;
    6: something is wrong with this machine, git or AWS.
    """
    from orchestrator.effects.system.host import environment
    from orchestrator.model.doctor.diagnosis import worst
    from orchestrator.report.setup import doctor as report
    from orchestrator.stages.doctor.doctor import DoctorOptions, examine

    found = examine(DoctorOptions(context.start, environment(), context.rules_ref, envs, apply_roles))
    answer(context, report.fields(found), report.text(found))
    return worst(found)
