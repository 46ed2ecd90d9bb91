"""The settings of the checks and of the plan policy in `envs/<env>.yaml`, as types."""

# No `from __future__ import annotations`: see config.
import re
from datetime import date
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct, field

from orchestrator.model.rules.check_names import DEFAULT_CHECKS, Check
from orchestrator.model.rules.tag import REGION_PATTERN

CheckovSeverity: TypeAlias = Literal["critical", "high", "medium", "low"]
_Account: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9]{12}$")]
_Rule: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.*-]{1,128}$")]
_ResourceType: TypeAlias = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,127}$")]


def like(text: str, pattern: str) -> bool:
    """Whether `text` is like `pattern`, in which `*` stands for any characters and nothing else is special."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL) is not None


class Skip(Struct, frozen=True, forbid_unknown_fields=True):
    """Findings that do not count until a date, and why. One that has expired fails the check."""

    rule: Annotated[_Rule, Meta(description="The rule, such as CKV_AWS_144; `*` stands for any characters.")]
    reason: Annotated[str, Meta(min_length=1, max_length=500, description="Why; it is shown with the finding.")]
    expires: Annotated[
        str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description='The last day (UTC) of the skip: "2026-12-31".')
    ]
    path: Annotated[
        str | None, Meta(description="Only in files of this path from the top of the repository; `*` as above.")
    ] = None
    resource: Annotated[
        str | None,
        Meta(description="Only for resources of this address, such as module.logs.*: without an index, all instances."),
    ] = None

    def expired(self, today: date) -> bool:
        """A day that the calendar does not have counts as past."""
        try:
            return today > date.fromisoformat(self.expires)
        except ValueError:
            return True


class Lint(Struct, frozen=True, forbid_unknown_fields=True):
    """What fails lint: Terraform's format, its validation, and tflint's rules."""

    fail_on: Annotated[
        Literal["error", "warning", "notice"], Meta(description="Findings of this severity or a worse one fail.")
    ] = "warning"
    aws_ruleset: Annotated[
        Literal["optional", "required"],
        Meta(description="required: lint fails where tflint's AWS ruleset cannot be had; optional: it says so."),
    ] = "optional"
    skips: Annotated[list[Skip], Meta(description="Findings that do not count, each with reason and expiry.")] = field(
        default_factory=list
    )


class Scan(Struct, frozen=True, forbid_unknown_fields=True):
    """What fails scan: checkov's checks and those of the repository's own folder policies/."""

    fail_on: Annotated[
        CheckovSeverity,
        Meta(description="Failed checks of this severity or a worse one fail; one without a severity always does."),
    ] = "low"
    severities: Annotated[
        dict[_Rule, CheckovSeverity],
        Meta(description="Severity by check, as in {CKV_AWS_144: low}: checkov's free edition rates none of its own."),
    ] = field(default_factory=dict)
    inline_skips: Annotated[
        Literal["with-reason", "refused"],
        Meta(description="Whether `#checkov:skip=ID:reason` in the code counts, or no skip but those listed here."),
    ] = "with-reason"
    skips: Annotated[list[Skip], Meta(description="Findings that do not count, each with reason and expiry.")] = field(
        default_factory=list
    )


class ModuleTests(Struct, frozen=True, forbid_unknown_fields=True):
    """What fails test: a run of `terraform test`, of the root or a local module that it uses, that does not pass; and
    that there is none, where `checks.required` names test.
    """

    skips: Annotated[list[Skip], Meta(description="Findings that do not count, each with reason and expiry.")] = field(
        default_factory=list
    )


class Checks(Struct, frozen=True, forbid_unknown_fields=True):
    """Which checks a plan must have passed before it may be applied, and what fails them."""

    required: Annotated[
        list[Check], Meta(description="Apply refuses a plan of a source on which one of these has not passed.")
    ] = field(default_factory=lambda: [*DEFAULT_CHECKS])
    timeout_seconds: Annotated[int, Meta(ge=1, le=7200, description="Time limit of each run of one tool.")] = 900
    lint: Lint = field(default_factory=Lint)
    scan: Scan = field(default_factory=Scan)
    test: ModuleTests = field(default_factory=ModuleTests)


class ModuleSource(Struct, frozen=True, forbid_unknown_fields=True):
    """Modules from outside the commit that may be used."""

    source: Annotated[
        str,
        Meta(
            min_length=1,
            description="As Terraform tells it: git::https://host/repo.git?ref=*; `*` stands for any characters.",
        ),
    ]
    sha256: Annotated[
        Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")] | None,
        Meta(description="Of its files, as the refusal tells it; not needed where the source names a commit of git."),
    ] = None


class PlanPolicy(Struct, frozen=True, forbid_unknown_fields=True):
    """What a plan may do. A finding of it refuses the plan; only protected resources can be overridden, by plan."""

    max_destroys: Annotated[
        Annotated[int, Meta(ge=0)] | None, Meta(description="Most resources that one plan may destroy; none: no limit.")
    ] = None
    max_replacements: Annotated[
        Annotated[int, Meta(ge=0)] | None, Meta(description="Most resources that one plan may replace; none: no limit.")
    ] = None
    protected_types: Annotated[
        list[_ResourceType],
        Meta(description="Resource types that are never destroyed or replaced, besides those that hold data."),
    ] = field(default_factory=list)
    unprotected_types: Annotated[
        list[_ResourceType], Meta(description="Resource types that hold data and may be destroyed all the same.")
    ] = field(default_factory=list)
    protected_addresses: Annotated[
        list[str],
        Meta(
            description="Resources and modules that are never destroyed or replaced, by address: without an index all "
            "instances, a module with all that is in it; `*` stands for any characters."
        ),
    ] = field(default_factory=list)
    allowed_accounts: Annotated[
        list[_Account], Meta(description="Accounts besides the target's in which the plan may change resources.")
    ] = field(default_factory=list)
    allowed_regions: Annotated[
        list[Annotated[str, Meta(pattern=f"^{REGION_PATTERN}$")]],
        Meta(description="Regions besides the target's in which the plan may change resources."),
    ] = field(default_factory=list)
    trusted_accounts: Annotated[
        list[_Account], Meta(description="Accounts that policies may name as principals, besides the project's own.")
    ] = field(default_factory=list)
    module_sources: Annotated[
        list[ModuleSource],
        Meta(description="Modules from outside the commit that may be used; each is pinned by a commit or its sha256."),
    ] = field(default_factory=list)
    remote_states: Annotated[
        list[Annotated[str, Meta(min_length=1)]],
        Meta(
            description="Targets whose states the code may read besides its own (terraform_remote_state): "
            "network/dev-us-east-1; `*` stands for any characters."
        ),
    ] = field(default_factory=list)
    access_analyzer: Annotated[
        Literal["use", "off"], Meta(description="use: IAM Access Analyzer validates policies where AWS offers it.")
    ] = "use"
    skips: Annotated[list[Skip], Meta(description="Findings that do not count, each with reason and expiry.")] = field(
        default_factory=list
    )
