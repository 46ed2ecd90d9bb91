"""Modules from outside the commit: allowed by the rules, and pinned."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.errors import InvalidInput
from orchestrator.model.rules.check_settings import ModuleSource
from orchestrator.model.terraform.module_sources import OutsideModule, is_local, judge

COMMIT = "0123456789abcdef" * 2 + "01234567"
DIGEST = "f" * 64
GIT = OutsideModule("module.net", f"git::https://git.example.com/net.git?ref={COMMIT}", "", DIGEST, COMMIT)
REGISTRY = OutsideModule("module.vpc", "registry.terraform.io/terraform-aws-modules/vpc/aws", "5.1.2", DIGEST, None)
ALL = [ModuleSource("*")]


def test_a_local_source_is_a_path_within_the_package() -> None:
    assert is_local("./a")
    assert is_local("../a")
    assert not any(map(is_local, ("a", "/a", ".a", "a/./b")))


def test_a_commit_of_git_or_a_hash_pins_it() -> None:
    judge(GIT, [ModuleSource("git::https://git.example.com/*")])
    judge(REGISTRY, [ModuleSource("*/vpc/aws", sha256=DIGEST)])


@pytest.mark.parametrize("allowed", [[], [ModuleSource("git::https://other.example.com/*")]])
def test_what_the_rules_do_not_name_is_refused(allowed: list[ModuleSource]) -> None:
    with pytest.raises(InvalidInput, match=r"the module module\.net comes from outside the commit") as refused:
        judge(GIT, allowed)
    assert DIGEST in (refused.value.hint or "")


@pytest.mark.parametrize(
    ("module", "allowed"),
    [
        (REGISTRY, ALL),
        (REGISTRY, [ModuleSource("*", sha256="0" * 64)]),
        (GIT, [ModuleSource("*", sha256="0" * 64)]),
        (replace(GIT, head="refs/heads/main"), ALL),
        (replace(GIT, head=None), ALL),
        (replace(GIT, source="git::https://git.example.com/net.git?ref=main", head="main"), ALL),
        (replace(GIT, source="git::https://git.example.com/net.git", head=COMMIT), ALL),
        (replace(GIT, source=f"git::https://git.example.com/net.git?ref={COMMIT[:12]}", head=COMMIT[:12]), ALL),
    ],
)
def test_what_may_be_another_one_tomorrow_is_refused(module: OutsideModule, allowed: list[ModuleSource]) -> None:
    with pytest.raises(InvalidInput, match="its content is not pinned"):
        judge(module, allowed)
