"""The plan policy: what a plan may do, judged on its JSON. Nothing here reads or writes anything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from msgspec.structs import replace

from orchestrator.model.checks.finding import Finding, Severity, clean
from orchestrator.model.policy import iam_policy
from orchestrator.model.policy.stateful import STATEFUL_TYPES
from orchestrator.model.release.rollback import Rollback
from orchestrator.model.rules.address import matches
from orchestrator.model.rules.check_settings import PlanPolicy
from orchestrator.model.terraform import planned
from orchestrator.model.terraform.planned import Json, PlannedResources, ResourceChange

PROTECTED = "plan_protected"
ROLLBACK = "plan_rollback"
OVERRIDABLE = frozenset({PROTECTED, ROLLBACK})
"""The rules that an override, bound to the plan, can set aside."""

_ARN = re.compile(r"arn:[a-z0-9-]+:[a-z0-9-]+:(?P<region>[a-z0-9-]*):(?P<account>[0-9]{12})?:.*", re.DOTALL)


@dataclass(frozen=True)
class PolicyContext:
    """What the policy knows about the target besides the plan.

    `released_before`: the ledger has a release of this target that left resources. `own_accounts`: accounts that
    policies may name, the tooling account for one.
    """

    account: str
    region: str
    released_before: bool
    own_accounts: frozenset[str] = frozenset()
    rollback: Rollback | None = None


def judge(plan: Json, policy: PlanPolicy, context: PolicyContext) -> tuple[Finding, ...]:
    """All findings; what the environment skips is decided by `check.Judge.of_policy`.

    Raises StageFailed for a plan that is incomplete or that cannot be understood.
    """
    read = planned.read(plan)
    found = [
        *_limits(read, policy),
        *_protected(read, policy, context),
        *_unmatched(read, policy),
        *_given_up(read, context),
        *_places(read, policy, context),
        *_recreated(read, context),
        *_documents(read, policy, context),
    ]
    return tuple(map(clean, found))


def _finding(rule: str, severity: Severity, message: str, change: ResourceChange | None = None) -> Finding:
    return Finding("policy", "plan policy", rule, severity, message, resource=change.address if change else None)


# Limits -------------------------------------------------------------------------------------------------------------


def _limits(plan: PlannedResources, policy: PlanPolicy) -> Iterator[Finding]:
    destroys, replacements = plan.count("destroy"), plan.count("replace")
    if policy.max_destroys is not None and destroys > policy.max_destroys:
        message = f"the plan destroys {_resources(destroys)}; policy.max_destroys is {policy.max_destroys}"
        yield replace(
            _finding("plan_destroys", "error", message), remediation="Release it in smaller steps, or raise the limit."
        )
    if policy.max_replacements is not None and replacements > policy.max_replacements:
        message = f"the plan replaces {_resources(replacements)}; policy.max_replacements is {policy.max_replacements}"
        remediation = "Release it in smaller steps, or raise the limit."
        yield replace(_finding("plan_replacements", "error", message), remediation=remediation)


def _resources(number: int) -> str:
    return "1 resource" if number == 1 else f"{number} resources"


def _protected(plan: PlannedResources, policy: PlanPolicy, context: PolicyContext) -> Iterator[Finding]:
    types = (STATEFUL_TYPES | set(policy.protected_types)) - (
        set(policy.unprotected_types) - set(policy.protected_types)
    )
    for change in plan.changes:
        named = any(_means(pattern, change) for pattern in policy.protected_addresses)
        if not change.loses_data or not (named or change.type in types):
            continue
        why = "its address is protected" if named else f"{change.type} holds what cannot be made again"
        found = _finding(PROTECTED, "critical", f"the plan would {change.action} it, and {why}", change)
        remediation = "If that is meant, override it for this plan; to keep it in AWS, use a `removed` block instead."
        yield replace(found, remediation=remediation)


def _means(pattern: str, change: ResourceChange) -> bool:
    """A resource that is moved is protected under both addresses."""
    return any(matches(address, pattern) for address in (change.address, change.previous_address) if address)


def _unmatched(plan: PlannedResources, policy: PlanPolicy) -> Iterator[Finding]:
    """A pattern with a slip of the pen protects nothing, and nobody would notice."""
    for pattern in policy.protected_addresses:
        if not any(_means(pattern, change) for change in plan.changes):
            message = f"policy.protected_addresses names {pattern}, which matches no resource of this plan"
            yield _finding("plan_protected_unmatched", "notice", message)


def _given_up(plan: PlannedResources, context: PolicyContext) -> Iterator[Finding]:
    """What came after the release that a rollback returns to may hold data by now, whatever type it is of."""
    if context.rollback is None:
        return
    for change in plan.changes:
        if change.loses_data:
            message = f"going back from {context.rollback.left} to {context.rollback.to} would {change.action} it"
            remediation = "If that is meant, override it for this plan."
            yield replace(_finding(ROLLBACK, "critical", message, change), remediation=remediation)


def _recreated(plan: PlannedResources, context: PolicyContext) -> Iterator[Finding]:
    """Everything new where something was released before: the state is not the one that release wrote."""
    creates = plan.count("create")
    if context.released_before and creates and not plan.resources_before and creates == len(plan.effective):
        message = f"the plan creates everything ({_resources(creates)}), but this target was released before"
        remediation = (
            "The state is empty: was the backend's prefix, bucket or key changed, or the state lost? Restore it."
        )
        yield replace(_finding("plan_recreates", "critical", message), remediation=remediation)


# Account and Region -------------------------------------------------------------------------------------------------


def _places(plan: PlannedResources, policy: PlanPolicy, context: PolicyContext) -> Iterator[Finding]:
    accounts = {context.account, *policy.allowed_accounts}
    regions = {context.region, *policy.allowed_regions}
    for change in plan.effective:
        wrong = [*_wrong_account(plan, change, accounts), *_wrong_region(plan, change, regions)]
        yield from (_finding(rule, "critical", message, change) for rule, message in wrong)
    used = {change.provider for change in plan.effective}
    for key in sorted(key for key, region in plan.regions.items() if region is None and key in used):
        message = f"the plan does not tell the Region of the provider {key}; only what it changes is judged by its ARNs"
        yield _finding("plan_region", "notice", message)


def _wrong_account(plan: PlannedResources, change: ResourceChange, accounts: set[str]) -> Iterator[tuple[str, str]]:
    """By its own ARN where it has one yet, and by the role that its provider is written to assume."""
    arns = [*_own_arns(change), *([plan.roles[change.provider]] if change.provider in plan.roles else [])]
    found = {match["account"] for arn in arns if (match := _ARN.fullmatch(arn)) and match["account"]}
    for account in sorted(found - accounts):
        yield "plan_account", f"the plan would {change.action} it in account {account}, which is not the target's"


def _wrong_region(plan: PlannedResources, change: ResourceChange, regions: set[str]) -> Iterator[tuple[str, str]]:
    found = {match["region"] for arn in _own_arns(change) if (match := _ARN.fullmatch(arn)) and match["region"]}
    found |= {
        str(values["region"]) for values in (change.before, change.after) if isinstance(values.get("region"), str)
    }
    if not found:
        region = plan.regions.get(change.provider)
        found = {region} if region else set()
    for region in sorted(found - regions):
        yield "plan_region", f"the plan would {change.action} it in Region {region}, which is not the target's"


def _own_arns(change: ResourceChange) -> Iterator[str]:
    for values in (change.before, change.after):
        arn = values.get("arn")
        if isinstance(arn, str):
            yield arn


# IAM ----------------------------------------------------------------------------------------------------------------


def _documents(plan: PlannedResources, policy: PlanPolicy, context: PolicyContext) -> Iterator[Finding]:
    trusted = frozenset({context.account, *context.own_accounts, *policy.trusted_accounts})
    for change in plan.effective:
        if change.action in ("create", "update", "replace"):
            for fault in iam_policy.faults(change.type, change.after, trusted):
                found = _finding(fault.rule, fault.severity, f"{fault.attribute}: {fault.message}", change)
                yield replace(found, remediation=fault.remediation)
            for attribute in iam_policy.unknown_documents(change.type, change.unknown):
                message = f"{attribute} is known only after the apply, so it was not judged"
                yield _finding("iam_unknown", "notice", message, change)
