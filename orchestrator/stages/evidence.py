"""Keeps an evidence bundle in the release buckets that it is about."""

from __future__ import annotations

from orchestrator.effects.aws import Session
from orchestrator.effects.objects import Bucket
from orchestrator.model.canonical import sha256
from orchestrator.model.rules import Rules
from orchestrator.stages.selection import Selection


def store(rules: Rules, selection: Selection, archive: bytes) -> list[str]:
    """Where it is then, once for each bucket: under its own hash, so that the same evidence is kept once."""
    aws, account = Session(rules.project.state.region), rules.project.tooling.account
    aws.require_account(account)
    key = f"evidence/{sha256(archive)}.tar"
    stores = sorted({target.stores for target in selection.of(rules)}, key=lambda each: each.release_bucket)
    for each in stores:
        bucket = Bucket(aws, each.release_bucket, each.region, account, each.env)
        bucket.put(key, archive, if_none_match=True, lock=rules.project.state.object_lock)
    return [f"s3://{each.release_bucket}/{key}" for each in stores]
