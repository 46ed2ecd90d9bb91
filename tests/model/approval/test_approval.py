"""Whose answers to a plan count."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator.model.approval.approval import Answer, ApprovalPolicy, Kind, Principal, Tally, copy_of, is_recorded
from orchestrator.model.ledger.ledger import History, Stamp, following
from orchestrator.model.release.receipt import Artefact, Place, PlanReceipt, StateVersion
from orchestrator.model.release.signature import Signed
from orchestrator.model.rules.release_settings import Approval, BreakGlass, People
from orchestrator.model.terraform.plan import Summary
from orchestrator.model.text import decoding

TOOLING = "000000000000"
TAG = "prod_global/research/1.0"
PLACE = Place("research/prod-global", "3", "us-east-1", "aws", ".", "b", "k", "us-east-1", "p", "a")
MACHINE = f"arn:aws:sts::{TOOLING}:assumed-role/acme-tf-prod-plan/AWSCodeBuild-1"


def session(role: str, name: str, account: str = TOOLING) -> str:
    return f"arn:aws:sts::{account}:assumed-role/{role}/{name}"


def sso(name: str, permission_set: str = "Approvers") -> str:
    return session(f"AWSReservedSSO_{permission_set}_0123456789abcdef", name)


def receipt(
    planned_by: str = MACHINE,
    signer: str | None = "rita@example.com",
    tagger: str | None = None,
    submitted_by: str | None = None,
) -> PlanReceipt:
    return PlanReceipt(
        version=1,
        tag=TAG,
        tag_object="o",
        commit="c",
        rules_commit="r",
        place=PLACE,
        var_files={},
        program="terraform 1.11.4",
        lock_file=None,
        providers={},
        checks={},
        artefact=Artefact("b", "k", "0", 1),
        plan_json="0",
        state=StateVersion("", 0),
        summary=Summary(),
        changes=True,
        resources=(),
        resources_after=1,
        protected=(),
        rollback=None,
        workspace="/w",
        planned_at="2026-01-01T00:00:00+00:00",
        expires_at="2026-01-02T00:00:00+00:00",
        planned_by=planned_by,
        signed=Signed("gpg", signer, "k", signer) if signer else None,
        tagger=tagger,
        submitted_by=submitted_by,
    )


def judge(
    policy: Approval | None = None, people: People | None = None, plan: PlanReceipt | None = None
) -> ApprovalPolicy:
    return ApprovalPolicy(policy or Approval(required=True), people or People(), plan or receipt())


SEPARATED = Approval(required=True, separation_of_duties=True)


def answer(
    by: str, kind: Kind = "approved", plan: PlanReceipt | None = None, at: str = "2026-01-01T01:00:00"
) -> Answer:
    made = plan or receipt()
    user_id = f"AROA{abs(hash(by))}:{Principal(by).name}"
    return Answer(1, kind, made.place.target, made.tag, made.commit, made.digest, by, user_id, at, "")


def tally(by: ApprovalPolicy, *answers: Answer, genuine: Callable[[Principal], bool] = lambda _: True) -> Tally:
    return by.tally(answers, genuine)


@pytest.mark.parametrize(
    ("console", "approved", "heeded"),
    [(True, True, True), (True, False, True), (False, True, False), (False, False, True)],
)
def test_approvals_in_the_pipeline_count_where_they_may_and_rejections_always(
    console: bool, approved: bool, heeded: bool
) -> None:
    by = judge(Approval(required=True, console=console))
    assert by.heeds_pipeline(approved=approved) == heeded


# Who may approve ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "arn", "allowed"),
    [
        ("Approvers", session("Approvers", "alice"), True),
        ("Approvers", session("approvers", "alice"), False),
        ("Approvers", session("ApproversToo", "alice"), False),
        ("Approvers", session("Other", "Approvers"), False),
        ("Approvers", f"arn:aws:iam::{TOOLING}:user/Approvers", False),
        ("AWSReservedSSO_Approvers_*", sso("alice"), True),
        (f"arn:aws:iam::{TOOLING}:role/Approvers", session("Approvers", "alice"), True),
        (f"arn:aws:iam::{TOOLING}:role/a/path/Approvers", session("Approvers", "alice"), True),
        (f"arn:aws:iam::{TOOLING}:role/Approvers", session("Approvers", "alice", "1" * 12), False),
        (f"arn:aws:iam::{TOOLING}:user/al*", f"arn:aws:iam::{TOOLING}:user/path/alice", True),
        (f"arn:aws:iam::{TOOLING}:user/al*", session("alice", "alice"), False),
        (f"arn:aws:iam::{TOOLING}:role/root", f"arn:aws:iam::{TOOLING}:root", False),
    ],
)
def test_only_those_who_are_listed_may_approve(entry: str, arn: str, allowed: bool) -> None:
    objection = judge(Approval(required=True, by=["Nobody", entry])).objection(Principal(arn))
    assert objection is None if allowed else objection == f"{arn} is none of those who may approve: Nobody, {entry}"


def test_without_a_list_anyone_may_approve() -> None:
    assert judge().objection(Principal(session("Any", "thing"))) is None
    assert judge().objection(Principal("nonsense")) is None


# Separation of duties -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arn", [session("Approvers", "alice"), f"arn:aws:iam::{TOOLING}:user/alice", f"arn:aws:iam::{TOOLING}:root", "x"]
)
def test_somebody_of_whom_it_is_not_known_who_they_are_cannot_approve_where_duties_are_separated(arn: str) -> None:
    objection = judge(SEPARATED).objection(Principal(arn))
    assert objection == f"it is not known which person {arn} is, and duties are separated here"


def test_sessions_of_identity_center_and_of_roles_that_tie_them_to_people_are_persons() -> None:
    by = judge(SEPARATED, People(named_sessions=["Release*"]))
    assert by.objection(Principal(sso("alice@example.com"))) is None
    assert by.objection(Principal(session("ReleaseApprovers", "alice"))) is None
    assert by.objection(Principal(session("Approvers", "alice"))) is not None


@pytest.mark.parametrize(
    ("plan", "what"),
    [
        (receipt(signer="alice@example.com"), "signed the tag"),
        (receipt(signer="ALICE@example.com"), "signed the tag"),
        (receipt(planned_by=sso("alice@example.com"), signer=None), "made this plan"),
        (receipt(planned_by=sso("Alice@Example.com", "Developers")), "made this plan"),
        (receipt(tagger="alice@example.com"), "made the tag"),
        (receipt(submitted_by=sso("alice@example.com", "Developers")), "started the release"),
        (receipt(tagger="rita@example.com", submitted_by=sso("alice@example.com")), "started the release"),
        (receipt(tagger="alice@example.com", submitted_by=sso("rita@example.com")), "made the tag"),
        (receipt(submitted_by="alice"), "started the release"),
        (receipt(submitted_by=session("Any", "alice")), "started the release"),
        (receipt(signer="alice"), "signed the tag"),
    ],
)
def test_who_released_cannot_approve_where_duties_are_separated(plan: PlanReceipt, what: str) -> None:
    alice = Principal(sso("alice@example.com"))
    assert judge(SEPARATED, plan=plan).objection(alice) == f"alice@example.com {what}, and duties are separated here"
    assert judge(plan=plan).objection(alice) is None


def test_somebody_else_can() -> None:
    plan = receipt(sso("rita@example.com"), "rita@example.com", "rita@example.com", sso("rita@example.com"))
    assert judge(SEPARATED, plan=plan).objection(Principal(sso("alice@example.com"))) is None
    assert judge(SEPARATED, plan=receipt(signer="alice@elsewhere.com")).objection(Principal(sso("alice@a.com"))) is None


def test_nobody_can_where_it_is_not_known_who_released() -> None:
    plan = receipt(signer=None, tagger="rita@example.com", submitted_by=sso("rita@example.com"))
    objection = judge(SEPARATED, plan=plan).objection(Principal(sso("alice@example.com")))
    assert objection == f"it is not known who released {TAG}, and duties are separated here"


def test_a_signature_of_a_key_that_several_have_tells_of_nobody() -> None:
    plan = receipt()
    shared = Signed("ssh", "rita,alice", "k", None)
    judged = judge(
        SEPARATED, plan=type(plan)(**{**{f: getattr(plan, f) for f in plan.__struct_fields__}, "signed": shared})
    )
    assert "not known who released" in str(judged.objection(Principal(sso("bob@example.com"))))


def test_aliases_are_one_person() -> None:
    people = People(aliases={"alice": ["alice@example.com", "asmith"], "bob": ["bob@example.com"]})
    by = judge(SEPARATED, people, receipt(signer="ASmith"))
    assert "signed the tag" in str(by.objection(Principal(sso("alice@example.com"))))
    assert by.objection(Principal(sso("bob@example.com"))) is None
    assert by.person(Principal(sso("asmith"))) == "alice"


# What all answers come to ---------------------------------------------------------------------------------------------


def test_one_approval_is_enough_where_one_is_asked_for() -> None:
    found = tally(judge(), answer(sso("alice")))
    assert (len(found.approved), found.missing, found.rejected, found.set_aside) == (1, 0, None, {})
    assert tally(judge()).missing == 1


def test_one_rejection_ends_the_plan_whoever_it_is_from() -> None:
    rejected = answer(session("Nobody", "x"), "rejected")
    by = judge(Approval(required=True, by=["Approvers"], separation_of_duties=True))
    assert tally(by, answer(sso("alice")), rejected, genuine=lambda _: False).rejected == rejected


def test_an_answer_to_another_plan_does_not_count() -> None:
    other = answer(sso("alice"), plan=receipt(tagger="somebody@example.com"))
    assert tally(judge(), other).missing == 1
    assert tally(judge(), answer(sso("alice"), "rejected", receipt(tagger="x@y"))).rejected is None
    for field in ("target", "tag", "commit"):
        good = answer(sso("alice"))
        bad = Answer(**{**{name: getattr(good, name) for name in good.__struct_fields__}, field: "other"})
        assert tally(judge(), bad).missing == 1


def test_an_approval_that_does_not_count_is_set_aside_with_its_reason() -> None:
    given_by_mallory = answer(session("Developers", "mallory"))
    found = tally(judge(Approval(required=True, by=["Approvers"])), given_by_mallory)
    assert found.missing == 1
    assert "is none of those who may approve" in found.set_aside[given_by_mallory]


def test_a_name_that_iam_does_not_know_under_that_id_is_set_aside() -> None:
    forged = answer(session("Approvers", "mallory"))
    by = judge(Approval(required=True, by=["Approvers"]))
    assert (
        tally(by, forged, genuine=lambda _: False).set_aside[forged]
        == f"IAM does not know {forged.by} as {forged.user_id}"
    )
    assert tally(judge(SEPARATED), answer(sso("alice")), genuine=lambda _: False).missing == 1
    assert tally(judge(), forged, genuine=lambda _: False).missing == 0, "names decide nothing here"


TWO = Approval(required=True, count=2)


@pytest.mark.parametrize(
    ("first", "second", "missing"),
    [
        (sso("alice"), sso("bob"), 0),
        (sso("alice"), sso("alice", "Admins"), 1),
        (sso("alice"), sso("alice@example.com", "Admins"), 1),
        (session("Approvers", "one"), session("Approvers", "two"), 1),
        (session("Approvers", "one"), session("Others", "one"), 0),
        (f"arn:aws:iam::{TOOLING}:user/alice", f"arn:aws:iam::{TOOLING}:user/bob", 0),
        (f"arn:aws:iam::{TOOLING}:user/alice", sso("alice"), 1),
        (f"arn:aws:iam::{TOOLING}:root", f"arn:aws:iam::{TOOLING}:root", 1),
    ],
)
def test_two_approvals_are_of_two_people(first: str, second: str, missing: int) -> None:
    found = tally(judge(TWO), answer(first), answer(second))
    assert found.missing == missing
    assert len(found.approved) == 2 - missing


def test_one_who_may_name_their_sessions_is_not_two_people_by_writing_another_name_beside_each() -> None:
    """Each session has an id of its own, so IAM lets them write two answers; the names in them are their own choice."""
    honest, forged = answer(session("Approvers", "one")), answer(session("Others", "two"))
    found = tally(judge(TWO), honest, forged, genuine=lambda principal: principal == honest.principal)
    assert (found.missing, list(found.set_aside)) == (1, [forged])


def test_an_override_counts_from_one_who_may_approve() -> None:
    by = judge(Approval(required=True, by=["Approvers"]))
    good, bad = answer(session("Approvers", "a"), "overridden"), answer(session("Others", "a"), "overridden")
    assert tally(by, bad).overridden is None
    assert tally(by, bad, good).overridden == good
    assert tally(by, good).missing == 1, "an override is not an approval"


# Breaking the glass ---------------------------------------------------------------------------------------------------

GLASS = BreakGlass(by=["AWSReservedSSO_OnCall_*"], notify="arn:aws:sns:us-east-1:000000000000:glass")
REASON = "orders are lost, nobody is awake"


def glass(by: str, reason: str = REASON, kind: Kind = "break-glass") -> Answer:
    return replace(answer(by, kind), reason=reason)


def with_glass(separation: bool = False) -> ApprovalPolicy:
    return judge(Approval(required=True, count=2, by=["Approvers"], separation_of_duties=separation, break_glass=GLASS))


def test_who_may_break_the_glass_needs_nobody_else() -> None:
    broken = glass(sso("olga", "OnCall"))
    found = tally(with_glass(separation=True), broken)
    assert (found.broken, found.missing, found.approved) == (broken, 0, ())
    assert tally(with_glass(), broken, answer(sso("x"), "rejected")).rejected is not None, "a rejection still ends it"


@pytest.mark.parametrize(
    ("by", "reason", "why"),
    [
        (sso("olga", "Approvers"), REASON, "is none of those who may break the glass: AWSReservedSSO_OnCall_*"),
        (sso("olga", "OnCall"), " " * 30 + "now!", "needs a reason, of at least 20 characters"),
    ],
)
def test_who_may_not_or_says_not_why_breaks_nothing(by: str, reason: str, why: str) -> None:
    broken = glass(by, reason)
    found = tally(with_glass(), broken)
    assert (found.broken, found.missing) == (None, 2)
    assert why in found.set_aside[broken]


def test_without_the_rule_there_is_no_glass() -> None:
    broken = glass(sso("olga", "OnCall"))
    assert "name nobody who may break the glass" in tally(judge(), broken).set_aside[broken]


def test_the_name_of_who_breaks_it_is_always_asked_of_iam() -> None:
    broken = glass(sso("olga", "OnCall"))
    assert tally(judge(Approval(required=True, break_glass=GLASS)), broken, genuine=lambda _: False).broken is None


def test_who_breaks_the_glass_may_override_a_protection_too_but_only_they() -> None:
    broken, own = glass(sso("olga", "OnCall")), glass(sso("olga", "OnCall"), kind="overridden")
    assert tally(with_glass(), broken, own).overridden == own
    assert tally(with_glass(), own).overridden is None, "without breaking it they are nobody"
    assert tally(with_glass(), broken, glass(sso("omar", "OnCall"), kind="overridden")).overridden is None
    assert tally(with_glass(), broken).overridden is None


def test_a_follow_up_approves_nothing() -> None:
    note = glass(sso("alice"), kind="followed-up")
    found = tally(judge(), note)
    assert (found.missing, found.broken, found.set_aside) == (1, None, {})


names = st.sampled_from(["alice", "bob", "carol", "alice@example.com", "bob@example.com"])
answers = st.lists(
    st.builds(lambda name, role: answer(session(role, name)), names, st.sampled_from(["A", "B"])), max_size=6
)


@given(answers, st.integers(1, 4))
def test_more_answers_never_make_fewer_approvals_and_order_does_not_matter(given_: list[Answer], count: int) -> None:
    by = judge(Approval(required=True, count=count), People(named_sessions=["A"]))
    whole = tally(by, *given_)
    assert whole.approved == tally(by, *reversed(given_)).approved
    assert whole.missing == max(0, count - len(whole.approved))
    for index in range(len(given_)):
        assert len(tally(by, *given_[:index]).approved) <= len(whole.approved)


def test_an_answer_is_kept_as_it_was_given() -> None:
    said = answer(sso("alice"), "overridden")
    assert decoding.decode(said.encode(), Answer) == said


def test_what_people_say_cannot_move_the_terminal_of_others_or_fill_it() -> None:
    said = msgspec.structs.replace(answer(sso("alice")), reason="fine\x1b[2J\n" + "x" * 1000)
    assert said.is_plain
    assert said.said.startswith("fine\\x1b[2J\\nxxx")
    assert len(said.said) < 320
    assert not msgspec.structs.replace(said, by="arn:\u202ealice").is_plain


def test_the_copy_in_the_chain_is_known_again() -> None:
    said, other = answer(sso("alice")), answer(sso("bob"))
    entry = following(None, said.target, Stamp("2026-01-01T02:00:00+00:00", "i"), copy_of(said))
    assert (entry.kind, entry.by, entry.digest, entry.detail["at"]) == ("approved", said.by, said.digest, said.at)
    assert is_recorded(History([entry]), said)
    assert not is_recorded(History([entry]), other)


def test_what_was_told_stands_in_the_copy_and_old_answers_keep_their_hash() -> None:
    said = replace(answer(sso("olga")), kind="break-glass", notified="a topic, message 1")
    assert copy_of(said).detail["notified"] == "a topic, message 1"
    assert b"notified" not in answer(sso("alice")).encode()
    assert "notified" not in copy_of(answer(sso("alice"))).detail
