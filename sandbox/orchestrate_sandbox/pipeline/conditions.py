"""Whether the conditions of a stage hold. Pure.

Source: "How do stage conditions work?" and "VariableCheck" (CodePipeline user guide). Of the rules only VariableCheck
is in the sandbox; another, and one that names a variable that is not set, does not hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from orchestrate_sandbox.pipeline.definition import Condition, Rule
from orchestrate_sandbox.pipeline.variables import Namespaces, Unresolved, resolved


@dataclass(frozen=True)
class FailedCondition:
    """The first condition that does not hold: its result, and why."""

    result: str
    why: str


def broken(conditions: Iterable[Condition], known: Namespaces) -> FailedCondition | None:
    for condition in conditions:
        reasons = [reason for rule in condition.rules if (reason := _why_not(rule, known))]
        if reasons:
            return FailedCondition(condition.result or "FAIL", reasons[0])
    return None


def _why_not(rule: Rule, known: Namespaces) -> str | None:
    if rule.rule_type_id.provider != "VariableCheck":
        return f"rule {rule.name}: {rule.rule_type_id.provider} is not in the sandbox"
    try:
        wanted = {name: resolved(text, known) for name, text in rule.configuration.items()}
    except Unresolved as error:
        return f"rule {rule.name}: {error}"
    test = _OPERATORS.get(wanted.get("Operator", ""))
    if test is None:
        return f"rule {rule.name}: there is no operator {wanted.get('Operator')}"
    if test(wanted.get("Variable", ""), wanted.get("Value", "")):
        return None
    return f"rule {rule.name}: {wanted.get('Variable')} {wanted['Operator']} {wanted.get('Value')} does not hold"


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "EQ": lambda variable, value: variable == value,
    "NE": lambda variable, value: variable != value,
    "CONTAINS": lambda variable, value: value in variable,
    "MATCHES": lambda variable, value: re.search(value, variable) is not None,
}
