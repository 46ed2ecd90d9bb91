"""What a gate is: one reason that may stop a plan, an approval or an apply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from orchestrator.errors import OrchestrateError, Refused

if TYPE_CHECKING:
    from orchestrator.stages.gates.context import GateContext

Moment: TypeAlias = Literal[
    "tag", "commit", "step", "apply step", "promote", "rollback", "release", "plan", "workspace", "init",
    "judge", "planned", "review", "approve", "break-glass", "wait", "apply", "begin",
]  # fmt: skip

MOMENTS: dict[Moment, str] = {
    "tag": "a command resolves the tag",
    "commit": "a commit without a tag is looked at: to be tagged, adopted or returned to",
    "step": "a step of the pipeline begins",
    "apply step": "the pipeline's apply step begins",
    "promote": "`orchestrate promote` tags a commit for the next environment",
    "rollback": "`orchestrate rollback` looks at an earlier release",
    "release": "`orchestrate release` begins",
    "plan": "a plan begins",
    "workspace": "the workspace of the target is opened, for a plan or an apply",
    "init": "Terraform is to be initialized, for a plan or an apply",
    "judge": "a plan has been made, before it is stored",
    "planned": "a plan has been stored",
    "review": "somebody is to answer to a plan",
    "approve": "somebody approves a plan, or overrides the protection of resources",
    "break-glass": "somebody breaks the glass",
    "wait": "a release waits for the approvals of its plan",
    "apply": "an apply begins",
    "begin": "the apply is entered in the ledger: asked once more, by the newest entries",
}
"""When gates are asked."""


@dataclass(frozen=True)
class Reason:
    """Why a gate stops a release; `error` is how that ends a command."""

    message: str
    hint: str | None = None
    error: type[OrchestrateError] = Refused

    def raised(self) -> OrchestrateError:
        return self.error(self.message, hint=self.hint)


class NotAsked(Refused):
    """What the gate is about is not there; `lacks` says what, for `orchestrate gates`."""

    def __init__(self, lacks: str, message: str | None = None, *, hint: str | None = None) -> None:
        super().__init__(message or lacks, hint=hint)
        self.lacks = lacks


@dataclass(frozen=True)
class Gate:
    """`check` answers with the reason that stops the release, None where the gate holds. It changes nothing.

    Gates are asked by `order`, so that of two reasons the same one is always told. `moments` are when it is asked:
    `orchestrate gates` asks as at the first of them. `settings` are its keys in envs/<env>.yaml.
    """

    order: int
    name: str
    moments: tuple[Moment, ...]
    holds: str
    check: Callable[[GateContext], Reason | None]
    settings: tuple[str, ...] = ()


def reason_of(error: OrchestrateError) -> Reason:
    return Reason(error.message, error.hint, type(error))
