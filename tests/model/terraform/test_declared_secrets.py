"""What a commit calls secret is found before it is parsed, also where it cannot be parsed."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.terraform.declared_secrets import defaults, sensitive_names, values

DECLARED = """
variable "region" { default = "not-secret-at-all" }
variable "login" {
  type      = object({ user = string })
  sensitive = true # really
  default   = { user = "default-secret" }
}
variable db_password {}
variable "seed" { ephemeral = true }
"""


def test_sensitive_and_telling_names_are_found() -> None:
    assert sensitive_names(DECLARED) == {"login", "db_password", "seed"}
    as_json = {"variable": {"login": {"sensitive": True}, "region": {}, "seed": [{"ephemeral": "true"}]}}
    assert sensitive_names(json.dumps(as_json)) == {"login", "seed"}


def test_also_of_a_file_that_cannot_be_parsed() -> None:
    assert sensitive_names(DECLARED + 'resource "x" {{{ "') == {"login", "db_password", "seed"}


def test_defaults_are_found() -> None:
    assert [*defaults(DECLARED, {"login"})] == ["default-secret"]


@pytest.mark.parametrize(
    "file",
    [
        'login = "hunter2-hunter2"',
        '\ufefflogin = ["a", "hunter2-hunter2"]',
        'region = "x"\nlogin = {\n  user = "hunter2-hunter2"\n}\n',
        "login = <<EOT\nhunter2-hunter2\nEOT\n",
        'login = "hunter2-hunter2"\nbroken = {{ "',
        '  "login" : "hunter2-hunter2"',
        '{"login": ["hunter2-hunter2"]}',
        'db_password = "hunter2-hunter2"',
        '"db_password" = "hunter2-hunter2',
    ],
)
def test_values_are_found(file: str) -> None:
    found = [*values(file, {"login"})]
    assert any("hunter2-hunter2" in each for each in found)


def test_of_other_variables_nothing_is() -> None:
    assert [*values('region = "not-secret-at-all"\ncount_of = 12345678901', {"login"})] == []


@given(st.text(), st.text())
def test_no_text_makes_it_fail(configuration: str, variable_file: str) -> None:
    names = sensitive_names(configuration)
    assert all(isinstance(each, str) for each in [*defaults(configuration, names), *values(variable_file, names)])


def test_defaults_are_found_in_json_too() -> None:
    content = json.dumps({"variable": {"login": {"default": {"user": "default-secret"}}, "region": {"default": "us"}}})
    assert set(defaults(content, {"login"})) >= {"default-secret"}
    assert "us" not in set(defaults(content, {"login"}))
