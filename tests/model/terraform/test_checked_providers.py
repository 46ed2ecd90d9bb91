"""Which providers may be installed."""

from __future__ import annotations

import pytest

from orchestrator.errors import InvalidInput
from orchestrator.model.terraform.checked_providers import CheckedProviders, unavailable
from orchestrator.model.terraform.events import CommandOutput


def test_hashicorps_are_allowed_and_no_others() -> None:
    allowed = CheckedProviders()

    assert allowed.holds("registry.terraform.io/hashicorp/aws")
    assert allowed.holds("registry.opentofu.org/hashicorp/aws")
    assert not allowed.holds("registry.terraform.io/datadog/datadog")
    assert not allowed.holds("example.org/hashicorp/aws")


def test_others_are_allowed_by_name_or_by_namespace() -> None:
    allowed = CheckedProviders().also(["datadog/datadog", "example.org/acme/*"])

    assert allowed.holds("registry.terraform.io/datadog/datadog")
    assert allowed.holds("example.org/acme/thing")
    assert not allowed.holds("registry.terraform.io/acme/thing")


@pytest.mark.parametrize("name", ["", "datadog", "*/*", "a/b/c", "../x/y", 'a"/b', "example.org/*/x", "a.b/c/d/e"])
def test_what_is_no_address_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        CheckedProviders().also([name])


def test_what_init_found_nowhere_is_told() -> None:
    output = CommandOutput()
    output.take(
        '{"@level":"error","@message":"Error","type":"diagnostic","diagnostic":{"severity":"error","summary":"Failed",'
        '"detail":"Could not retrieve: provider example.org/acme/evil was not found in any of the search\\nlocations"}}'
    )

    assert unavailable(output) == ["example.org/acme/evil"]
