"""A plan as GitHub's markdown: collapsible, and never more than a comment on a pull request holds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from orchestrator.model.plan_view.order import ChangeGroup, confined_to, in_groups
from orchestrator.model.terraform.plan import SIGNS, Change
from orchestrator.report.checks.markdown import plain_text
from orchestrator.report.plan.head import ShownPlan, notes
from orchestrator.report.plan.text import SHORTENED

LIMIT = 65_536
"""GitHub: "Body is too long (maximum is 65536 characters)"; counted as bytes here, to be on the safe side."""

_RESERVE = 2_000
_SIGNED = re.compile(r"( *)([-+~!]) ")
_DIFF_SIGNS = {"+": "+", "-": "-", "~": "!", "!": "!"}
_FENCE = re.compile(r"`{3,}")


def plan_markdown(plan: ShownPlan) -> str:
    """The dangerous part is whole: of what remains there is as much as has room, the rest is counted."""
    head = "\n".join(_head(plan))
    room = LIMIT - len(head.encode()) - _RESERVE
    parts, left_out = [], 0
    for group in in_groups(plan.view.changes):
        text, missing = _group(group, room)
        parts.append(text)
        room -= len(text.encode())
        left_out += missing
    for title, texts in notes(plan.view):
        text, missing = _note(title, texts, room)
        parts.append(text)
        room -= len(text.encode())
        left_out += missing
    warning = f"\n**{SHORTENED}**: {left_out} are not shown whole. The whole: `{plan.whole}`\n" if left_out else ""
    return "\n".join([head, warning, *parts]).rstrip("\n") + "\n"


def _head(plan: ShownPlan) -> Iterator[str]:
    yield f"### {plain_text(plan.title)}: {plan.counts}"
    yield ""
    yield "| | |"
    yield "| --- | --- |"
    yield from (f"| {name} | {plain_text(text)[:2_000]} |" for name, text in plan.facts)
    only = confined_to(plan.view.changes)
    if only is not None:
        yield f"\nNothing is added or removed outside {plain_text(only)}."


def _group(group: ChangeGroup, room: int) -> tuple[str, int]:
    """With how many changes are not whole in it."""
    lines: list[str] = []
    used = missing = unnamed = 0
    for change in group.changes:
        whole = list(_change(change))
        for form in (whole, whole[:1], []):
            size = sum(len(line.encode()) + 1 for line in form)
            if used + size <= room:
                break
        lines += form
        used += size
        missing += form != whole
        unnamed += not form
    if unnamed:
        lines.append(f"! {SHORTENED}: {unnamed} more are not shown")
    opened = " open" if group.dangerous else ""
    title = f"{plain_text(group.title)}: {len(group.changes)}"
    return _block(title, lines, opened), missing


def _note(title: str, texts: Sequence[str], room: int) -> tuple[str, int]:
    lines: list[str] = []
    used = missing = 0
    for text in texts:
        used += len(text.encode()) + 1
        if used > room:
            missing += 1
        else:
            lines += text.split("\n")
    return _block(f"{title}: {len(texts)}", lines, " open" if missing == 0 else ""), missing


def _block(title: str, lines: Sequence[str], opened: str) -> str:
    longest = max((len(run) for line in lines for run in _FENCE.findall(line)), default=2)
    fence = "`" * (longest + 1)
    body = "\n".join(lines)
    return f"<details{opened}><summary>{title}</summary>\n\n{fence}diff\n{body}\n{fence}\n\n</details>\n"


def _change(change: Change) -> Iterator[str]:
    """A sign at the beginning of the line is what GitHub colours."""
    sign = SIGNS[change.action]
    yield f"{_DIFF_SIGNS.get(sign[0], '#')} {sign} {change.address}"
    for line in change.details:
        found = _SIGNED.match(line)
        yield f"{_DIFF_SIGNS[found[2]] if found else ' '}     {line}"
