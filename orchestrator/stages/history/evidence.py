"""Keeps an evidence bundle in the release buckets that it is about."""

from __future__ import annotations

from orchestrator.effects.aws.objects import Bucket
from orchestrator.effects.aws.session import Session
from orchestrator.model.rules.rules import Rules
from orchestrator.model.text.canonical import sha256
from orchestrator.stages.context.selection import Selection


def store(rules: Rules, selection: Selection, archive: bytes) -> list[str]:
    """Where it is then, once for each bucket: under its own hash, so that the same evidence is kept once."""
    aws = Session(rules.project.state.region)
    aws.require_account(rules.project.tooling.account)
    key = f"evidence/{sha256(archive)}.tar"
    stores = sorted({target.stores for target in selection.of(rules)}, key=lambda each: each.release_bucket)
    for each in stores:
        bucket = Bucket.of_releases(aws, each, rules.project)
        bucket.put(key, archive, if_none_match=True, lock=rules.project.state.object_lock)
    return [f"s3://{each.release_bucket}/{key}" for each in stores]
