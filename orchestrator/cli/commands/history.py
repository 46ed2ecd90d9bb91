"""`orchestrate history`: what happened when, whether the record of it is intact, and all of it as a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.context import (
    CommandWithCommonOptions,
    Context,
    answer,
    load_rules_from_worktree,
    pass_context,
    say,
    selection_options,
)
from orchestrator.errors import Refused, UsageError

if TYPE_CHECKING:
    from orchestrator.model.audit.evidence import Record
    from orchestrator.model.rules.rules import Rules
    from orchestrator.stages.context.selection import Selection
    from orchestrator.stages.history.audit import Audit

_PATH = click.Path(path_type=Path)
_EXISTING = click.Path(exists=True, path_type=Path)


@click.command("history", cls=CommandWithCommonOptions)
@selection_options
@click.option("--tag", help="Only this release tag.")
@click.option("--since", metavar="WHEN", help="Only from then on: 2026-11-21, an ISO 8601 time, 12h, 30d.")
@click.option("--limit", type=click.IntRange(1), default=1000, show_default=True, help="At most so many, the newest.")
@click.option("--verify", is_flag=True, help="Show what of the record was altered, removed or cut off (exit code 4).")
@click.option("--from", "bundle", metavar="BUNDLE", type=_EXISTING, help="With --verify: of an exported bundle.")
@click.option("--export", metavar="PATH", type=_PATH, help="Write all evidence to a new folder, or a file PATH.tar.")
@click.option("--store", is_flag=True, help="Keep all evidence in the release buckets, below evidence/.")
@click.option("--skip-plans", is_flag=True, help="With these: do not read the stored plans, which hold secrets.")
@pass_context
def history(context: Context, /, env: str | None, team: str | None, scope: str | None, **asked: Any) -> None:
    """Show what happened when: checks, plans, answers, refusals, applies, failures, recoveries.

    An environment that is not bootstrapped has no history, and is named as such; with --verify, --export and --store,
    or where none of those asked for is bootstrapped, that is an error (exit code 6).
    """
    from orchestrator.stages.context.selection import Selection

    _check(asked)
    selection = Selection(env, team, scope)
    if asked["bundle"]:
        _verify_bundle(context, asked["bundle"])
    elif asked["export"] or asked["store"]:
        _export(context, selection, asked)
    elif asked["verify"]:
        _verify(context, selection, asked)
    else:
        _show(context, selection, asked)


def _check(asked: dict[str, Any]) -> None:
    if asked["bundle"] and not asked["verify"]:
        raise UsageError("--from goes with --verify")
    if asked["verify"] and (asked["export"] or asked["store"]):
        raise UsageError("an export says what --verify would say; leave out --verify")
    if asked["tag"] and (asked["verify"] or asked["export"] or asked["store"]):
        raise UsageError("a record holds all tags of a target; choose by --env, --team and --scope instead of --tag")


def _show(context: Context, selection: Selection, asked: dict[str, Any]) -> None:
    from orchestrator.report.history import history as report
    from orchestrator.stages.history.history import HistoryFilter
    from orchestrator.stages.history.history import history as run

    wanted = HistoryFilter.of(asked["tag"], asked["since"], asked["limit"])
    found = run(load_rules_from_worktree(context), selection, wanted)
    answer(context, report.fields(found), report.text(found))
    if found.more:
        say(f"Older ones are left out: --limit {wanted.limit}.")


def _verify(context: Context, selection: Selection, asked: dict[str, Any]) -> None:
    from orchestrator.stages.history.audit import audit

    rules = load_rules_from_worktree(context)
    records = _records(context, rules, selection, plans=not asked["skip_plans"])
    _conclude(context, audit(records, descends=context.repository().follows))


def _verify_bundle(context: Context, path: Path) -> None:
    """Offline: of the bundle alone."""
    from orchestrator.effects.ledger.evidence_files import read
    from orchestrator.model.audit.bundle import damage, read_records
    from orchestrator.stages.history.audit import audit

    files = read(path)
    records, unreadable = read_records(files)
    _conclude(context, audit(records, damaged=(*damage(files), *unreadable)))


def _export(context: Context, selection: Selection, asked: dict[str, Any]) -> None:
    """Exported whatever is found: evidence of an alteration is evidence as well."""
    from orchestrator.effects.ledger.evidence_files import archive, write
    from orchestrator.report.history import evidence as report
    from orchestrator.stages.history.audit import audit
    from orchestrator.stages.history.evidence import store

    rules = load_rules_from_worktree(context)
    records = _records(context, rules, selection, plans=not asked["skip_plans"])
    found = audit(records, descends=context.repository().follows)
    files = report.files(found)
    if asked["export"]:
        write(files, asked["export"])
        say(f"{len(files)} files of evidence are in {asked['export']}")
    if asked["store"]:
        for url in store(rules, selection, archive(files)):
            say(f"kept as {url}")
    _conclude(context, found)


def _records(context: Context, rules: Rules, selection: Selection, *, plans: bool) -> tuple[Record, ...]:
    from orchestrator.stages.history.collect import collect

    return collect(rules, selection, context.repository(), plans=plans)


def _conclude(context: Context, found: Audit) -> None:
    from orchestrator.report.history import audit as report

    answer(context, report.fields(found), report.text(found))
    if found.flaws:
        raise Refused(
            "the record is not as it was written",
            hint="docs/history.md says what each finding means and how to go on.",
        )
