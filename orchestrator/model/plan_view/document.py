"""A plan's JSON, as far as a review needs it (Terraform documentation, "JSON Output Format").

Numbers keep every digit: what is no integer becomes a Decimal. What is not needed of a plan is passed over unread.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from orchestrator.errors import StageFailed
from orchestrator.model.text import decoding


class ChangeRecord(msgspec.Struct):
    """Before and after of one object; marks are true, or nested as the value is."""

    actions: list[str]
    before: Any = None
    after: Any = None
    after_unknown: Any = None
    before_sensitive: Any = None
    after_sensitive: Any = None
    replace_paths: list[list[Any]] | None = None
    importing: dict[str, Any] | None = None


class ObjectChange(msgspec.Struct):
    """A change of one resource, or what the refresh found changed."""

    address: str
    change: ChangeRecord
    mode: str = "managed"
    type: str = ""
    previous_address: str | None = None
    deposed: str | None = None
    action_reason: str | None = None


class _PlanResource(msgspec.Struct):
    mode: str = "managed"
    values: msgspec.Raw = msgspec.Raw()
    sensitive_values: Any = None


class _Module(msgspec.Struct):
    resources: list[_PlanResource] | None = None
    child_modules: list[_Module] | None = None

    def all_resources(self) -> Iterator[_PlanResource]:
        yield from self.resources or ()
        for child in self.child_modules or ():
            yield from child.all_resources()


class _Output(msgspec.Struct):
    sensitive: bool = False
    value: Any = None


class _Values(msgspec.Struct):
    root_module: _Module = msgspec.field(default_factory=_Module)
    outputs: dict[str, _Output] | None = None


class _State(msgspec.Struct):
    values: _Values | None = None


class _Variable(msgspec.Struct):
    value: Any = None


class _VariableDeclaration(msgspec.Struct):
    sensitive: bool = False


class _RootModule(msgspec.Struct):
    variables: dict[str, _VariableDeclaration] | None = None


class _PlanConfiguration(msgspec.Struct):
    root_module: _RootModule = msgspec.field(default_factory=_RootModule)


class CheckProblem(msgspec.Struct):
    message: str = ""


class CheckInstance(msgspec.Struct):
    status: str = ""
    problems: list[CheckProblem] | None = None


class _CheckAddress(msgspec.Struct):
    to_display: str = ""


class PlannedCheck(msgspec.Struct):
    """How a `check` block, a condition or a validation ended."""

    address: _CheckAddress = msgspec.field(default_factory=_CheckAddress)
    status: str = ""
    instances: list[CheckInstance] | None = None


class PlanDocument(msgspec.Struct):
    """What a review reads; everything may be missing."""

    errored: bool = False
    complete: bool = True
    resource_changes: list[ObjectChange] | None = None
    resource_drift: list[ObjectChange] | None = None
    output_changes: dict[str, ChangeRecord] | None = None
    planned_values: _Values | None = None
    prior_state: _State | None = None
    variables: dict[str, _Variable] | None = None
    configuration: _PlanConfiguration | None = None
    checks: list[PlannedCheck] | None = None

    @property
    def resources_after(self) -> int:
        """The managed resources in all modules."""
        if self.planned_values is None:
            return 0
        return sum(each.mode == "managed" for each in self.planned_values.root_module.all_resources())

    def marked(self) -> Iterator[tuple[Any, Any]]:
        """Values with the marks that say what of them is sensitive, wherever the plan holds such marks."""
        records = [each.change for each in (*(self.resource_changes or ()), *(self.resource_drift or ()))]
        for record in (*records, *(self.output_changes or {}).values()):
            yield record.before, record.before_sensitive
            yield record.after, record.after_sensitive
        states = (self.planned_values, self.prior_state.values if self.prior_state else None)
        for values in filter(None, states):
            yield from ((output.value, output.sensitive) for output in (values.outputs or {}).values())
            for resource in values.root_module.all_resources():
                if resource.sensitive_values and bytes(resource.values):
                    yield decoding.decode_exact(resource.values, object), resource.sensitive_values
        declared = self.configuration.root_module.variables if self.configuration else None
        for name, variable in (self.variables or {}).items():
            yield variable.value, bool(declared and name in declared and declared[name].sensitive)


def read(content: bytes) -> PlanDocument:
    """From `terraform show -json`; raises StageFailed for a plan that ended in an error or is incomplete."""
    decoding.allow_depth()
    try:
        document = decoding.decode_exact(content, PlanDocument)
    except RecursionError:
        raise StageFailed("the plan holds a value that is nested too deep to be read") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StageFailed(f"the plan is not of the form that is known: {error}") from None
    if document.errored:
        raise StageFailed("the plan ended in an error; it can be neither reviewed nor applied")
    if not document.complete:
        raise StageFailed("the plan leaves a part of the configuration out (-target, or actions that Terraform defers)")
    return document
