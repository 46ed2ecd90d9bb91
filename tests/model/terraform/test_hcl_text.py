"""Top-level items of HCL text."""

from __future__ import annotations

import contextlib
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.terraform.hcl_text import Unreadable, items

DECOYS = [
    '# provider "aws" {',
    '// provider "aws" {',
    '/* provider "aws" {\n*/',
    'locals {\n  a = "}"\n  b = "${"}"}"\n}',
    'a = <<EOT\nprovider "aws" {\n\t"\n  EOT2\nEOT',
    'a = <<-EOT\n  }${join("", [\n<<X\n}\nX\n])}%{ if true }"%{ endif }\n  provider "aws" {\n  EOT',
    'resource "x" "y" {\n  provider = aws.a\n  b    = {\n    "c" : [1, 2, (3)]\n  }\n}',
    'a = "\\"{ $${ %%{ $ % # // /* <<X"',
    'a = x < y ? 1 / 2 : 3 # "',
    'a = "${\n  b\n}"',
    'ä = "ü"',
    "",
    "  \t\r",
]
WANTED = ['provider "aws" {\n  alias = "a"\n}', "provider aws {}", ' provider  "x" { alias = "}" }', "provider = 1"]


@given(st.lists(st.sampled_from([*DECOYS, *WANTED])), st.sampled_from(["\n", "\r\n"]))
def test_exactly_the_items_of_the_names_are_found(parts: list[str], end: str) -> None:
    text = end.join(part.replace("\n", end) for part in parts)
    wanted = [part.replace("\n", end) for part in parts if part in WANTED]
    assert items(text, ("provider",)).replace("\r", "").split() == "\n".join(wanted).replace("\r", "").split()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('provider /* a\n */ "aws" # b\n {}', 'provider   "aws"  '),
        ('provider "aws" { # c }\n  a = "#" // d\n}', 'provider "aws" {  \n  a = "#"  \n}'),
        ("/* open", ""),
        ("providers {}\nprovider-x {}\n\nx provider {}", ""),
    ],
)
def test_comments_are_left_out(text: str, found: str) -> None:
    assert items(text, ("provider",)) == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a {\n", r"what begins in line 1 has no end: } is missing"),
        ("\n\na = [(\n]", r"line 4 has a \] that nothing opens"),
        ("}", r"line 1 has a } that nothing opens"),
        ('a = "x\ny"', r"line 1 ends within a quoted string"),
        ('a = "x', r'what begins in line 1 has no end: " is missing'),
        ('\na = "${', r"line 2 has no end"),
        ("a = <<EOT\nx\n", r"what begins in line 1 has no end: the end of a heredoc is missing"),
        ("a = <<E\u0301\nE\u0301\n", r"line 1 begins a heredoc with an unusual marker"),
        ('a = "\\\n"', r"line 1 ends within a quoted string"),
    ],
)
def test_text_that_is_no_hcl_is_refused(text: str, message: str) -> None:
    with pytest.raises(Unreadable, match=message):
        items(text, ("a",))


@given(st.text(alphabet='ab"#/*{}[]()<\n\\$%E -=', max_size=60))
def test_whatever_the_text_it_is_cut_or_refused(text: str) -> None:
    try:
        found = items(text, ("a",))
    except Unreadable:
        return
    assert all(re.match(r"\s*a\b", item) for item in [found] if item)


@pytest.mark.parametrize(
    "text", ["{" * 50_000, "#" * 2_000_000, '"${' * 30_000, "a = <<E\n" + "x\n" * 50_000, "/*" * 200_000, "<" * 100_000]
)
def test_no_text_takes_long(text: str) -> None:
    begun = time.process_time()
    with contextlib.suppress(Unreadable):
        items(text, ("a",))
    assert time.process_time() - begun < 5
