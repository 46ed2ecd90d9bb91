"""The one view of a plan: text, markdown, HTML, JSON, the receipt and the ledger are all made from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.errors import StageFailed
from orchestrator.model.plan_view import document
from orchestrator.model.plan_view.danger import widening
from orchestrator.model.plan_view.difference import ValueDifference
from orchestrator.model.plan_view.document import ChangeRecord, ObjectChange, PlanDocument
from orchestrator.model.plan_view.masking import Secrets, inner_marks, joined
from orchestrator.model.plan_view.values import inner, known, shown, with_unknown, written
from orchestrator.model.release.receipt import PlanReceipt
from orchestrator.model.terraform.plan import Change, Summary

WIDENS = "! widens access: "
"""How the lines begin that say so."""

_ACTIONS: Mapping[tuple[str, ...], str | None] = {
    ("no-op",): None,
    ("read",): None,
    ("create",): "add",
    ("update",): "change",
    ("delete",): "destroy",
    ("forget",): "forget",
    ("delete", "create"): "replace",
    ("create", "delete"): "replace",
    ("create", "forget"): "replace",
}
# Terraform documentation, "JSON Output Format", `action_reason`.
_REASONS = {
    "replace_because_tainted": "is replaced because it was left half-made (tainted)",
    "replace_by_request": "is replaced because that was asked for (-replace)",
    "replace_by_triggers": "is replaced because of replace_triggered_by",
    "delete_because_no_resource_config": "is destroyed because it is no longer in the configuration",
    "delete_because_no_module": "is destroyed because its module is no longer in the configuration",
    "delete_because_wrong_repetition": "is destroyed because its count or for_each is gone or new",
    "delete_because_count_index": "is destroyed because its index is beyond count",
    "delete_because_each_key": "is destroyed because its key is no longer in for_each",
    "delete_because_no_move_target": "is destroyed because what it was moved to is not in the configuration",
}


@dataclass(frozen=True)
class ResourceView:
    """What happens to one resource or output, without sensitive values. `change` is what the receipt keeps of it.

    `unknown` and `sensitive` are true, or nested as the values are, as Terraform has them.
    """

    change: Change
    reason: str | None = None
    before: Any = None
    after: Any = None
    unknown: Any = None
    sensitive: Any = None


@dataclass(frozen=True)
class PlanView:
    """A plan that can be shown to anyone; `resources` are empty where it was read from a receipt.

    `drift` is what the refresh found changed outside of Terraform, `checks` the checks that did not pass.
    """

    summary: Summary
    changes: tuple[Change, ...]
    drift: tuple[Change, ...] = ()
    checks: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    resources_after: int = 0
    resources: tuple[ResourceView, ...] = field(default=(), repr=False)


def view_of(plan_json: bytes, warnings: Iterable[str] = ()) -> PlanView:
    """From `terraform show -json`, and what Terraform warned of while it planned (the plan does not hold that).

    Raises StageFailed for a plan that ended in an error, is incomplete, or does something that is not known.
    """
    plan = document.read(plan_json)
    try:
        return _View(Secrets.of(plan.marked())).of(plan, tuple(warnings))
    except RecursionError:
        raise StageFailed("the plan holds a value that is nested too deep to be shown") from None


def view_of_receipt(receipt: PlanReceipt) -> PlanView:
    """The view that was stored when the plan was made."""
    return PlanView(
        receipt.summary,
        receipt.resources,
        receipt.drift,
        receipt.failed_checks,
        receipt.warnings,
        receipt.resources_after,
    )


@dataclass(frozen=True)
class _View:
    secrets: Secrets

    def of(self, plan: PlanDocument, warnings: tuple[str, ...]) -> PlanView:
        given = plan.resource_changes or []
        resources = [found for each in given if (found := self._resource(each))]
        outputs = [found for name, each in (plan.output_changes or {}).items() if (found := self._output(name, each))]
        drift = [found.change for each in plan.resource_drift or () if (found := self._resource(each, drift=True))]
        return PlanView(
            summary=_summary(given, len(outputs)),
            changes=tuple(found.change for found in (*resources, *outputs)),
            drift=tuple(drift),
            checks=tuple(map(self._line, _failed_checks(plan))),
            warnings=tuple(map(self._line, warnings)),
            resources_after=plan.resources_after,
            resources=(*resources, *outputs),
        )

    def _line(self, text: str) -> str:
        return "\n".join(map(shown, self.secrets.text(text).split("\n")))

    def _resource(self, entry: ObjectChange, *, drift: bool = False) -> ResourceView | None:
        if entry.mode != "managed":
            return None
        action = _action(entry.change.actions)
        if action is None and not drift:
            action = "import" if entry.change.importing is not None else "move" if entry.previous_address else None
        if action is None:
            return None
        return self._view(entry, action)

    def _output(self, name: str, change: ChangeRecord) -> ResourceView | None:
        action = _action(change.actions)
        return None if action is None else self._view(ObjectChange(f"output.{name}", change), action)

    def _view(self, entry: ObjectChange, action: str) -> ResourceView:
        record = entry.change
        marks = (record.before_sensitive, record.after_sensitive)
        after = with_unknown(record.after, record.after_unknown)
        if action == "forget":
            before, after = self.secrets.pair(record.before, record.before, marks)
        else:
            before, after = self.secrets.pair(record.before, after, marks)
        reason = self._reason(entry, marks)
        lines = [*self._origin(entry), *([f"# {reason}"] if reason else [])]
        opened = widening(entry.type, before, after, created=action == "add") if action in _OPENING else ()
        lines += [f"{WIDENS}{each}" for each in opened]
        lines += ValueDifference.of(None if action == "add" else before, None if action == "destroy" else after)
        if action == "change" and before == after:
            lines.append("# nothing that is shown differs: only what is sensitive, or how it is kept")
        change = Change(self._address(entry.address), action, tuple(lines))
        return ResourceView(
            change, reason, before, known(after), record.after_unknown or {}, joined(*marks) or {}
        )  # fmt: skip

    def _address(self, address: str) -> str:
        """Only what stands in quotes is chosen by values: the rest are names of the code."""
        if "[" not in address:
            return shown(address)
        parts = address.split('"')
        return shown('"'.join(self.secrets.text(part) if at % 2 else part for at, part in enumerate(parts)))

    def _origin(self, entry: ObjectChange) -> Iterator[str]:
        """Which object it is, where the address alone does not tell."""
        if entry.deposed is not None:
            yield f"# an earlier object that is still to be destroyed (deposed {shown(entry.deposed)})"
        if entry.previous_address:
            yield f"# moved from {self._address(entry.previous_address)}"
        if entry.change.importing is not None:
            imported = entry.change.importing
            told = imported.get("id", imported.get("identity"))
            text = "known after apply" if told is None else written(told) if isinstance(told, str) else str(told)
            yield f"# imported as {self._line(text)}"

    def _reason(self, entry: ObjectChange, marks: tuple[Any, Any]) -> str | None:
        parts = [_REASONS[entry.action_reason]] if entry.action_reason in _REASONS else []
        paths = [self.secrets.text(_path(path, marks)) for path in entry.change.replace_paths or ()]
        if paths:
            parts.append(f"forces replacement: {', '.join(dict.fromkeys(paths))}")
        elif entry.action_reason == "replace_because_cannot_update":
            parts.append("forces replacement: the provider does not say what")
        return "; ".join(parts) or None


_OPENING = frozenset({"add", "change", "replace"})


def _action(actions: Sequence[str]) -> str | None:
    """None for what changes nothing; raises StageFailed for an action that is not known."""
    try:
        return _ACTIONS[tuple(actions)]
    except KeyError:
        raise StageFailed(f"the plan holds an action that is not known: {', '.join(actions)}") from None


def _summary(given: Sequence[ObjectChange], outputs: int) -> Summary:
    managed = [each for each in given if each.mode == "managed"]
    actions = [_action(each.change.actions) for each in managed]
    counts = {kind: actions.count(kind) for kind in ("add", "change", "destroy", "replace", "forget")}
    return Summary(
        **counts,
        import_=sum(each.change.importing is not None for each in managed),
        move=sum(each.previous_address is not None for each in managed),
        outputs=outputs,
    )


def _path(path: Sequence[Any], marks: tuple[Any, Any]) -> str:
    """The path, up to where the keys themselves are sensitive."""
    text = ""
    for key in path:
        if True in marks:
            break
        text, marks = inner(text, key), inner_marks(marks, key)
    return text or "value"


def _failed_checks(plan: PlanDocument) -> Iterator[str]:
    """Those that failed, ended in an error, or cannot be told before the apply, with what they say."""
    for each in plan.checks or ():
        if each.status in ("fail", "error"):
            told = [p.message for instance in each.instances or () for p in instance.problems or () if p.message]
            yield f"{each.address.to_display}: {'; '.join(told) or each.status}"
        elif each.status == "unknown" and each.address.to_display.startswith("check."):
            yield f"{each.address.to_display}: known only after the apply"
