"""A resolved release as text, JSON and shell variables."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import asdict

from orchestrator.model.release.release import Release


def facts(release: Release) -> dict[str, object]:
    """The fields of `show --format json`."""
    target = release.target
    return {
        "tag": str(release.tag),
        "env": target.env,
        "scope": target.scope,
        "team": target.team,
        "version": str(release.tag.version),
        "commit": release.commit,
        "tag_object": release.tag_object,
        "rules_commit": release.rules_commit,
        "target": target.id,
        "account": target.account,
        "region": target.region,
        "partition": target.partition,
        "root": target.root,
        "var_files": list(release.var_files),
        "backend": asdict(target.backend),
        "stores": asdict(target.stores),
        "roles": asdict(target.roles),
    }


def as_json(release: Release) -> str:
    return json.dumps(facts(release), indent=2)


def as_env(release: Release) -> str:
    """Lines that a shell can evaluate; the names are those that buildspecs use."""
    target, backend = release.target, release.target.backend
    values = {
        "TAG": str(release.tag),
        "ENV": target.env,
        "TARGET_DEPLOYMENT_SCOPE": target.scope,
        "TEAM": target.team,
        "VERSION": str(release.tag.version),
        "COMMIT": release.commit,
        "TARGET": target.id,
        "ACCOUNT": target.account,
        "REGION": target.region,
        "PARTITION": target.partition,
        "ROOT": target.root,
        "BACKEND_BUCKET": backend.bucket,
        "BACKEND_KEY": backend.key,
        "BACKEND_REGION": backend.region,
        "BACKEND_DYNAMODB_TABLE": backend.dynamodb_table or "",
        "PLAN_ROLE": target.roles.plan,
        "APPLY_ROLE": target.roles.apply,
    }
    return "\n".join(f"{name}={shlex.quote(value)}" for name, value in values.items())


def as_text(release: Release) -> str:
    target, backend = release.target, release.target.backend
    locks = [backend.dynamodb_table and f"table {backend.dynamodb_table}", backend.use_lockfile and "lock file"]
    rows = {
        "tag": f"{release.tag} (object {release.tag_object[:12]})",
        "commit": release.commit,
        "rules": f"{release.rules_commit} (protected branch)",
        "target": f"team {target.team}, environment {target.env}, scope {target.scope}",
        "account": f"{target.account} ({target.partition}), provider Region {target.region}",
        "root": target.root,
        "variables": ", ".join(release.var_files) or "none",
        "state": f"s3://{backend.bucket}/{backend.key} ({backend.region})",
        "locks": ", ".join(lock for lock in locks if lock),
        "plan role": target.roles.plan,
        "apply role": target.roles.apply,
    }
    return "\n".join(f"{name:<11}{value}" for name, value in rows.items())


SHOW: dict[str, Callable[[Release], str]] = {"text": as_text, "json": as_json, "env": as_env}
