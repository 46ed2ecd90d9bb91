from __future__ import annotations

import pytest

from orchestrator.model.tools.dialect import (
    ALL_CONFIGURATION,
    ALL_TESTS,
    DIALECTS,
    OPENTOFU,
    TERRAFORM,
    serving,
    stem,
    twins,
)

FILES = ("a.tf", "a.tofu", "b.tf.json", "b.tofu.json", "c.tf", "c.tofu.json", "d.tofu.tf", ".h.tf", "e.tfvars", "f.tf~")
TESTS = ("a.tftest.hcl", "a.tofutest.hcl", "b.tftest.json", "tofutest.hcl")


def test_terraform_reads_its_own_files_alone() -> None:
    assert TERRAFORM.read((*FILES, *TESTS)) == {
        "a.tf", "b.tf.json", "c.tf", "d.tofu.tf", "a.tftest.hcl", "b.tftest.json",
    }  # fmt: skip


def test_opentofu_prefers_its_own_files() -> None:
    assert OPENTOFU.read((*FILES, *TESTS)) == {
        "a.tofu", "b.tofu.json", "c.tf", "c.tofu.json", "d.tofu.tf", "a.tofutest.hcl", "b.tftest.json",
    }  # fmt: skip


def test_endings() -> None:
    assert TERRAFORM.configuration == (".tf", ".tf.json")
    assert OPENTOFU.formatted == (".tfvars", ".tf", ".tftest.hcl", ".tofu", ".tofutest.hcl")
    assert OPENTOFU.configuration == ALL_CONFIGURATION
    assert OPENTOFU.tests == ALL_TESTS


def test_opentofu_serves_only_for_terraform() -> None:
    assert serving("terraform") == ("terraform", "tofu")
    assert serving("tofu") == ("tofu",)
    assert serving("tflint") == ("tflint",)


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("x_override.tf", "x_override"),
        ("x.tofu.json", "x"),
        ("x.tftest.hcl", "x.tftest.hcl"),
        ("README.md", "README.md"),
    ],
)
def test_the_stem_of_a_configuration_file(name: str, plain: str) -> None:
    assert stem(name) == plain


def test_names_of_a_file_in_every_language() -> None:
    assert twins("orchestrate.tf.json") == ("orchestrate.tf.json", "orchestrate.tofu.json")
    assert twins("README.md") == ("README.md",)


def test_each_program_is_found_by_its_name() -> None:
    assert {name: dialect.program for name, dialect in DIALECTS.items()} == {"terraform": "terraform", "tofu": "tofu"}
