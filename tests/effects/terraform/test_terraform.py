"""What Terraform finds in its environment."""

from __future__ import annotations

import pytest

from orchestrator.effects.terraform.terraform import environment
from orchestrator.model.rules.config import TerraformSettings as Settings


@pytest.mark.parametrize(
    ("name", "value", "passed"),
    [
        ("PATH", "/bin", "/bin"),
        ("GOGC", "50", "50"),
        ("TF_LOG", "trace", None),
        ("TF_WORKSPACE", "other", None),
        ("TF_CLI_ARGS", "-destroy", None),
        ("TF_INPUT", "1", "0"),
        ("TF_TOKEN_registry_bank_example", "t", "t"),
        ("TF_VAR_wanted", "w", "w"),
        ("TF_VAR_other", "o", None),
    ],
)
def test_terraforms_own_settings_stay_outside(name: str, value: str, passed: str | None) -> None:
    settings = Settings(pass_env=["TF_VAR_wanted"])
    assert environment({name: value}, settings, {}).get(name) == passed


def test_what_a_run_sets_wins_over_the_surroundings() -> None:
    assert environment({"TF_DATA_DIR": "/x", "A": "1"}, Settings(), {"TF_DATA_DIR": "/y", "A": "2"}) == {
        "GOGC": "300",
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
        "CHECKPOINT_DISABLE": "1",
        "TF_DATA_DIR": "/y",
        "A": "2",
    }
