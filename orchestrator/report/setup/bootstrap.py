"""What bootstrap found and did, as text and JSON; its failures as one error."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby

from orchestrator.errors import OrchestrateError
from orchestrator.stages.stores.bootstrap import StoreResult

_SHOWN_FAILURES = 5
_SHOWN_CHARACTERS = 72


def as_json(outcomes: Sequence[StoreResult]) -> str:
    return json.dumps({"stores": [_facts(outcome) for outcome in outcomes]}, indent=2)


def _facts(outcome: StoreResult) -> dict[str, object]:
    store = outcome.store
    return {
        "env": store.env,
        "region": store.region,
        "kind": store.kind,
        "name": store.name,
        "state": outcome.state,
        "differences": [asdict(difference) for difference in outcome.differences],
        **({"error": str(outcome.error)} if outcome.error else {}),
    }


def as_text(outcomes: Sequence[StoreResult]) -> str:
    return "\n".join(_lines(outcomes))


def _lines(outcomes: Sequence[StoreResult]) -> Iterator[str]:
    width = max((len(str(outcome.store)) for outcome in outcomes), default=0)
    for (env, region), group in groupby(outcomes, lambda outcome: (outcome.store.env, outcome.store.region)):
        yield f"{env} ({region})"
        for outcome in group:
            yield f"  {outcome.store!s:<{width}}  {_state(outcome)}"
            if outcome.state == "differs":
                yield from (f"    {d.setting}: {_cut(d.found)}, wanted {_cut(d.wanted)}" for d in outcome.differences)


def _cut(text: str) -> str:
    """JSON has all of it."""
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."


def _state(outcome: StoreResult) -> str:
    if outcome.state == "repaired":
        return f"repaired: {', '.join(difference.setting for difference in outcome.differences)}"
    return "in order" if outcome.state == "ok" else outcome.state


def progress(outcome: StoreResult) -> str | None:
    """A line for what takes time: making and fixing."""
    if outcome.state not in ("created", "repaired"):
        return None
    return f"{outcome.store.env} ({outcome.store.region}): {outcome.store} {outcome.state}"


def failures(outcomes: Sequence[StoreResult]) -> OrchestrateError | None:
    """One error that tells of all of them; it has the highest exit code among them."""
    errors = [outcome.error for outcome in outcomes if outcome.error]
    if not errors:
        return None
    worst = max(errors, key=lambda error: error.exit_code)
    told = list(dict.fromkeys(error.message for error in errors))
    more = [f"... and {len(told) - _SHOWN_FAILURES} more"] if len(told) > _SHOWN_FAILURES else []
    if len(told) > 1:
        head = f"{len(errors)} of {len(outcomes)} stores failed"
        return type(worst)("\n  ".join([head, *told[:_SHOWN_FAILURES], *more]), hint=worst.hint)
    return type(worst)(told[0], hint=worst.hint)
