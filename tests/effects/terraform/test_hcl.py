"""Terraform files of both syntaxes as plain values."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.effects.system.cache import Cache
from orchestrator.effects.terraform.hcl import read_file, read_root
from orchestrator.errors import InvalidInput
from orchestrator.model.tools.dialect import OPENTOFU, TERRAFORM


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


def written(root: Path, name: str, text: str) -> Path:
    (root / name).write_text(text, newline="")
    return root / name


def test_blocks_are_values(root: Path, cache: Cache) -> None:
    text = """
        terraform {
          required_providers {
            aws = {
              source = "hashicorp/aws" # a comment
            }
          }
        }
        provider "aws" {
          alias  = "a"
          region = var.region
        }
        variable "region" { type = string }
        resource "x" "y" {}
    """
    assert read_file(written(root, "main.tf", text), cache) == {
        "terraform": [{"required_providers": [{"aws": {"source": "hashicorp/aws"}}]}],
        "provider": [{"aws": {"alias": "a", "region": "${var.region}"}}],
        "variable": [{"region": {"type": "string"}}],
    }


@pytest.mark.parametrize("name", ["main.tf", "main.tf.json", "x.auto.tfvars"])
@pytest.mark.parametrize("target", ["nowhere", "main.tf", "."])
def test_a_link_that_leads_to_no_file_is_named(root: Path, cache: Cache, name: str, target: str) -> None:
    (root / name).symlink_to(name if target == "main.tf" else target)
    with pytest.raises(InvalidInput, match=rf"^{name} is not a file, or a link that leads nowhere"):
        read_file(root / name, cache)


def test_a_byte_order_mark_hides_no_block(root: Path, cache: Cache) -> None:
    """Terraform passes over it."""
    (root / "main.tf").write_bytes(b"\xef\xbb\xbf" + b'provider "aws" {}\n')
    assert read_file(root / "main.tf", cache) == {"provider": [{"aws": {}}]}
    (root / "p.tf.json").write_bytes(b"\xef\xbb\xbf" + b'{"provider": {"aws": {}}}')
    with pytest.raises(InvalidInput, match=r"p\.tf\.json is not JSON"):
        read_file(root / "p.tf.json", cache)


@pytest.mark.parametrize("character", ["\x1c", "\x0b", "\x00", "\u2028", "\x85", "\r", "\ufeff"])
def test_characters_that_end_a_heredoc_for_some_readers_only_are_refused(
    root: Path, cache: Cache, character: str
) -> None:
    text = f'locals {{\n  a = <<E\nE{character}x\nE\n}}\nprovider "aws" {{}}\n'
    with pytest.raises(InvalidInput, match=rf"line 3 holds the character U\+{ord(character):04X}"):
        read_file(written(root, "main.tf", text), cache)


def test_what_does_not_matter_may_be_anything(root: Path, cache: Cache) -> None:
    assert read_file(written(root, "main.tf", 'locals {\n  ä = "${\n1\n}"\n}\n'), cache) == {}


def test_only_the_values_asked_for_are_read(root: Path, cache: Cache) -> None:
    file = written(root, "a.tfvars", 'a = 1\nb = <<E\nx\nE\nc = [1, "x"]\nd = 012345678901\ne = "a\\"b\\u0041"\n')
    assert read_file(file, cache, ("a", "c", "d")) == {"a": 1, "c": [1, "x"], "d": 12345678901}
    assert read_file(file, cache, ("e",)) == {"e": 'a"bA'}
    assert read_file(file, cache, ("z",)) == {}


def test_a_text_that_json_cannot_unquote_stays_as_it_is(root: Path, cache: Cache) -> None:
    assert read_file(written(root, "a.tfvars", 'a = "\\U00000041"'), cache, ("a",)) == {"a": "\\U00000041"}


def test_a_second_reading_comes_from_the_cache(root: Path, cache: Cache, tmp_path: Path) -> None:
    file = written(root, "main.tf", "provider aws {}")
    assert read_file(file, cache) == {"provider": [{"aws": {}}]}
    (kept,) = (tmp_path / "cache/hcl").iterdir()
    kept.write_text('{"from": "cache"}')
    assert read_file(file, cache) == {"from": "cache"}
    assert read_file(file, cache, ("provider", "x")) == {"provider": [{"aws": {}}]}


def test_json_gives_blocks_that_are_written_twice_both(root: Path, cache: Cache) -> None:
    text = '{"provider": {"aws": {"alias": "a"}, "aws": [{"alias": "b"}]}, "provider": {"x": {}}}'
    assert read_file(written(root, "p.tf.json", text), cache) == {
        "provider": [{"aws": [{"alias": "a"}, {"alias": "b"}]}, {"x": {}}]
    }


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.tf", "provider {", r"x\.tf cannot be parsed: what begins in line 1 has no end"),
        ("x.tf", 'provider "aws" = 1', r"x\.tf cannot be parsed"),
        ("x.tf", "provider " + "{ a " * 3000 + "}" * 3000, r"x\.tf cannot be parsed"),
        ("x.tf.json", "{", r"x\.tf\.json is not JSON"),
        ("x.tf.json", "[]", r"x\.tf\.json must hold one JSON object"),
        ("x.tf.json", "[" * 100_000, r"x\.tf\.json is not JSON"),
    ],
)
def test_a_file_that_does_not_parse_is_named(root: Path, cache: Cache, name: str, text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        read_file(written(root, name, text), cache)


@pytest.mark.parametrize("name", ["x.tf", "x.tf.json"])
def test_a_file_that_is_no_utf8_is_refused(root: Path, cache: Cache, name: str) -> None:
    (root / name).write_bytes(b"# \xff\n")
    with pytest.raises(InvalidInput, match=rf"{name} "):
        read_file(root / name, cache)


def test_the_files_of_a_root_are_those_that_terraform_reads(root: Path, cache: Cache) -> None:
    for name in ("b.tf", "a.tf.json", ".hidden.tf", "c.tofu", "d.tfvars", "e.tf~", "ours.tf.json"):
        written(root, name, "{}" if name.endswith(".json") else "")
    (root / "folder.tf").mkdir()
    assert list(read_root(root, cache, dialect=TERRAFORM, skip=("ours.tf.json",))) == ["a.tf.json", "b.tf"]


def test_with_opentofu_its_own_files_stand_for_those_of_terraform(root: Path, cache: Cache) -> None:
    for name in ("a.tf", "a.tofu", "b.tf.json", "b.tofu.json", "c.tf", "c.tofu.json", "d.tofu.tf", "d.tofu"):
        written(root, name, "{}" if name.endswith(".json") else "")
    found = read_root(root, cache, dialect=OPENTOFU, skip=())
    assert list(found) == ["a.tofu", "b.tofu.json", "c.tf", "c.tofu.json", "d.tofu", "d.tofu.tf"]


def test_a_cache_that_cannot_be_written_is_none(tmp_path: Path) -> None:
    (tmp_path / "cache").touch()
    (tmp_path / "main.tf").write_text('variable "x" {}\n')
    assert read_file(tmp_path / "main.tf", Cache(tmp_path / "cache")) == {"variable": [{"x": {}}]}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.tfvars", 'password = "Quite-Plain-Words'),
        ("x.tfvars", "password = Quite-Plain-Words words"),
        ("x.tfvars", "password = = Quite-Plain-Words"),
        ("x.tfvars", "password = <<QuitePlainWords\nQuite-Plain-Words"),
        ("x.tfvars.json", '{"password": Quite-Plain-Words}'),
        ("x.tfvars.json", '{"password": "Quite-Plain-Words\\q"}'),
        ("x.tfvars.json", '{"password": "Quite-Plain-Words'),
        ("x.tfvars.json", '["Quite-Plain-Words"]'),
        ("x.tfvars.json", '{"password": ' + "7" * 5000 + "}"),
    ],
)
def test_an_error_never_quotes_the_file(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InvalidInput) as raised:
        read_file(tmp_path / name, Cache(tmp_path / "cache"), ("password",))
    assert "Quite" not in str(raised.value)
    assert "7777" not in str(raised.value)
