"""Conditions of stages and the variables in them, without a server."""

from __future__ import annotations

import pytest

from orchestrate_sandbox.pipeline.conditions import broken
from orchestrate_sandbox.pipeline.definition import Condition, DefinedStage, PipelineDefinition, Rule, RuleType
from orchestrate_sandbox.pipeline.variables import Unresolved, resolved

KNOWN = {"plan": {"CHANGES": "true", "SUM": "#{plan.CHANGES}"}}


def rule(variable: str, value: str, operator: str, provider: str = "VariableCheck") -> Condition:
    configuration = {"Variable": variable, "Value": value, "Operator": operator}
    return Condition((Rule("R", RuleType("Rule", provider), configuration),), "SKIP")


@pytest.mark.parametrize(
    ("value", "operator", "holds"),
    [
        ("true", "EQ", True),
        ("false", "EQ", False),
        ("false", "NE", True),
        ("ru", "CONTAINS", True),
        ("^t.*e$", "MATCHES", True),
        ("x", "MATCHES", False),
    ],
)
def test_operators(value: str, operator: str, holds: bool) -> None:
    assert (broken([rule("#{plan.CHANGES}", value, operator)], KNOWN) is None) is holds


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        (rule("x", "x", "LIKE"), "no operator LIKE"),
        (rule("#{plan.NONE}", "x", "EQ"), "#{plan.NONE} is not set"),
        (rule("x", "x", "EQ", "CloudWatchAlarm"), "CloudWatchAlarm is not in the sandbox"),
    ],
)
def test_what_cannot_be_judged_does_not_hold(condition: Condition, why: str) -> None:
    found = broken([rule("x", "x", "EQ"), condition], KNOWN)
    assert found is not None
    assert (found.result, why in found.why) == ("SKIP", True)


def test_a_condition_without_a_result_fails() -> None:
    found = broken([Condition(rule("x", "y", "EQ").rules)], KNOWN)
    assert found is not None
    assert found.result == "FAIL"


def test_a_value_is_put_in_as_it_is() -> None:
    assert resolved("a #{plan.SUM} b", KNOWN) == "a #{plan.CHANGES} b"
    with pytest.raises(Unresolved, match=r"other\.X"):
        resolved("#{other.X}", KNOWN)


def test_a_pipeline_needs_a_store_where_its_actions_are() -> None:
    pipeline = PipelineDefinition("p", "role", (DefinedStage("S", ()),), 1)
    assert pipeline.stage("T") is None
    with pytest.raises(ValueError, match="no artifact store in us-east-1"):
        pipeline.store("us-east-1")
