"""What every command shares: the options --repo, --format, --rules-ref and --debug, before or after the command."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from orchestrator.effects.git.repository import Repository
    from orchestrator.model.rules.rules import Rules
    from orchestrator.report.plan.head import ShownPlan
    from orchestrator.report.plan.text import TextStyle
    from orchestrator.stages.context.context import ReleaseContext

_Function = TypeVar("_Function", bound=Callable[..., Any])

_COMPLETED = frozenset({"env", "team", "scope", "version", "tag"})
ALL_FORMATS = ("text", "json", "env", "junit", "sarif", "markdown", "html")


@dataclass
class Context:
    """The shared options; the only value that commands get from the group."""

    repo: Path | None = None
    format: str = "text"
    rules_ref: str | None = None
    debug: bool = False
    answered: bool = False
    """Whether the answer has been written: with --format json there is one, whatever happens."""

    @property
    def start(self) -> Path:
        """The folder where the search for the repository begins."""
        return self.repo or Path.cwd()

    @property
    def json(self) -> bool:
        return self.format == "json"

    def repository(self) -> Repository:
        from orchestrator.effects.git.repository import Repository

        return Repository.open(self.start)


pass_context = click.make_pass_decorator(Context, ensure=True)


def load_rules_from_worktree(context: Context) -> Rules:
    """The rules as they stand in the working tree, for commands that concern no release.

    A bare repository has none: there they are those of the protected branch.
    """
    from orchestrator.effects.git.current_rules import current_rules

    return current_rules(context.start, context.rules_ref)[0]


def say(message: str) -> None:
    """Progress, for people: to stderr, so that stdout holds results alone.

    Where nobody reads it any more (`2>&1 | head`, a terminal that was closed), the work goes on.
    """
    with contextlib.suppress(OSError):
        click.echo(message, err=True)


def confirm(question: str) -> None:
    """Goes on after a yes. Raises click.Abort after a no or Ctrl-C, UsageError where nobody can answer."""
    try:
        click.confirm(question, abort=True, err=True)
    except click.Abort:
        if sys.stdin is not None and sys.stdin.isatty():
            raise
        click.echo(err=True)
        raise UsageError(
            "this needs a confirmation, and standard input is not a terminal", hint="Pass --yes to confirm beforehand."
        ) from None


def common_options(function: _Function) -> _Function:
    """Adds the shared options; a value given after the command wins over one before it."""
    for option in reversed(_COMMON):
        function = option(function)
    return function


def _store(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
    shared = context.ensure_object(Context)
    if value is not None and value is not False and parameter.name is not None:
        setattr(shared, parameter.name, value)
    return value


_COMMON: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--repo",
        metavar="DIR",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        expose_value=False,
        callback=_store,
        help="The repository, or any folder in it. Default: the current folder.",
    ),
    click.option(
        "--format",
        type=click.Choice(ALL_FORMATS),
        expose_value=False,
        callback=_store,
        help="text for people; the others for programs.",
    ),
    click.option(
        "--rules-ref",
        metavar="REF",
        expose_value=False,
        callback=_store,
        help="For looking only (show, targets, tag, ...): the branch or commit that the rules come from.",
    ),
    click.option("--debug", is_flag=True, expose_value=False, callback=_store, help="Show tracebacks."),
)


class _CompletedText(click.types.StringParamType):
    """Text whose possible values the rules or the tags tell, for a shell that completes it."""

    def __init__(self, part: str) -> None:
        self._part = part

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        from orchestrator.stages.context.completion import candidates

        found = candidates(self._part, ctx.ensure_object(Context).start, ctx.params)
        return [CompletionItem(each) for each in found if each.startswith(incomplete)]


class CommandWithCommonOptions(click.Command):
    """A command that also takes the shared options."""

    formats: tuple[str, ...] = ("text", "json")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        common_options(self)
        for option in self.params:
            part = option.opts[0].removeprefix("--")
            if part in _COMPLETED and option.type is click.STRING:
                option.type = _CompletedText(part)
        self._format = next(option for option in self.params if option.name == "format")
        self._format.type = click.Choice(self.formats)

    def invoke(self, ctx: click.Context) -> Any:
        """A format given before the command may be one that this command does not have."""
        self._format.type_cast_value(ctx, ctx.ensure_object(Context).format)
        return super().invoke(ctx)


class GroupOfCommands(click.Group):
    """A group whose commands all take the shared options."""

    command_class = CommandWithCommonOptions
    group_class = type


tag_option = click.option("--tag", required=True, help="The release tag.")


def surroundings(context: Context, tag: str) -> ReleaseContext:
    """The resolved release with all that its stages work with."""
    from orchestrator.effects.system.host import environment
    from orchestrator.stages.context.context import ReleaseContext
    from orchestrator.stages.record import refusals
    from orchestrator.stages.tags.resolve import resolve

    repository = context.repository()
    rules_commit = deciding_rules(context, repository)
    with refusals.of_tag(repository, tag, rules_commit, say):
        release = resolve(repository, tag, rules_commit)
    return ReleaseContext(release, repository, environment(), say)


def deciding_rules(context: Context, repository: Repository) -> str:
    """The commit whose rules decide a release. UsageError where the command line names others."""
    if context.rules_ref is not None:
        raise UsageError(
            "--rules-ref is for looking only: the rules of a release come from the protected branch of the remote",
            hint="`orchestrate show --rules-ref REF` shows what a tag would mean under the rules of REF.",
        )
    from orchestrator.effects.git.protected_branch import protected_commit

    return protected_commit(repository, say)


def answer(context: Context, fields: dict[str, Any], text: str) -> None:
    """A result to stdout, in the format asked for."""
    from orchestrator.model.text.json_text import readable_json

    context.answered = True
    click.echo(readable_json(fields) if context.json else text)


def text_style(*, err: bool = False, full: bool = False) -> TextStyle:
    """In a terminal: its width, and colour unless NO_COLOR (no-color.org) or a dumb terminal says no."""
    from orchestrator.effects.system.host import environment
    from orchestrator.report.plan.text import TextStyle

    stream = sys.stderr if err else sys.stdout
    if stream is None or not stream.isatty():
        return TextStyle(full=full)
    env = environment()
    colour = not env.get("NO_COLOR") and env.get("TERM") != "dumb"
    return TextStyle(colour, shutil.get_terminal_size().columns, full)


def review(shown: ShownPlan, *, paged: bool) -> None:
    """All of a plan, for the person who answers to it: paged in a terminal, as git pages."""
    from orchestrator.effects.system import pager
    from orchestrator.effects.system.host import environment
    from orchestrator.report.plan.text import plan_text

    text = plan_text(shown, text_style(err=True, full=True))
    terminal = all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))
    if not (paged and terminal and pager.page(text, environment())):
        say(text)


def selection_options(function: _Function) -> _Function:
    """Adds --env, --team and --scope."""
    for name, what in (("scope", "Region or `global`"), ("team", "team"), ("env", "environment")):
        function = click.option(f"--{name}", help=f"Only this {what}.")(function)
    return function
