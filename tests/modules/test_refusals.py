"""Bad input ends at the plan, with words that say what to change. (`terraform test` shows only that it ends.)"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.modules import cases
from tests.support.modules.runs import ModuleRun

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", cases.listed("refusals"))
def test_bad_input_is_refused_at_the_plan(plan_of: Callable[[str], ModuleRun], name: str) -> None:
    plan = plan_of(name)
    assert plan.planned == []
    assert cases.listed("refusals")[name]["said"] in " ".join(plan.said)
