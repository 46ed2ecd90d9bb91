"""A team pins the version of a composition, with the blocks that it is made of: a git source with a ref."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.support.modules.runs import ModuleRun

pytestmark = pytest.mark.slow

ROLE = 'module.{name}.module.flow_logs_role["plain"].aws_iam_role.this'


def test_root_gets_the_versions_that_it_pins(plan_of: Callable[[str], ModuleRun]) -> None:
    planned = plan_of("pinned-versions").resources
    trusts = {name: planned[ROLE.format(name=name)]["assume_role_policy"] for name in ("stays", "follows")}
    assert {name: json.loads(trust)["Statement"][0]["Principal"]["Service"] for name, trust in trusts.items()} == {
        "stays": ["vpc-flow-logs.amazonaws.com"],
        "follows": ["delivery.logs.amazonaws.com"],
    }
