"""Whatever refuses a release, the refusal is in the target's history: who, when, why; through the command line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from orchestrate_sandbox.process import Sandbox
from orchestrator.cli.main import main
from orchestrator.model.approval.approval import Answer
from orchestrator.model.ledger.ledger import Draft
from orchestrator.model.release.receipt import place_of, receipt_key
from orchestrator.model.release.rollback import Rollback
from orchestrator.release import GROUPS, StageGroup
from tests.support.emulator import enforce_policies
from tests.support.records import ALICE, ME, RULES, RecordedStores, TeamRecord, archive, with_rules

pytestmark = pytest.mark.slow

Run = Callable[..., str]

QA = """\
regions: [us-east-1]
global_resource_deploy_from_region: us-east-1
teams: {another: {account: "999999999999"}}
"""


@pytest.fixture(scope="module")
def kept(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordedStores]:
    with archive(tmp_path_factory.mktemp("refusals") / "repo", sandbox, "refusals") as made:
        yield made


@pytest.fixture
def books(kept: RecordedStores) -> TeamRecord:
    return kept.books()


@pytest.fixture
def run(kept: RecordedStores, capsys: pytest.CaptureFixture[str]) -> Run:
    def command(*arguments: str, code: int = 4) -> str:
        ended = main(["--repo", str(kept.project.folder), *arguments])
        _, err = capsys.readouterr()
        assert ended == code, err
        return str(err)

    return command


def entries(books: TeamRecord) -> list[dict[str, Any]]:
    return [json.loads(item["body"]["S"]) for item in books.items()]


@pytest.mark.slow
def test_an_apply_without_a_plan(run: Run, books: TeamRecord) -> None:
    for _ in range(3):
        run("apply", "--tag", books.tag)
    (refused,) = entries(books)
    assert (refused["kind"], refused["tag"], refused["commit"]) == ("refused", books.tag, books.commit)
    assert refused["detail"]["action"] == "apply"
    assert refused["detail"]["exit_code"] == 4
    assert "there is no plan of" in refused["detail"]["reason"]
    assert refused["by"].startswith("arn:aws:")
    run("approve", "--tag", books.tag, "--yes")
    run("apply", "--tag", books.tag)
    assert [entry["detail"]["action"] for entry in entries(books)] == ["apply", "approve", "apply"]


def test_a_plan_that_somebody_else_s_entry_withdrew(run: Run, books: TeamRecord) -> None:
    receipt = books.plan()
    books.add("applied", receipt.digest, result="applied")
    assert "applied before" in run("apply", "--tag", books.tag)
    refused = entries(books)[-1]
    assert (refused["kind"], refused["digest"]) == ("refused", receipt.digest)


@pytest.mark.slow
def test_a_rejected_plan_is_planned_anew_by_nobody_but_a_person(
    run: Run, books: TeamRecord, kept: RecordedStores
) -> None:
    receipt = books.plan()
    said = books.answer(receipt, "rejected")
    first = run("release", "--tag", books.tag)
    assert f"the plan {receipt.digest[:16]} of {books.tag} was rejected at {said.at} by {ALICE}: fine" in first
    assert f"`orchestrate plan --tag {books.tag}` makes a new plan" in first
    kept.aws.client("dynamodb").delete_item(TableName=books.table, Key=key_of(said))
    books.delete(receipt_key(books.target.id, receipt.digest), for_good=True)
    assert run("release", "--tag", books.tag) == first
    assert [entry["kind"] for entry in entries(books)] == ["planned", "rejected"]

    books.plan(planned_by=ALICE)
    approval = rules(kept, "approval: {required: true}\n")
    assert "has not been approved" in run("release", "--tag", books.tag, *approval, code=7)


def test_a_plan_that_another_tag_s_has_withdrawn_is_not_gone_on_with(
    run: Run, books: TeamRecord, kept: RecordedStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "orchestrator.release.GROUPS", [StageGroup(group.name, group.stages, lambda _: iter(())) for group in GROUPS]
    )
    assert first_stage(run("release", "--tag", books.tag, code=0)) == "checks"
    books.plan()
    approval = rules(kept, "approval: {required: true}\n")
    assert first_stage(run("release", "--tag", books.tag, *approval, code=0)) == "approve"
    books.add_draft(Draft("planned", f"dev_us-east-1/{books.team}/1.1", books.commit, ME, "0" * 64, {}))
    assert first_stage(run("release", "--tag", books.tag, *approval, code=0)) == "checks"


def first_stage(told: str) -> str:
    return told.partition("== ")[2].partition(":")[0]


@pytest.mark.slow
def test_a_plan_for_a_place_that_the_rules_have_changed_since(
    run: Run, books: TeamRecord, kept: RecordedStores
) -> None:
    plan_without_changes(books)
    elsewhere = rules(kept, "", (f'{books.team}: {{account: "0', f'{books.team}: {{account: "9'))
    refused = run("apply", "--tag", books.tag, *elsewhere)
    account = books.target.account
    assert f"the rules have changed since the plan was made: account was {account}, it is 9{account[1:]} now" in refused
    run("apply", "--tag", books.tag, code=0)


@pytest.mark.slow
def test_a_rollback_need_not_have_run_where_releases_are_promoted_from(
    run: Run, books: TeamRecord, kept: RecordedStores
) -> None:
    plan_without_changes(books)
    promoted = rules(kept, "promote_from: qa\n")
    assert "dev is promoted from qa, which does not have the team" in run("apply", "--tag", books.tag, *promoted)
    plan_without_changes(books, rollback=Rollback(f"dev_us-east-1/{books.team}/0.9", f"dev_us-east-1/{books.team}/0.8"))
    run("apply", "--tag", books.tag, *promoted, code=0)


def checked(books: TeamRecord) -> None:
    for check in ("lint", "scan"):
        books.add("checked", check=check, passed=True, findings=0)


def plan_without_changes(books: TeamRecord, **facts: Any) -> None:
    """To apply it, Terraform need not run."""
    checked(books)
    books.plan(place=place_of(books.target), changes=False, **facts)


def rules(kept: RecordedStores, dev: str, *changes: tuple[str, str]) -> tuple[str, str]:
    """The option for a clone whose protected branch has these rules of dev; its qa has a team that dev has not."""
    own = RULES["envs/dev.yaml"]
    for old, new in changes:
        own = own.replace(old, new)
    return with_rules(kept, {"envs/dev.yaml": own + dev, "envs/qa.yaml": QA})


def key_of(said: Answer) -> dict[str, Any]:
    team = said.target.partition("/")[0]
    return {"pk": {"S": f"approval#{said.user_id}#{team}"}, "sk": {"S": f"{said.digest}#{said.kind}"}}


def test_a_moved_tag(run: Run, books: TeamRecord, kept: RecordedStores) -> None:
    books.plan()
    kept.project.git("tag", "--delete", books.tag)
    kept.project.commit({"modules/workload/main.tf": f"# of {books.team}\n"})
    kept.project.tag(books.tag)
    for command in ("plan", "apply"):
        assert "has been moved" in run(command, "--tag", books.tag)
    assert "was made of commit" in run("approve", "--tag", books.tag, "--yes")
    assert [e["detail"]["action"] for e in entries(books) if e["kind"] == "refused"] == ["plan", "apply", "approve"]
    run("approve", "--tag", books.tag, "--yes", "--reject", code=0)
    books.drop({"pk": {"S": f"tag#{books.tag}"}, "sk": {"S": "pin"}})
    assert "it was planned as commit" in run("plan", "--tag", books.tag), "the chain remembers what the pin did"


def test_a_receipt_that_was_edited_or_swapped_with_another_target_s(
    run: Run, books: TeamRecord, kept: RecordedStores
) -> None:
    receipt, other = books.plan(), kept.books().plan()
    key = receipt_key(books.target.id, receipt.digest)
    for content in (receipt.encode().replace(b'"changes":true', b'"changes":false'), other.encode()):
        books.bucket.put(key, content)
        for command in ("approve", "apply"):
            assert "somebody changed it" in run(command, "--tag", books.tag, *(["--yes"] * (command == "approve")))
    forged = Draft("planned", books.tag, books.commit, ME, other.digest, {"changes": True})
    books.add_draft(forged)
    books.bucket.put(receipt_key(books.target.id, other.digest), other.encode())
    assert "was made of commit" in run("approve", "--tag", books.tag, "--yes"), "a whole receipt of another target"
    checked(books)
    assert "was made of commit" in run("apply", "--tag", books.tag)


def test_a_tag_that_is_refused_before_it_is_a_release(run: Run, books: TeamRecord, kept: RecordedStores) -> None:
    kept.project.git("tag", f"dev_us-east-1/{books.team}/3.0")
    assert "lightweight tag" in run("plan", "--tag", f"dev_us-east-1/{books.team}/3.0")
    (refused,) = entries(books)
    assert (refused["tag"], refused["detail"]["action"]) == (f"dev_us-east-1/{books.team}/3.0", "resolve")


def test_a_refusal_stands_where_it_cannot_be_recorded(
    run: Run, books: TeamRecord, kept: RecordedStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.project.git("tag", f"dev_us-east-1/{books.team}/3.0")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    err = run("plan", "--tag", f"dev_us-east-1/{books.team}/3.0")
    assert "Note: that this was refused could not be recorded" in err
    assert "lightweight tag" in err


@pytest.fixture
def reader(sandbox: Sandbox, kept: RecordedStores, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Credentials that may read everything and write nothing, and policies that count."""
    iam = kept.aws.client("iam")
    iam.create_user(UserName="reader")
    allow = {
        "Effect": "Allow",
        "Action": ["dynamodb:GetItem", "dynamodb:Query", "s3:Get*", "s3:List*", "sts:*"],
        "Resource": "*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_user_policy(UserName="reader", PolicyName="reader", PolicyDocument=policy)
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    enforce_policies(sandbox, "0")
    yield
    enforce_policies(sandbox, "inf")


def test_who_may_not_write_to_the_ledger_is_told_so(run: Run, books: TeamRecord, reader: None) -> None:
    err = run("approve", "--tag", books.tag, "--yes")
    assert "there is no plan" in err
    assert "Note: that this was refused could not be recorded: cannot write to the ledger" in err


def test_rules_that_do_not_follow_from_those_before(run: Run, books: TeamRecord, kept: RecordedStores) -> None:
    """The protected branch of the clone went back, or is another one than that of the last release."""
    here = books.plan()
    elsewhere = kept.project.git("commit-tree", "-m", "elsewhere", "HEAD^{tree}")
    books.add_draft(Draft("planned", books.tag, books.commit, ME, here.digest, {"changes": True}).under(elsewhere))

    for command in (("plan",), ("approve", "--yes"), ("apply",)):
        assert f"are not newer than those of {elsewhere[:12]}" in run(*command, "--tag", books.tag)
