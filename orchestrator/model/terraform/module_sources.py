"""Whether a module from outside the commit may be used: the rules allow it, and its content cannot change unseen.

Source: Terraform documentation, "Module Sources".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.errors import InvalidInput
from orchestrator.model.rules.check_settings import ModuleSource, like

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_REF = re.compile(r"[?&]ref=([^&]+)")


@dataclass(frozen=True)
class OutsideModule:
    """A module that `init` fetched. `digest` is of its package's files; `head` the commit that git has checked out."""

    address: str
    source: str
    version: str
    digest: str
    head: str | None


def is_local(source: str) -> bool:
    """Whether a source is a path within the package of the module that calls it."""
    return source.startswith(("./", "../"))


def judge(module: OutsideModule, allowed: Iterable[ModuleSource]) -> None:
    """Raises InvalidInput where the rules do not allow the module, or it may be another one tomorrow."""
    rules = [rule for rule in allowed if like(module.source, rule.source)]
    told = f"the module {module.address} comes from outside the commit: {module.source} {module.version}".rstrip()
    if not rules:
        raise InvalidInput(
            told,
            hint=f"Copy it into the repository, or allow it in policy.module_sources: {{source: {module.source}, "
            f"sha256: {module.digest}}}.",
        )
    if any(rule.sha256 == module.digest for rule in rules):
        return
    if any(rule.sha256 is None for rule in rules) and _is_commit(module):
        return
    raise InvalidInput(
        f"{told}, and its content is not pinned: its SHA-256 is {module.digest}",
        hint="Name a commit of git in its source (?ref=<40 hexadecimal digits>), or its sha256 in "
        "policy.module_sources.",
    )


def _is_commit(module: OutsideModule) -> bool:
    ref = _REF.search(module.source)
    return ref is not None and _COMMIT.fullmatch(ref[1]) is not None and ref[1] == module.head
