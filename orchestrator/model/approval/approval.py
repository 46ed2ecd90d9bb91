"""Answers of people to a plan, and which of them count.

An answer is written under a key that IAM ties to the caller (`dynamodb:LeadingKeys` with `aws:userid`), so who gave it
is AWS's word, not ours. Everything here is decided anew whenever it is asked: an answer is only ever added.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import msgspec

from orchestrator.model.ledger.ledger import Draft, History
from orchestrator.model.release.receipt import PlanReceipt
from orchestrator.model.rules.check_settings import like
from orchestrator.model.rules.release_settings import Approval, People
from orchestrator.model.text.canonical import canonical_json, sha256
from orchestrator.model.text.quoting import escaped

Kind: TypeAlias = Literal["approved", "rejected", "overridden", "break-glass", "followed-up"]

SHORTEST_REASON = 20
"""Characters of a reason for breaking the glass, and of the note that follows it up."""

_SHOWN = 300  # characters of a reason in a message

# IAM Identity Center names its sessions by the user: "Identity Center user names in CloudTrail" in its User Guide.
_IDENTITY_CENTER = "AWSReservedSSO_*"


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What somebody said to exactly one plan; `by` is the caller's ARN, `user_id` its `aws:userid`.

    `notified` says who was told that the glass was broken, or why nobody could be.
    """

    version: Literal[1]
    kind: Kind
    target: str
    tag: str
    commit: str
    digest: str
    by: str
    user_id: str
    at: str
    reason: str
    notified: str = ""

    def encode(self) -> bytes:
        return canonical_json(self)

    @property
    def principal(self) -> Principal:
        return Principal(self.by, self.user_id)

    @property
    def is_plain(self) -> bool:
        """Whether all but what people say is as AWS writes it, and fit for a terminal."""
        names = (self.target, self.tag, self.commit, self.digest, self.by, self.user_id, self.at)
        return all(name.isascii() and name.isprintable() for name in names)

    @property
    def said(self) -> str:
        """The reason, fit for a terminal and not endless; empty where there is none."""
        return shown(self.reason)


def shown(reason: str) -> str:
    """What somebody says, as it is told to others."""
    return escaped(reason[:_SHOWN])


@dataclass(frozen=True)
class Principal:
    """A caller as STS names it: `arn:aws:sts::<account>:assumed-role/<role>/<session>` or an IAM user."""

    arn: str
    user_id: str = ""

    @property
    def account(self) -> str:
        return (self.arn.split(":") + [""] * 5)[4]

    @property
    def role(self) -> str | None:
        """The name of the assumed role, None for everybody else."""
        kind, _, rest = self.arn.rpartition(":")[2].partition("/")
        return rest.partition("/")[0] if kind == "assumed-role" else None

    @property
    def user(self) -> str | None:
        """The name of the IAM user."""
        kind, _, rest = self.arn.rpartition(":")[2].partition("/")
        return rest.rpartition("/")[2] if kind == "user" else None

    @property
    def name(self) -> str:
        """The session's or the user's name."""
        return self.arn.rpartition("/")[2]


@dataclass(frozen=True)
class ApprovalPolicy:
    """The rules by which the answers to one plan are judged."""

    policy: Approval
    people: People
    receipt: PlanReceipt

    def objection(self, principal: Principal) -> str | None:
        """Why this one's approval does not count."""
        if self.policy.by and not any(_is(principal, entry) for entry in self.policy.by):
            return f"{principal.arn} is none of those who may approve: {', '.join(self.policy.by)}"
        return self._duty_conflict(principal) if self.policy.separation_of_duties else None

    def heeds_pipeline(self, *, approved: bool) -> bool:
        """Whether what somebody has answered in CodePipeline is an answer to the plan; a rejection always is."""
        return self.policy.console or not approved

    def glass_objection(self, principal: Principal, reason: str) -> str | None:
        """Why this one may not act alone for that reason; whether they released does not matter then."""
        glass = self.policy.break_glass
        if glass is None:
            return "the rules of this environment name nobody who may break the glass (approval.break_glass)"
        if not any(_is(principal, entry) for entry in glass.by):
            return f"{principal.arn} is none of those who may break the glass: {', '.join(glass.by)}"
        if len(reason.strip()) < SHORTEST_REASON:
            return f"breaking the glass needs a reason, of at least {SHORTEST_REASON} characters"
        return None

    def _duty_conflict(self, principal: Principal) -> str | None:
        person = self.person(principal)
        if person is None:
            return f"it is not known which person {principal.arn} is, and duties are separated here"
        if not self._known_releasers():
            return f"it is not known who released {self.receipt.tag}, and duties are separated here"
        for name, what in {**self._claimed_releasers(), **self._known_releasers()}.items():
            if self.same(person, name):
                return f"{person} {what}, and duties are separated here"
        return None

    def person(self, principal: Principal) -> str | None:
        """The name of the person behind a session, None where nothing ties the session's name to one."""
        roles = [_IDENTITY_CENTER, *self.people.named_sessions]
        known = principal.role is not None and any(like(principal.role, role) for role in roles)
        return self._canonical(principal.name) if known else None

    def same(self, one: str, other: str) -> bool:
        """Whether two names may be one person's; without a domain to compare, `alice` may be `alice@example.com`."""
        first, second = self._canonical(one), self._canonical(other)
        if ("@" in first) != ("@" in second):
            return first.partition("@")[0] == second.partition("@")[0]
        return first == second

    def _known_releasers(self) -> dict[str, str]:
        """Persons of whom it is verified that they released, and how."""
        planner, signed = self.person(Principal(self.receipt.planned_by)), self.receipt.signed
        known = {planner: "made this plan"} if planner else {}
        return {**known, **({signed.person: "signed the tag"} if signed and signed.person else {})}

    def _claimed_releasers(self) -> dict[str, str]:
        """Persons who are said to have released: good enough to keep them from approving."""
        receipt, claimed = self.receipt, {}
        if receipt.tagger:
            claimed[receipt.tagger] = "made the tag"
        if receipt.submitted_by:
            claimed[Principal(receipt.submitted_by).name] = "started the release"
        return claimed

    def _canonical(self, name: str) -> str:
        folded = name.casefold()
        for person, others in self.people.aliases.items():
            if folded in {person.casefold(), *(other.casefold() for other in others)}:
                return person.casefold()
        return folded

    def tally(self, answers: Iterable[Answer], genuine: Callable[[Principal], bool]) -> Tally:
        """What all answers come to; `genuine` tells whether a principal's ARN and user id belong together."""
        given = sorted((a for a in answers if self._is_to_this_plan(a)), key=lambda a: (a.at, a.user_id))
        set_aside = {a: why for a in given if (why := self._doubt(a, genuine)) is not None}
        counted: list[Answer] = []
        for answer in given:
            if answer.kind == "approved" and answer not in set_aside and not self._is_among(answer, counted):
                counted.append(answer)
        broken = next((a for a in given if a.kind == "break-glass" and a not in set_aside), None)
        overrides = [a for a in given if a.kind == "overridden" and (a not in set_aside or _is_same(a, broken))]
        return Tally(
            approved=tuple(counted),
            missing=0 if broken is not None else max(0, self.policy.count - len(counted)),
            rejected=next((a for a in given if a.kind == "rejected"), None),
            overridden=overrides[0] if overrides else None,
            set_aside=set_aside,
            broken=broken,
        )

    def _is_to_this_plan(self, answer: Answer) -> bool:
        receipt = self.receipt
        here = (receipt.digest, receipt.place.target, receipt.tag, receipt.commit)
        return (answer.digest, answer.target, answer.tag, answer.commit) == here

    def _doubt(self, answer: Answer, genuine: Callable[[Principal], bool]) -> str | None:
        """A rejection counts whoever it is from: stopping is safe."""
        if answer.kind in ("rejected", "followed-up"):
            return None
        alone = answer.kind == "break-glass"
        who = answer.principal
        why = self.glass_objection(who, answer.reason) if alone else self.objection(who)
        if why is None and (alone or self._depends_on_names) and not genuine(answer.principal):
            return f"IAM does not know {answer.by} as {answer.user_id}"
        return why

    @property
    def _depends_on_names(self) -> bool:
        """Who may name the sessions of a role has many ids, and could write another person's name beside each."""
        return bool(self.policy.by) or self.policy.separation_of_duties or self.policy.count > 1

    def _is_among(self, answer: Answer, counted: Iterable[Answer]) -> bool:
        """One person under two roles is one, and so are all sessions of a role that any name may be given to."""
        return any(self.same(self._identity(answer.principal), self._identity(other.principal)) for other in counted)

    def _identity(self, principal: Principal) -> str:
        """What AWS vouches for: the person, the user or the role."""
        return (
            self.person(principal) or principal.user or (f"role {principal.role}" if principal.role else principal.arn)
        )


@dataclass(frozen=True)
class Tally:
    """What all answers to a plan come to: `missing` counts approvals, `set_aside` says why some do not count.

    `broken` is the answer of somebody who broke the glass: no approval is missing then, and no window is closed.
    """

    approved: tuple[Answer, ...]
    missing: int
    rejected: Answer | None
    overridden: Answer | None
    set_aside: Mapping[Answer, str]
    broken: Answer | None = None


def _is_same(answer: Answer, broken: Answer | None) -> bool:
    """Who broke the glass may override a protection as well, for the same plan."""
    return broken is not None and answer.principal == broken.principal


def _is(principal: Principal, entry: str) -> bool:
    """`entry` is the name of a role, or the ARN of a role or user; a path in it does not show in a session's ARN."""
    if not entry.startswith("arn:"):
        return principal.role is not None and like(principal.role, entry)
    _, _, _, _, account, resource = entry.split(":", 5)
    kind, _, path = resource.partition("/")
    name = principal.role if kind == "role" else principal.user
    return name is not None and principal.account == account and like(name, path.rpartition("/")[2])


def is_recorded(history: History, answer: Answer) -> bool:
    """Whether the target's chain holds a copy of the answer."""
    digest = sha256(answer.encode())
    return any(entry.detail.get("answer") == digest for entry in history.entries)


def copy_of(answer: Answer) -> Draft:
    """What the chain holds of an answer."""
    detail = {"reason": answer.reason, "at": answer.at, "user_id": answer.user_id, "answer": sha256(answer.encode())}
    detail |= {"notified": answer.notified} if answer.notified else {}
    return Draft(answer.kind, answer.tag, answer.commit, answer.by, answer.digest, detail)
