"""The command `orchestrate`: options in, exit code out."""

from __future__ import annotations

import gc
import importlib
import io
import os
import sys
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import click

from orchestrator import __version__
from orchestrator.cli import extensions
from orchestrator.cli.context import Context, GroupOfCommands, common_options, say, text_style
from orchestrator.effects.system import interruption, outlet
from orchestrator.effects.system.host import EVENTS, environment, speak_utf8
from orchestrator.errors import Interrupted, OrchestrateError, UsageError, WaitingForApproval, of_system
from orchestrator.model.rules.check_names import CHECKS
from orchestrator.model.text.masking import Masker
from orchestrator.model.text.quoting import did_you_mean, quoted

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

# Each command is imported only when it is called: `show` must not wait for what `plan` needs.
_COMMANDS = (
    "show",
    "tag",
    "promote",
    "rollback",
    "adopt",
    "targets",
    "bootstrap",
    "accounts",
    "tooling",
    "submit",
    "step",
    *CHECKS,
    "check",
    "plan",
    "approve",
    "follow-up",
    "apply",
    "verify",
    "unlock",
    "recover",
    "release",
    "status",
    "gates",
    "history",
    "doctor",
    "schema",
    "tools",
    "completion",
)
_ALL = (*_COMMANDS, *extensions.ADDED)

_NOBODY_READS = 141  # as a shell says of a program that SIGPIPE ended


class _Orchestrate(GroupOfCommands):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_ALL)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Names alone: their help would import every command."""
        from click.shell_completion import CompletionItem

        names = [CompletionItem(name) for name in _ALL if name.startswith(incomplete)]
        return names if not incomplete.startswith("-") else super().shell_complete(ctx, incomplete)

    def invoke(self, ctx: click.Context) -> Any:
        """Where stdout was closed, as `| head` does, click would exit with 1, as if a check had failed."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - else the exit complains
            raise click.exceptions.Exit(_NOBODY_READS) from None

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args[0] not in _ALL and not args[0].startswith("-"):
            raise UsageError(f"there is no command {quoted(args[0])}", hint=did_you_mean(args[0], _ALL))
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in extensions.ADDED:
            return extensions.command(cmd_name)
        if cmd_name not in _COMMANDS:
            return None
        name = "checks" if cmd_name in CHECKS else cmd_name.replace("-", "_")
        found = getattr(importlib.import_module(f"orchestrator.cli.commands.{name}"), name)
        command = found[cmd_name] if cmd_name in CHECKS else found
        assert isinstance(command, click.Command)
        return command


@click.group(
    cls=_Orchestrate,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    help="Releases Terraform to many AWS accounts and Regions from git tags.",
)
@click.version_option(__version__, prog_name="orchestrate")
@common_options
def orchestrate() -> None:
    """The group itself only carries the shared options."""


def run() -> NoReturn:
    """The console script."""
    os.umask(0o077)  # plans and states hold secrets, and nobody else may put anything beside them
    speak_utf8()
    interruption.listen()
    if isinstance(sys.stdout, io.TextIOWrapper):
        # As on stderr: what a terminal of another character set cannot show must not end a release that is done.
        sys.stdout.reconfigure(errors="backslashreplace")
    # Nearly all that is imported stays. Looking through it for garbage is a fifth of the time that importing takes,
    gc.set_threshold(50_000)
    code = main(sys.argv[1:])
    # and 0.1 s more at the end.
    gc.freeze()
    sys.exit(code)


def main(arguments: Sequence[str]) -> int:
    """Runs one command and returns its exit code; what goes wrong is told on stderr."""
    outlet.begin(environment())
    with outlet.guarded():
        return _guarded_main(arguments)


def _guarded_main(arguments: Sequence[str]) -> int:
    context = Context()
    try:
        result = orchestrate.main(list(arguments), prog_name="orchestrate", standalone_mode=False, obj=context)
        return result if isinstance(result, int) else 0
    except OrchestrateError as error:
        return _failed(error, context)
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except (KeyboardInterrupt, click.Abort):
        return _failed(Interrupted("interrupted"), context)
    except OSError as error:
        return _failed(of_system(error), context)
    except Exception as error:
        # An interruption may come at any place, also where one wakes or ends a thread: that fails then in its own way.
        return _failed(Interrupted("interrupted"), context) if interruption.came() else _bug(error, context)


def _failed(error: OrchestrateError, context: Context) -> int:
    if context.debug:
        traceback.print_exc()
    # What a tool said may be part of it, and a tool may print anything that it found in its environment.
    masker = outlet.masker()
    _show_refused(error, context, masker)
    word, message = "Waiting" if isinstance(error, WaitingForApproval) else "Error", masker(str(error))
    say(f"{word}: {message}")
    _hand_over(message)
    return error.exit_code


def _show_refused(error: OrchestrateError, context: Context, masker: Masker) -> None:
    """With JSON there is an answer whatever happens; and a plan that was refused is shown all the same."""
    from orchestrator.model.text.json_text import readable_json
    from orchestrator.report.plan.refused import refused_fields, shown_refused
    from orchestrator.report.plan.text import plan_text

    if context.json and not context.answered:
        click.echo(masker(readable_json(refused_fields(error))))
    shown = None if context.json else shown_refused(error)
    if shown is not None:
        say(plan_text(shown, text_style(err=True, full=True)))


def _hand_over(message: str) -> None:
    """To the `orchestrate` that runs many releases, if one has started this process."""
    if EVENTS in environment():
        from orchestrator.effects.system.run_events import note
        from orchestrator.model.release.fleet import RunEvent

        note(environment(), RunEvent(why=message))


def _bug(error: Exception, context: Context) -> int:
    """Its message may hold anything, so only its kind is shown."""
    if context.debug:
        traceback.print_exc()
    say(
        f"Error: orchestrate itself failed ({type(error).__name__}). This is a bug: run it again with --debug and "
        "report what it prints."
    )
    return 1
