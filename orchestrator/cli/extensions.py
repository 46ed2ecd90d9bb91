"""Commands that another distribution adds to orchestrate, by an entry point of the group `orchestrate.commands`.

orchestrate never imports such a distribution: it asks Python which ones are installed, and only when the command is
called. One that is not installed is listed all the same, and says how to get it.
"""

from __future__ import annotations

import importlib.metadata
from typing import NoReturn

import click

from orchestrator.errors import DependencyError

GROUP = "orchestrate.commands"
ADDED = {"sandbox": "An emulated AWS on this machine."}
"""What there is to add: the command, and what it is."""


def command(name: str) -> click.Command:
    """The installed one, or one that only says how to get it."""
    found = next(iter(importlib.metadata.entry_points(group=GROUP, name=name)), None)
    if found is None:
        return _not_installed(name)
    loaded = found.load()
    assert isinstance(loaded, click.Command)
    return loaded


def _not_installed(name: str) -> click.Command:
    """Takes whatever the real one would: `--help`, its commands and their options."""
    settings = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}

    said = f"{ADDED[name].rstrip('.')} (not installed)."

    @click.command(name, context_settings=settings, help=said, add_help_option=False)
    @click.argument("rest", nargs=-1, type=click.UNPROCESSED)
    def missing(rest: tuple[str, ...]) -> NoReturn:
        raise DependencyError(
            f"`orchestrate {name}` is a package of its own, orchestrate-{name}, which is not installed",
            hint=f"In a clone of orchestrate, run `make install`, or `make install-to DEST=... WITH={name}`.",
        )

    return missing
