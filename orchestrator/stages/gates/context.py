"""What gates are asked about: facts that are read when a gate first needs them, and once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from orchestrator.errors import OrchestrateError
from orchestrator.model.ledger.ledger import History
from orchestrator.model.release.release import Release
from orchestrator.model.release.rollback import Rollback, rollback_of
from orchestrator.model.rules.config import Environment
from orchestrator.stages.gates.gate import Moment, NotAsked

if TYPE_CHECKING:
    from orchestrator.effects.git.repository import Repository, TagRef
    from orchestrator.effects.terraform.workspace import Workspace
    from orchestrator.model.approval.approval import Principal, Tally
    from orchestrator.model.audit.evidence import TagPin
    from orchestrator.model.pipeline.execution import StepExecution
    from orchestrator.model.policy.result import PolicyResult
    from orchestrator.model.release.receipt import PlanReceipt
    from orchestrator.model.release.signature import Signed
    from orchestrator.stages.context.context import ReleaseContext

RECENT = 200  # entries of a target that suffice for nearly every one
WHOLE = 1_000_000  # more than a target ever has

_T = TypeVar("_T")


class Fact(Generic[_T]):
    """A property that is read once. What reading it raised is raised again, and nobody is asked a second time."""

    def __init__(self, read: Callable[[Any], _T]) -> None:
        self.read = read
        self.__doc__ = read.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, asked: GateContext, owner: type) -> _T:
        if self.name not in asked.facts:
            try:
                asked.facts[self.name] = self.read(asked)
            except OrchestrateError as error:
                asked.facts[self.name] = error
        found = asked.facts[self.name]
        if isinstance(found, OrchestrateError):
            raise found
        return cast(_T, found)


@dataclass(frozen=True)
class Respondent:
    """Who answers to a plan, and what: `overrides` where the protection of resources is set aside."""

    principal: Principal
    reason: str
    overrides: bool


@dataclass(frozen=True)
class GateContext:
    """A release at a moment. `at` is None while its tag is resolved: nothing is asked of AWS then.

    With `acts` something follows from the answer: a tag is noted that is seen for the first time, and answers to the
    plan are copied into the chain before they are counted. Without it nothing is written anywhere.
    """

    moment: Moment
    release: Release
    repository: Repository
    at: ReleaseContext | None = None
    acts: bool = False
    respondent: Respondent | None = None
    execution: StepExecution | None = None
    judged: PolicyResult | None = None
    opened: Workspace | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    @staticmethod
    def of(
        ctx: ReleaseContext,
        moment: Moment,
        *,
        acts: bool = False,
        history: History | None = None,
        receipt: PlanReceipt | None = None,
    ) -> GateContext:
        """The history and the receipt where they are known already."""
        known = {"history": history, "receipt": receipt}
        facts = {name: value for name, value in known.items() if value is not None}
        return GateContext(moment, ctx.release, ctx.repository, ctx, acts, facts=facts)

    def when(self, moment: Moment) -> GateContext:
        """The same facts at another moment."""
        return replace(self, moment=moment)

    @property
    def ctx(self) -> ReleaseContext:
        assert self.at is not None, "a gate that is asked while a tag is resolved may not need AWS"
        return self.at

    @property
    def tag(self) -> str:
        return str(self.release.tag)

    @property
    def environment(self) -> Environment:
        return self.release.rules.environments[self.release.tag.env]

    @property
    def plan_again(self) -> str:
        return f"Run `orchestrate plan --tag {self.tag}` and review that plan."

    @property
    def plan(self) -> str:
        """The plan, for messages."""
        return f"the plan {self.receipt.digest[:16]} of {self.tag}"

    # The tag ----------------------------------------------------------------------------------------------------------

    @Fact
    def ref(self) -> TagRef:
        return self.repository.tag(self.tag)

    @Fact
    def signed(self) -> Signed | None:
        """Who signed the tag; None where the environment does not ask, or nobody did."""
        if self.environment.signature == "none":
            return None
        from orchestrator.stages.context.signed import check_signature

        return check_signature(self.repository, self.ref, self.release.rules_commit, self.environment)

    @Fact
    def var_files(self) -> tuple[str, ...]:
        """The variable files that there are; InvalidInput where the commit cannot be released to the target."""
        from orchestrator.stages.context.content import check_content

        return check_content(self.repository, self.release.commit, self.release.target)

    # What AWS knows ---------------------------------------------------------------------------------------------------

    @Fact
    def by(self) -> str:
        """Who asks. Everything that AWS is asked for comes after this: where it does not answer, it is asked once."""
        return self.ctx.identify()

    @property
    def identified(self) -> ReleaseContext:
        """The release's stores, once it is known who asks."""
        assert self.by
        return self.ctx

    @Fact
    def pin(self) -> TagPin | None:
        """As what the tag was first seen; None where it has not been."""
        ctx = self.identified
        return ctx.first_seen if self.acts else ctx.ledger.pinned(self.tag)

    @Fact
    def history(self) -> History:
        """The newest entries of the target."""
        return self.identified.chain.history

    @Fact
    def rollback(self) -> Rollback | None:
        """What the release goes back from and to, by the ledger; what ran long ago is looked for in all of it."""
        tag, commit, target = self.tag, self.release.commit, self.release.target.id
        found = rollback_of(self.history, tag, commit)
        if found is None and len(self.history.entries) >= RECENT:
            return rollback_of(self.ctx.ledger.history(target, WHOLE), tag, commit)
        return found

    @property
    def workspace(self) -> Workspace:
        """Of the target, on this machine; only where it is opened can nobody else be at work in it."""
        from orchestrator.effects.terraform.workspace import Workspace, place_of

        return self.opened or Workspace(place_of(self.release.rules.project, self.release.target, self.ctx.env), -1)

    # The plan ---------------------------------------------------------------------------------------------------------

    @Fact
    def receipt(self) -> PlanReceipt:
        """Of the newest plan of the tag; NotAsked where there is none, Refused where it is not what was stored."""
        from orchestrator.stages.context.receipts import receipt_of

        planned = self.history.newest("planned", tag=self.tag)
        if planned is None or planned.digest is None:
            raise NotAsked(
                "no plan is stored",
                f"there is no plan of {self.tag}",
                hint=f"Run `orchestrate plan --tag {self.tag}` first.",
            )
        return receipt_of(self.ctx, planned.digest)

    @Fact
    def tally(self) -> Tally:
        """What all answers to the plan come to, read anew."""
        from orchestrator.stages.context.answers import record_answers, tally

        if self.acts:
            record_answers(self.ctx, self.receipt.digest)
        return tally(self.ctx, self.receipt)
