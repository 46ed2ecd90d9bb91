"""Gives Terraform a session of its own, with which its code reaches one target's state and role, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from orchestrator.effects.aws.narrowed import first_possible, kept_in, without_keys
from orchestrator.effects.terraform.terraform import Terraform
from orchestrator.errors import Refused
from orchestrator.model.rules.backend import Backend
from orchestrator.model.rules.check_settings import like
from orchestrator.model.rules.target import all_targets
from orchestrator.model.terraform.session_policy import session_policy, session_roles
from orchestrator.stages.context.context import ReleaseContext

_LONGEST_NAME = 64


@contextmanager
def narrowed(ctx: ReleaseContext, terraform: Terraform, *, apply: bool = False) -> Iterator[Terraform]:
    """The same Terraform with narrowed credentials, for as long as the context lasts; it tells as Terraform does.

    Where no role can be had for it, says so and leaves it our own credentials; with `terraform.session: required`
    raises Refused. Where `workload.unmanaged_providers` keeps credentials as written, they need ours.
    """
    release, settings = ctx.release, ctx.release.rules.project.terraform
    if release.rules.project.workload.unmanaged_providers:
        terraform.progress(
            "Warning: workload.unmanaged_providers lets the code of this release work with your credentials"
        )
        yield terraform
        return
    caller = ctx.identify()
    roles = session_roles(release.rules, release.target, caller, apply=apply)
    policy = session_policy(release.rules, release.target, _readable(ctx), apply=apply)
    wanted = first_possible(ctx.aws, roles, _name(caller), policy)
    if wanted is None:
        why = f"no role can be taken for a session of Terraform's own ({', '.join(roles)})"
        if settings.session == "required":
            raise Refused(why, hint="Apply the tooling (`orchestrate tooling`), which makes these roles.")
        terraform.progress(f"Warning: {why}: the code of this release works with your credentials")
        yield terraform
        return
    with kept_in(terraform.workspace.run, ctx.aws, wanted) as found:
        yield replace(terraform, env={**without_keys(terraform.env), **found})


def _readable(ctx: ReleaseContext) -> list[Backend]:
    """States of others that the rules let this environment's code read."""
    rules = ctx.release.rules
    patterns = rules.environments[ctx.release.tag.env].policy.remote_states
    return [t.backend for t in all_targets(rules) if any(like(t.id, pattern) for pattern in patterns)]


def _name(caller: str) -> str:
    """CloudTrail then shows who it was."""
    return re.sub(r"[^A-Za-z0-9_+=,.@-]", "-", caller.rpartition("/")[2])[:_LONGEST_NAME].ljust(2, "-")
