"""tflint's settings: which ones apply, which plugins they ask for, and what of them is taken over."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.effects.terraform.hcl import parse
from orchestrator.errors import InvalidInput
from orchestrator.model.checks.tflint_config import (
    AWS_RULESET,
    BLOCKS,
    Plugin,
    TflintConfig,
    default_config,
    init_config,
    nearest,
    taken_over,
)

AWS = """\
plugin "aws" {
  enabled = true
  version = "0.40.0"
  source  = "github.com/terraform-linters/tflint-ruleset-aws"
}
"""
OPTIONS = """\
config {
  call_module_type = "none"
  force            = true
  varfile          = ["/etc/passwd"]
}

plugin "terraform" {
  enabled     = true
  preset      = "all"
  signing_key = "whatever"
}

rule "terraform_naming_convention" {
  enabled = true

  module {
    format = "none"
  }
}
"""


def hcl(text: str) -> TflintConfig:
    return taken_over(parse(text.encode(), BLOCKS, told=".tflint.hcl"), ".tflint.hcl")


def in_json(text: str) -> TflintConfig:
    return taken_over(parse(text.encode(), BLOCKS, told=".tflint.json"), ".tflint.json")


def content(config: TflintConfig) -> Any:
    return json.loads(config.content)


def test_the_nearest_settings_apply() -> None:
    files = {".tflint.hcl": b"top", "a/.tflint.json": b"a"}

    def place(folder: str) -> str | None:
        found = nearest(folder, lambda path: files.get(path))
        return found[0] if found else None

    assert place("a/b") == "a/.tflint.json"
    assert place("b") == ".tflint.hcl"
    assert place("") == ".tflint.hcl"
    assert nearest("a", lambda path: None) is None


@pytest.mark.parametrize(
    "text",
    [AWS, f'plugin "terraform" {{\n  enabled = true\n}}\n{AWS}rule "aws_x" {{\n  enabled = true\n}}\n'],
)
def test_plugins_that_settings_ask_for_are_found(text: str) -> None:
    (plugin,) = hcl(text).plugins

    assert plugin == Plugin("aws", "github.com/terraform-linters/tflint-ruleset-aws", "0.40.0")
    assert plugin.path == "github.com/terraform-linters/tflint-ruleset-aws/0.40.0/tflint-ruleset-aws"


def test_settings_in_json_are_read_alike() -> None:
    (plugin,) = in_json('{"plugin": {"aws": {"enabled": true}, "terraform": {"enabled": true}}}').plugins

    assert plugin == Plugin("aws", None, None)
    assert plugin.path == "tflint-ruleset-aws"


def test_a_plugin_that_is_switched_off_need_not_be_there() -> None:
    assert hcl('plugin "aws" {\n  enabled = false\n}').plugins == ()


def test_rules_with_their_options_and_harmless_settings_are_taken_over_and_nothing_else() -> None:
    assert content(hcl(OPTIONS)) == {
        "config": {"call_module_type": "none"},
        "plugin": {"terraform": {"enabled": True, "preset": "all"}},
        "rule": {"terraform_naming_convention": {"enabled": True, "module": [{"format": "none"}]}},
    }


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        "[]",
        '{"plugin": 3}',
        '{"plugin": {"aws": [3]}}',
        '{"plugin": {"aws": {"enabled": "yes"}}}',
        '{"rule": {"terraform_x": {}}}',
        '{"rule": {"../x": {"enabled": true}}}',
        '{"rule": {"x": {"enabled": true, "format": "${file(\\"/etc/passwd\\")}"}}}',
        '{"rule": {"x": {"enabled": true, "of": [[[[[[[[[["deep"]]]]]]]]]]}}}',
        '{"config": {"call_module_type": "all"}}',
        '{"config": {"some_new_setting": true}}',
    ],
)
def test_what_cannot_be_taken_over_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        in_json(text)


@pytest.mark.parametrize(
    "text",
    [
        'plugin "../../evil" {\n  enabled = true\n}',
        'plugin "x" {\n  enabled = true\n  source = "../../evil"\n  version = "1"\n}',
        'plugin "x" {\n  enabled = true\n  source = "github.com/a/b"\n  version = "../../1"\n}',
        'plugin "x" {\n  enabled = true\n  source = "github.com/a/b"\n}',
    ],
)
def test_names_that_would_lead_to_another_folder_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        hcl(text)


@pytest.mark.parametrize(
    "text",
    [
        'config {\n  plugin_dir = "./plugins"\n}',
        'config{plugin_dir="./plugins"}',
        'config {\n  /* # */ plugin_dir = "./plugins"\n}',
        'config {\n  plugin_dir /* x */ = "./plugins"\n}',
    ],
)
def test_plugins_out_of_the_repository_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="plugin_dir"):
        hcl(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"config": {"plugin_dir": "./plugins"}}',
        '{"config": [{"plugin_\\u0064ir": "./plugins"}]}',
        '{"config": {}, "config": {"plugin_dir": "./plugins"}}',
    ],
)
def test_plugins_out_of_the_repository_are_refused_in_json(text: str) -> None:
    with pytest.raises(InvalidInput, match="plugin_dir"):
        in_json(text)


def test_a_plugin_folder_in_a_comment_is_none() -> None:
    assert content(hcl('config {\n  # plugin_dir = "x"\n}')) == {}


def test_the_default_settings_ask_for_what_they_are_given() -> None:
    assert default_config(None).plugins == ()
    assert default_config(AWS_RULESET).plugins == (AWS_RULESET,)
    assert default_config(Plugin("aws", None, None)).plugins == (Plugin("aws", None, None),)


def test_tflint_init_is_asked_for_exactly_the_plugins() -> None:
    assert json.loads(init_config((AWS_RULESET,))) == {
        "plugin": {"aws": {"enabled": True, "source": AWS_RULESET.source, "version": AWS_RULESET.version}}
    }
