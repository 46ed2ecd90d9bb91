"""tflint's settings: which ones apply, and which plugins they ask for."""

from __future__ import annotations

import pytest

from orchestrator.errors import InvalidInput
from orchestrator.model.checks.tflint_config import AWS_RULESET, Plugin, TflintConfig, default_config, nearest

AWS = """\
plugin "aws" {
  enabled = true
  version = "0.40.0"
  source  = "github.com/terraform-linters/tflint-ruleset-aws"
}
"""


def hcl(text: str) -> TflintConfig:
    return TflintConfig(".tflint.hcl", text.encode(), ".tflint.hcl")


def test_the_nearest_settings_apply() -> None:
    files = {".tflint.hcl": b"top", "a/.tflint.json": b"a"}

    def place(folder: str) -> str | None:
        found = nearest(folder, lambda path: files.get(path))
        return found.place if found else None

    assert place("a/b") == "a/.tflint.json"
    assert place("b") == ".tflint.hcl"
    assert place("") == ".tflint.hcl"
    assert nearest("a", lambda path: None) is None


@pytest.mark.parametrize(
    "text",
    [
        AWS,
        AWS.replace("\n", " ").replace("plugin", "\nplugin"),
        f'plugin "terraform" {{\n  enabled = true\n}}\n{AWS}rule "aws_x" {{\n  enabled = true\n}}\n',
    ],
)
def test_plugins_that_settings_ask_for_are_found(text: str) -> None:
    (plugin,) = hcl(text).plugins

    assert plugin == Plugin("aws", "github.com/terraform-linters/tflint-ruleset-aws", "0.40.0")
    assert plugin.path == "github.com/terraform-linters/tflint-ruleset-aws/0.40.0/tflint-ruleset-aws"


def test_settings_in_json_are_read_alike() -> None:
    text = '{"plugin": {"aws": {"enabled": true}, "terraform": {"enabled": true}}}'

    (plugin,) = TflintConfig(".tflint.json", text.encode(), None).plugins

    assert plugin == Plugin("aws", None, None)
    assert plugin.path == "tflint-ruleset-aws"


@pytest.mark.parametrize("text", ["not json", "[]", '{"plugin": 3}', '{"plugin": {"aws": []}}'])
def test_broken_json_is_left_to_tflint(text: str) -> None:
    assert TflintConfig(".tflint.json", text.encode(), None).plugins == ()


@pytest.mark.parametrize(
    "text",
    [
        'plugin "../../evil" {\n  enabled = true\n}',
        'plugin "x" {\n  enabled = true\n  source = "../../evil"\n  version = "1"\n}',
        'plugin "x" {\n  enabled = true\n  source = "github.com/a/b"\n  version = "../../1"\n}',
    ],
)
def test_names_that_would_lead_to_another_folder_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        _ = hcl(text).plugins


@pytest.mark.parametrize("text", ['config {\n  plugin_dir = "./plugins"\n}', '{"config": {"plugin_dir": "./plugins"}}'])
def test_plugins_out_of_the_repository_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="plugin_dir"):
        hcl(text).check()


def test_a_plugin_folder_in_a_comment_is_none() -> None:
    hcl('config {\n  # plugin_dir = "x"\n}').check()


def test_the_default_settings_ask_for_what_they_are_given() -> None:
    assert default_config(None).plugins == ()
    assert default_config(AWS_RULESET).plugins == (AWS_RULESET,)
    assert default_config(Plugin("aws", None, None)).plugins == (Plugin("aws", None, None),)
