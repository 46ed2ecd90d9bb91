"""`orchestrate completion`: what makes a shell complete commands, options and their values."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from orchestrator.cli.context import CommandWithCommonOptions

_PROGRAM, _VARIABLE = "orchestrate", "_ORCHESTRATE_COMPLETE"


class _CompletionCommand(CommandWithCommonOptions):
    formats = ("text",)


@click.command("completion", cls=_CompletionCommand)
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print a script that completes commands, options, tags and targets.

    \b
    bash: eval "$(orchestrate completion bash)"   in ~/.bashrc (bash 4.4 or later)
    zsh:  eval "$(orchestrate completion zsh)"    in ~/.zshrc, after compinit
    fish: orchestrate completion fish | source    in ~/.config/fish/config.fish
    """
    made = get_completion_class(shell)
    assert made is not None
    click.echo(made(ctx.find_root().command, {}, _PROGRAM, _VARIABLE).source())
