"""Which providers may run."""

from __future__ import annotations

import pytest

from orchestrator.errors import Refused
from orchestrator.model.terraform.allowed_providers import refuse_others

OURS = "registry.terraform.io/hashicorp/aws"
OTHERS = "registry.terraform.io/somebody/dns"


def test_by_default_hashicorps_run_and_those_that_the_protected_branch_locks() -> None:
    refuse_others([OURS, "registry.opentofu.org/hashicorp/aws", OTHERS], None, [OTHERS])


@pytest.mark.parametrize("address", [OTHERS, "example.com/hashicorp/aws", "registry.terraform.io/x/hashicorp/aws"])
def test_others_do_not(address: str) -> None:
    with pytest.raises(Refused, match="is not one of those that the rules allow"):
        refuse_others([OURS, address], None, [OURS])


@pytest.mark.parametrize("allowed", ["somebody/dns", "somebody/*", "registry.terraform.io/somebody/dns", "*/dns"])
def test_a_list_in_the_rules_is_the_whole_list(allowed: str) -> None:
    refuse_others([OTHERS], [allowed], [])
    with pytest.raises(Refused, match="hashicorp/aws"):
        refuse_others([OTHERS, OURS], [allowed], [OURS])
