"""Created tags as text and as JSON."""

from __future__ import annotations

import json

from orchestrator.report.text.table import columns
from orchestrator.stages.tags.make_tags import MadeTags


def as_json(made: MadeTags) -> str:
    tags = [{"tag": str(each.tag), "commit": each.commit, "object": each.object} for each in made.tags]
    return json.dumps({"tags": tags, "pushed": made.pushed_to is not None}, indent=2)


def as_text(made: MadeTags) -> str:
    chosen = "" if made.chosen == made.commit else f" ({made.chosen})"
    names = [str(each.tag) for each in made.tags]
    rows = columns([(name, f"-> commit {made.commit[:12]}{chosen}") for name in names])
    push = f"git push --atomic origin {' '.join(f'refs/tags/{name}' for name in names)}"
    end = f"Pushed to {made.pushed_to}." if made.pushed_to else f"Not pushed yet. To push:\n  {push}"
    return f"{rows}\n{end}"
