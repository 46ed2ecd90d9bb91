"""What Terraform finds in its environment."""

from __future__ import annotations

import pytest

from orchestrator.effects.terraform.surroundings import environment, for_fetching, without_credentials
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
        ("TF_TOKEN_registry_bank_example", "t", None),
        ("TF_REATTACH_PROVIDERS", "{}", None),
        ("AWS_ENDPOINT_URL_S3", "u", "u"),
        ("AWS_ACCESS_KEY_ID", "k", "k"),
        ("HTTPS_PROXY", "p", "p"),
        ("GITHUB_TOKEN", "t", None),
        ("DATABASE_PASSWORD", "p", None),
        ("AWS_BEARER_TOKEN_BEDROCK", "t", None),
        ("CODEBUILD_AUTH_TOKEN", "t", None),
        ("ORCHESTRATE_SUBMITTED_BY", "me", None),
        ("LD_PRELOAD", "x.so", None),
        ("BASH_ENV", "x", None),
        ("GIT_SSH_COMMAND", "x", None),
        ("TF_VAR_wanted", "w", "w"),
        ("TF_VAR_other", "o", None),
    ],
)
def test_terraforms_own_settings_stay_outside(name: str, value: str, passed: str | None) -> None:
    settings = Settings(pass_env=["TF_VAR_wanted"])
    assert environment({name: value}, settings, {}).get(name) == passed


def test_what_needs_no_aws_gets_no_credentials() -> None:
    surroundings = {"PATH": "/bin", "AWS_ACCESS_KEY_ID": "k", "AWS_PROFILE": "p", "TF_VAR_x": "x", "TF_TOKEN_x": "t"}
    assert set(without_credentials(surroundings, {})) == {
        "PATH", "GOGC", "TF_IN_AUTOMATION", "TF_INPUT", "CHECKPOINT_DISABLE",
    }  # fmt: skip


def test_logins_of_registries_are_for_the_initialization() -> None:
    surroundings = {"TF_TOKEN_registry_bank_example": "t", "SSH_AUTH_SOCK": "/s", "GITHUB_TOKEN": "g", "PATH": "/bin"}
    assert set(for_fetching(surroundings)) == {"TF_TOKEN_registry_bank_example", "SSH_AUTH_SOCK"}


def test_what_a_run_sets_wins_over_the_surroundings() -> None:
    assert environment({"TF_DATA_DIR": "/x", "A": "1"}, Settings(), {"TF_DATA_DIR": "/y", "A": "2"}) == {
        "GOGC": "300",
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
        "CHECKPOINT_DISABLE": "1",
        "TF_DATA_DIR": "/y",
        "A": "2",
    }
