"""A plan is applied when every check that the environment asks for has passed on its commit."""

from __future__ import annotations

from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.gate import Gate, NotAsked, Reason


def check(asked: GateContext) -> Reason | None:
    commit = asked.release.commit
    for name in asked.environment.checks.required:
        passed = asked.history.check_passed(name, commit)
        if not passed:
            return _not_passed(asked, name, passed)
    return None


def _not_passed(asked: GateContext, name: str, passed: bool | None) -> Reason:
    """Before there is a plan, a check that has not run is yet to come."""
    commit = asked.release.commit[:12]
    if passed is None:
        try:
            assert asked.receipt
        except NotAsked:
            raise NotAsked(f"`{name}` has not run on commit {commit}") from None
    state = "has not run on" if passed is None else "failed on"
    return Reason(
        f"the required check `{name}` {state} commit {commit}",
        f"Run `orchestrate {name} --tag {asked.tag}`, then apply again.",
    )


GATE = Gate(
    330,
    "required-checks",
    ("apply", "begin"),
    "the required checks have passed on the commit",
    check,
    ("checks.required",),
)
