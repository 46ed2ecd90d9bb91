"""Terraform's dependency lock file."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.errors import InvalidInput
from orchestrator.model.terraform.provider_lock import LockedProvider, doubts, locked_versions, parse_lock_file

WRITTEN_BY_TERRAFORM = """\
# This file is maintained automatically by "terraform init".
# Manual edits may be lost in future updates.

provider "registry.terraform.io/hashicorp/aws" {
  version     = "5.100.0"
  constraints = "~> 5.0, >= 5.1.0"
  hashes = [
    "h1:edXOJWE4ORX8Fm+dpVpICzMZJat4AX0VRCAy/xkcOc0=",
    "zh:054b8dd49f0549c9a7cc27d159e45327b7b65cf404da5e5a20da154b90b8a644",
  ]
}

provider "registry.terraform.io/hashicorp/archive" {
  version = "2.7.0"
  hashes = [
    "h1:abc=",
  ]
}
"""


def test_reads_what_terraform_writes() -> None:
    aws, archive = parse_lock_file(WRITTEN_BY_TERRAFORM)
    assert aws.address == "registry.terraform.io/hashicorp/aws"
    assert aws.version == "5.100.0"
    assert aws.archives == 1
    assert len(aws.hashes) == 2
    assert archive.hashes == {"h1:abc="}


def test_versions_by_address() -> None:
    assert locked_versions(parse_lock_file(WRITTEN_BY_TERRAFORM)) == {
        "registry.terraform.io/hashicorp/aws": "5.100.0",
        "registry.terraform.io/hashicorp/archive": "2.7.0",
    }


def test_an_empty_file_locks_nothing() -> None:
    assert parse_lock_file("# nothing\n") == ()


@pytest.mark.parametrize(
    "text",
    [
        "provider {",
        'provider "a/b/c" { version = 5 }',
        'provider "a/b/c" { constraints = "1.0.0" }',
        'provider "a/b/c" {\n version = "1.0.0"\n other = "x"\n}',
        'provider "a/b/c" {\n version = "1.0.0"\n hashes = "h1:abc="\n}',
        'provider "a/b/c" {\n version = "1.0.0"\n hashes = [h1]\n}',
        'provider "a/b/c" {\n version = ["1.0.0"]\n}',
        "<<<<<<< HEAD",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"\.terraform\.lock\.hcl"):
        parse_lock_file(text)


def test_a_provider_named_twice_is_refused() -> None:
    with pytest.raises(InvalidInput, match="twice"):
        parse_lock_file('provider "a/b/c" { version = "1.0.0" }\n' * 2)


PIECES = st.sampled_from(
    ["provider", '"a/b/c"', "{", "}", "[", "]", ",", "=", "version", "hashes", '"1.0.0"', "#", "\n", " "]
)


@given(st.lists(PIECES, max_size=20).map("".join) | st.text())
def test_no_text_makes_the_parser_fail_otherwise(text: str) -> None:
    with contextlib.suppress(InvalidInput):
        parse_lock_file(text)


@pytest.mark.slow
@settings(deadline=None)  # texts by regular expressions take long to make
@given(
    st.lists(
        st.builds(
            LockedProvider,
            st.from_regex(r"[a-z]{1,5}\.io/[a-z]{1,5}/[a-z]{1,5}", fullmatch=True),
            st.from_regex(r"[0-9]\.[0-9]{1,2}\.[0-9]", fullmatch=True),
            st.frozensets(st.from_regex(r"(h1|zh):[0-9a-f]{1,6}", fullmatch=True), max_size=4),
        ),
        max_size=4,
        unique_by=lambda provider: provider.address,
    )
)
def test_what_is_written_is_what_is_read(providers: list[LockedProvider]) -> None:
    assert parse_lock_file("\n".join(map(_write, providers))) == tuple(providers)


def _write(provider: LockedProvider) -> str:
    hashes = "".join(f'    "{digest}",\n' for digest in sorted(provider.hashes))
    return f'provider "{provider.address}" {{\n  version = "{provider.version}"\n  hashes = [\n{hashes}  ]\n}}\n'


@pytest.mark.parametrize(
    ("hashes", "words"),
    [(set(), "for no platform"), ({"h1:a"}, "for one platform"), ({"h1:a", "h1:b"}, "for 2 platforms")],
)
def test_hashes_of_some_platforms_only_are_told(hashes: set[str], words: str) -> None:
    (doubt,) = doubts([LockedProvider("registry.terraform.io/hashicorp/aws", "5.100.0", frozenset(hashes))], "tofu")
    assert words in doubt
    assert "`tofu providers lock " in doubt


def test_archives_of_the_registry_hold_on_all_platforms() -> None:
    whole = LockedProvider("registry.terraform.io/hashicorp/aws", "5.100.0", frozenset({"zh:a"}))
    assert doubts([whole], "terraform") == ()


def test_lock_files_of_this_repository_hold_on_all_platforms() -> None:
    repository = Path(__file__).parents[3]
    files = [path for path in repository.glob("modules/**/.terraform.lock.hcl") if ".terraform" not in path.parts]
    assert files
    for file in files:
        assert doubts(parse_lock_file(file.read_text("utf-8")), "terraform") == (), file
