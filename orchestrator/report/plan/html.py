"""A plan as one HTML page that needs nothing else: for phones, screen readers, the dark and paper."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape

from orchestrator.model.plan_view.order import ChangeGroup, confined_to, in_groups
from orchestrator.model.terraform.plan import SIGNS, Change
from orchestrator.report.plan.head import ShownPlan, notes

_SIGN = re.compile(r" *([-+~!#]) ")
_CLASSES = {"+": "add", "-": "gone", "~": "change", "!": "danger", "#": "note"}
_WORDS = {
    "add": "add",
    "change": "change",
    "destroy": "destroy",
    "replace": "replace",
    "forget": "forget",
    "import": "import",
    "move": "move",
}
_OPEN = 50  # changes of a group that is not dangerous, up to which their details are open

_STYLE = """
:root { color-scheme: light dark; --add: #116329; --gone: #a40e26; --change: #7d4e00; --note: #57606a; --line: #d0d7de;
  --paper: #ffffff; --ink: #1f2328; --soft: #f6f8fa; --alarm: #ffebe9; }
@media (prefers-color-scheme: dark) { :root { --add: #56d364; --gone: #ff7b72; --change: #e3b341; --note: #9198a1;
  --line: #3d444d; --paper: #0d1117; --ink: #f0f6fc; --soft: #151b23; --alarm: #3c1618; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 75rem; padding: 1rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.4rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 1.5rem 0 .5rem; }
table { border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0; overflow-wrap: anywhere; }
th { color: var(--note); font-weight: 600; white-space: nowrap; }
details { border: 1px solid var(--line); border-radius: .4rem; margin: .4rem 0; background: var(--soft); }
summary { padding: .5rem .7rem; cursor: pointer; overflow-wrap: anywhere; font-family: ui-monospace, monospace; }
summary:focus-visible { outline: 3px solid #0969da; outline-offset: 1px; }
pre { margin: 0; padding: .5rem .7rem; white-space: pre-wrap; overflow-wrap: anywhere;
  font: .875rem/1.45 ui-monospace, monospace; border-top: 1px solid var(--line); }
.danger-group details { background: var(--alarm); border-color: var(--gone); }
.add { color: var(--add); } .gone { color: var(--gone); }
.change { color: var(--change); } .note { color: var(--note); }
.danger { color: var(--gone); font-weight: 700; }
.counts { font-size: 1.15rem; font-weight: 600; }
@media print { details { break-inside: avoid; } }
"""


def plan_html(plan: ShownPlan) -> str:
    """All of it: nothing is left out of a page."""
    return "".join(f"{line}\n" for line in _lines(plan))


def _lines(plan: ShownPlan) -> Iterator[str]:
    title = escape(plan.title)
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    yield f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>"
    yield f'<h1>{title}</h1>\n<p class="counts">{escape(plan.counts)}</p>'
    yield "<table>"
    yield from (f'<tr><th scope="row">{escape(name)}</th><td>{escape(text)}</td></tr>' for name, text in plan.facts)
    yield "</table>"
    only = confined_to(plan.view.changes)
    if only is not None:
        yield f"<p>Nothing is added or removed outside {escape(only)}.</p>"
    for number, group in enumerate(in_groups(plan.view.changes)):
        yield from _group(f"group-{number}", group)
    for number, (name, texts) in enumerate(notes(plan.view)):
        yield from _note(f"note-{number}", name, texts)
    yield "</main>\n</body>\n</html>"


def _group(name: str, group: ChangeGroup) -> Iterator[str]:
    kind = ' class="danger-group"' if group.dangerous else ""
    opened = group.dangerous or len(group.changes) <= _OPEN
    yield f'<section aria-labelledby="{name}"{kind}>'
    yield f'<h2 id="{name}">{escape(group.title)}: {len(group.changes)}</h2>'
    for change in group.changes:
        yield from _change(change, opened)
    yield "</section>"


def _change(change: Change, opened: bool) -> Iterator[str]:
    sign = SIGNS[change.action]
    kind = {"replace": "gone", "forget": "gone"}.get(change.action) or _CLASSES.get(sign, "note")
    word = f'<span class="{kind}">{escape(sign)} {_WORDS[change.action]}</span>'
    if not change.details:
        yield f"<details><summary>{word} {escape(change.address)}</summary></details>"
        return
    yield f"<details{' open' if opened else ''}><summary>{word} {escape(change.address)}</summary>"
    yield "<pre>" + "\n".join(map(_line, change.details)) + "</pre></details>"


def _line(line: str) -> str:
    found = _SIGN.match(line)
    text = escape(line, quote=False)
    return f'<span class="{_CLASSES[found[1]]}">{text}</span>' if found else text


def _note(name: str, title: str, texts: Sequence[str]) -> Iterator[str]:
    yield f'<section aria-labelledby="{name}"><h2 id="{name}">{escape(title)}: {len(texts)}</h2>'
    yield from (f"<pre>{escape(text, quote=False)}</pre>" for text in texts)
    yield "</section>"
