"""A release: a tag resolved to one commit, with the rules that judge it."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.model.release.signature import Signed
from orchestrator.model.rules.rules import Rules
from orchestrator.model.rules.tag import Tag
from orchestrator.model.rules.target import Target


@dataclass(frozen=True)
class Author:
    """Who made the tag: `signed` is verified, `tagger` is the mail address that the tag itself claims."""

    signed: Signed | None = None
    tagger: str | None = None


@dataclass(frozen=True)
class Release:
    """Everything after resolving works with these values; nothing looks the tag up again but to compare."""

    tag: Tag
    tag_object: str
    commit: str
    rules_commit: str
    rules: Rules
    target: Target
    var_files: tuple[str, ...]
    author: Author = Author()
