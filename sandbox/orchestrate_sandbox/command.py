"""`orchestrate sandbox`: the emulated AWS on this machine."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.context import Context, GroupOfCommands, load_rules_from_worktree, pass_context, say
from orchestrator.effects.system import outlet

if TYPE_CHECKING:
    from orchestrate_sandbox.layout import SandboxLayout
    from orchestrate_sandbox.state import ServerState


_bare_option = click.option(
    "--bare", is_flag=True, help="Accounts without the deployment roles, for `orchestrate accounts --apply`."
)


@click.group("sandbox", cls=GroupOfCommands)
def sandbox() -> None:
    """An emulated AWS on this machine, with the accounts and roles that the configuration names.

    Nothing in it reaches AWS, and its state is gone when it stops. `up` keeps one in the background for this
    repository; `run` makes one for a single command.
    """


@sandbox.command()
@_bare_option
@pass_context
def up(context: Context, bare: bool) -> None:
    """Start the sandbox in the background and print its environment.

    In a shell: eval "$(orchestrate sandbox up)"
    """
    from orchestrate_sandbox import background

    folder = _folder(context)
    result = background.up(folder, _layout(context, bare=bare))
    say(f"The sandbox {'runs' if result.started else 'was running already'}; its log is {folder / 'server.log'}")
    if not result.as_configured:
        say("The configuration has changed since it was filled: `orchestrate sandbox reset` fills it anew.")
    _print(context, result.state)


@sandbox.command()
@pass_context
def down(context: Context) -> None:
    """Stop the sandbox that `up` started."""
    from orchestrate_sandbox import background

    say("The sandbox has stopped." if background.down(_folder(context)) else "No sandbox was running.")


@sandbox.command()
@_bare_option
@pass_context
def reset(context: Context, bare: bool) -> None:
    """Empty the running sandbox; only the accounts and roles of the configuration remain."""
    from orchestrate_sandbox import background

    background.reset(_folder(context), _layout(context, bare=bare))
    say("The sandbox is empty again.")


@sandbox.command("env")
@pass_context
def env_(context: Context) -> None:
    """Print the environment of the running sandbox.

    In a shell: eval "$(orchestrate sandbox env)"
    """
    from orchestrate_sandbox import background

    _print(context, background.running(_folder(context)))


@sandbox.command(context_settings={"allow_interspersed_args": False})
@_bare_option
@click.option("--log", type=click.Path(dir_okay=False, path_type=Path), help="Keep the sandbox's log in this file.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND...")
@pass_context
def run(context: Context, bare: bool, log: Path | None, command: tuple[str, ...]) -> int:
    """Run a command in a sandbox of its own, and exit with the command's exit code."""
    from orchestrate_sandbox import run as runs

    return runs.run(command, _layout(context, bare=bare), log)


@sandbox.command()
@click.option("--name", help="The repository; needed where there are several.")
@click.option("--region", help="Where it is (default: the tooling Region).")
@pass_context
def remote(context: Context, name: str | None, region: str | None) -> None:
    """Print the git remote of the running sandbox: what is pushed there starts its pipelines.

    It stands in for the CodeCommit repository that the tooling has made. Nothing is configured in your repository:
    git push "$(orchestrate sandbox remote)" TAG
    """
    from orchestrate_sandbox import background, remotes

    found = background.running(_folder(context))
    chosen = remotes.chosen(remotes.remotes(found.address), name, region or found.layout.region)
    context.answered = True
    text = json.dumps(dataclasses.asdict(chosen), indent=2) if context.json else chosen.url
    click.echo(text, file=outlet.undisguised())


def _folder(context: Context) -> Path:
    from orchestrate_sandbox import state
    from orchestrator.effects.git.repository import project_folder

    return state.folder_of(project_folder(context.start))


def _layout(context: Context, *, bare: bool) -> SandboxLayout:
    from orchestrate_sandbox.configured import layout_of

    return layout_of(load_rules_from_worktree(context), bare=bare)


def _print(context: Context, state: ServerState) -> None:
    from orchestrate_sandbox import background

    context.answered = True
    text = json.dumps(background.described(state)) if context.json else background.for_shell(state)
    click.echo(text, file=outlet.undisguised())
