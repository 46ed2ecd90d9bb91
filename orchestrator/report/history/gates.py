"""Gates: which there are, and which of a release hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from orchestrator.stages.gates.gate import MOMENTS, Gate
from orchestrator.stages.history.gates import GateState, GateStates

_RESULTS = {0: "holds", 4: "refuses", 6: "unknown", 7: "waits"}
_ENDS = {
    0: "No gate stops the release now.",
    4: "The gates that refuse stop the release.",
    6: "Some gates could not be asked.",
    7: "Only approvals are missing.",
}


def fields(states: GateStates) -> dict[str, Any]:
    release = states.release
    return {
        "tag": str(release.tag),
        "commit": release.commit,
        "rules_commit": release.rules_commit,
        "target": release.target.id,
        "result": _RESULTS[states.exit_code],
        "gates": [_state_fields(each) for each in states.found],
    }


def _state_fields(each: GateState) -> dict[str, Any]:
    reason = each.reason
    return {
        **_gate_fields(each.gate),
        "state": each.state,
        "reason": None if reason is None else reason.message,
        "hint": None if reason is None else reason.hint,
    }


def text(states: GateStates) -> str:
    width = max(len(each.gate.name) for each in states.found)
    lines = [line for each in states.found for line in _lines(each, width)]
    not_yet = sum(each.state == "not asked" for each in states.found)
    end = f"{_ENDS[states.exit_code]} {not_yet} not asked yet." if not_yet else _ENDS[states.exit_code]
    return "\n".join([f"{states.release.tag} (commit {states.release.commit[:12]})", *lines, "", end])


def _lines(each: GateState, width: int) -> Iterator[str]:
    """What stops the release stands below the name of its gate, with what to do."""
    head = f"  {each.state:9}  {each.gate.name.ljust(width)}"
    if each.state == "holds":
        yield f"{head}  {each.gate.holds}"
        return
    assert each.reason is not None
    first, *rest = each.reason.message.splitlines()
    yield f"{head}  {first}"
    more = [*rest, *(each.reason.hint or "").splitlines()] if each.state != "not asked" else rest
    yield from (f"{' ' * (width + 15)}{line}" for line in more)


# Which gates there are ------------------------------------------------------------------------------------------------


def list_fields(gates: Sequence[Gate]) -> dict[str, Any]:
    return {"gates": [_gate_fields(gate) for gate in gates]}


def _gate_fields(gate: Gate) -> dict[str, Any]:
    return {
        "name": gate.name,
        "holds_when": gate.holds,
        "asked_when": [MOMENTS[moment] for moment in gate.moments],
        "settings": list(gate.settings),
    }


def list_text(gates: Sequence[Gate]) -> str:
    width = max(len(gate.name) for gate in gates)
    return "\n".join(f"{gate.name.ljust(width)}  {gate.holds}" for gate in gates)


def list_markdown(gates: Sequence[Gate]) -> str:
    """The table of docs/gates.md."""
    rows = (
        f"| `{gate.name}` | {gate.holds} | {', '.join(f'`{key}`' for key in gate.settings) or '-'} | "
        f"{'; '.join(MOMENTS[moment] for moment in gate.moments)} |"
        for gate in gates
    )
    return "\n".join(["| gate | holds when | settings | asked when |", "| --- | --- | --- | --- |", *rows])
