"""Values of variables in a plan, compared with what the commit and the rules say."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.model.terraform.planned_variables import different


def of(value: Any, *layers: Any) -> list[str]:
    return list(different({"x": {"value": value}}, [{"x": layer} for layer in layers]))


def test_the_last_layer_counts() -> None:
    assert of("b", "a", "b") == []
    assert of("a", "a", "b") == ["x"]
    assert list(different({"x": {"value": "a"}}, [])) == []


@pytest.mark.parametrize(("planned", "given"), [("1", 1), (1, "1"), (True, "true"), ("false", False)])
def test_terraform_may_have_converted_a_value(planned: Any, given: Any) -> None:
    assert of(planned, given) == []


@pytest.mark.parametrize(
    ("planned", "given"), [("a", "${local.a}"), ("a\nb", "c"), (["a"], ["b"]), ("a", None), (1.5, 2.5)]
)
def test_what_only_terraform_can_work_out_is_not_compared(planned: Any, given: Any) -> None:
    assert of(planned, given) == []
