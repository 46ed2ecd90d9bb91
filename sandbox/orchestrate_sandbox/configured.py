"""The layout that a project's rules ask for."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrate_sandbox.layout import RoleSpec, SandboxLayout
from orchestrator.model.rules import tooling
from orchestrator.model.rules.rules import Rules


def layout_of(rules: Rules, *, bare: bool = False) -> SandboxLayout:
    """Every workload account of every environment, with the roles that plan and apply assume there.

    A bare one is without these roles: as accounts are before `orchestrate accounts --apply`.
    """
    project = rules.project
    accounts = sorted({team.account for env in rules.environments.values() for team in env.teams.values()})
    roles = {(account, spec.name): spec for account in accounts for spec in _roles(rules, account)}
    made = () if bare else (*roles.values(), *_session_roles(rules))
    return SandboxLayout(project.tooling.account, project.state.region, made, tuple(accounts))


def _roles(rules: Rules, account: str) -> tuple[RoleSpec, RoleSpec]:
    """Where both have the same name, the one that may do more."""
    workload = rules.project.workload
    return (
        RoleSpec(account, workload.roles.plan, "read", workload.external_id),
        RoleSpec(account, workload.roles.apply, "admin", workload.external_id),
    )


def _session_roles(rules: Rules) -> Iterator[RoleSpec]:
    """Those that Terraform's own sessions are made of, until the tooling makes them (modules/release-pipeline)."""
    for region in tooling.tooling_regions(rules):
        for pipeline in tooling.pipelines(rules, region):
            anywhere = rules.environments[pipeline.env].apply_from == "anywhere"
            kinds: tuple[tooling.RoleKind, ...] = ("people", "deploy") if anywhere else ("people",)
            yield from (RoleSpec(pipeline.account, pipeline.role_name(kind), "admin") for kind in kinds)
