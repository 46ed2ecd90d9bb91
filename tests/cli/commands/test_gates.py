"""`orchestrate gates`: why a release is stopped, in the words of the command that it stops; nothing is written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestrate_sandbox.process import Sandbox
from orchestrator.cli.main import main
from orchestrator.effects.ledger.ledger import Ledger
from orchestrator.effects.system import clock
from orchestrator.effects.terraform.workspace import suffix
from orchestrator.model.ledger.ledger import Draft, Entry
from orchestrator.model.release.receipt import PlanReceipt, StateVersion, place_of, receipt_key
from tests.support.records import ME, RULES, RecordedStores, TeamRecord, archive, with_rules

NOW_FROZEN = 'freeze: [{from: "2020-01-01", to: "2099-12-31", reason: year end}]\n'
APPROVED = "approval: {required: true}\n"
ANSWERS = {"break-glass", "override", "approver", "execution-tag", "execution-plan", "rollback-state"}
"""Gates that nobody but who answers, or a pipeline, is asked."""


@pytest.fixture(scope="module")
def kept(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordedStores]:
    with archive(tmp_path_factory.mktemp("gates") / "repo", sandbox, "gates") as made:
        yield made


@dataclass
class Gates:
    """`orchestrate` on the project; `states` are those of the gates that it told last, by name."""

    kept: RecordedStores
    capsys: pytest.CaptureFixture[str]

    def run(self, *arguments: str, code: int) -> tuple[str, str]:
        self.capsys.readouterr()
        ended = main(["--repo", str(self.kept.project.folder), *arguments])
        out, err = self.capsys.readouterr()
        assert ended == code, f"{ended}: {out}{err}"
        return str(out), str(err)

    def told(self, tag: str, code: int, *options: str) -> dict[str, dict[str, Any]]:
        out, _ = self.run("gates", "--tag", tag, "--format", "json", *options, code=code)
        return {gate["name"]: gate for gate in json.loads(out)["gates"]}


@pytest.fixture
def gates(kept: RecordedStores, capsys: pytest.CaptureFixture[str]) -> Gates:
    return Gates(kept, capsys)


@pytest.fixture
def books(kept: RecordedStores) -> TeamRecord:
    return kept.books()


def planned(books: TeamRecord, **facts: Any) -> PlanReceipt:
    """A plan that could be applied as far as the record tells: made here, for this state."""
    rules = books.archive.rules
    own = {
        "place": place_of(books.target),
        "state": StateVersion(lineage="", serial=0),
        "workspace": f"/workspaces/{suffix(rules.project, books.target)}",
    }
    return books.plan(**{**own, **facts})


def checked(books: TeamRecord) -> None:
    for check in ("lint", "scan"):
        books.add("checked", check=check, passed=True, findings=0)


def with_dev(kept: RecordedStores, dev: str) -> tuple[str, str]:
    return with_rules(kept, {"envs/dev.yaml": RULES["envs/dev.yaml"] + dev})


def in_state(told: dict[str, dict[str, Any]], state: str) -> set[str]:
    return {name for name, gate in told.items() if gate["state"] == state}


@pytest.mark.slow
def test_before_a_plan_what_needs_one_is_not_asked_yet_and_nothing_is_written(gates: Gates, books: TeamRecord) -> None:
    told = gates.told(books.tag, 0)
    assert in_state(told, "refuses") == in_state(told, "unknown") == in_state(told, "waits") == set()
    assert told["approvals"]["reason"] == told["plan-stored"]["reason"] == "not asked yet: no plan is stored"
    assert told["required-checks"]["reason"].startswith("not asked yet: `lint` has not run on commit")
    assert {"merged-commit", "pinned-tag", "promotion", "change-window"} <= in_state(told, "holds")
    assert books.items() == []
    assert books.ledger.pinned(books.tag) is None, "a tag is not noted because somebody has looked"


@pytest.mark.slow
def test_where_only_approvals_are_missing_the_release_waits(gates: Gates, books: TeamRecord) -> None:
    checked(books)
    receipt = planned(books)
    before = books.items()
    assert in_state(gates.told(books.tag, 0), "not asked") == ANSWERS
    rules = with_dev(gates.kept, APPROVED)
    told = gates.told(books.tag, 7, *rules)
    assert in_state(told, "waits") == {"approvals"}
    assert f"the plan {receipt.digest[:16]} of {books.tag} has not been approved" in told["approvals"]["reason"]
    assert told["approvals"]["hint"].startswith(f"`orchestrate approve --tag {books.tag}` approves it")
    out, _ = gates.run("gates", "--tag", books.tag, *rules, code=7)
    assert "waits      approvals" in out
    assert out.rstrip().endswith("Only approvals are missing. 6 not asked yet.")
    books.answer(receipt)
    assert in_state(gates.told(books.tag, 0, *rules), "waits") == set()
    assert books.items() == before, "an answer is not copied because somebody has looked"
    assert in_state(gates.told(books.tag, 4, *with_dev(gates.kept, NOW_FROZEN)), "refuses") == {"change-window"}


Situation = Callable[[Gates, TeamRecord], tuple[str, ...]]


def _moved(gates: Gates, books: TeamRecord) -> tuple[str, ...]:
    planned(books)
    gates.kept.project.git("tag", "--delete", books.tag)
    gates.kept.project.commit({"modules/workload/main.tf": f"# of {books.team}\n"})
    gates.kept.project.tag(books.tag)
    return ()


def _applied(gates: Gates, books: TeamRecord) -> tuple[str, ...]:
    books.add("applied", planned(books).digest, result="applied")
    return ()


def _late(gates: Gates, books: TeamRecord) -> tuple[str, ...]:
    planned(books)
    books.add_draft(Draft("applied", f"dev_us-east-1/{books.team}/1.1", books.commit, ME, "0" * 64, {}))
    return ()


def _withdrawn(gates: Gates, books: TeamRecord) -> tuple[str, ...]:
    planned(books)
    books.add_draft(Draft("planned", f"dev_us-east-1/{books.team}/1.1", books.commit, ME, "0" * 64, {}))
    return ()


def _unchecked(gates: Gates, books: TeamRecord) -> tuple[str, ...]:
    planned(books)
    books.add("checked", check="lint", passed=False, findings=1)
    return ()


def _rejected(gates: Gates, books: TeamRecord) -> tuple[str, ...]:
    checked(books)
    books.answer(planned(books), "rejected")
    return ()


def _protected(gates: Gates, books: TeamRecord) -> tuple[str, ...]:
    checked(books)
    planned(books, protected=("aws_s3_bucket.data",))
    return ()


def _elsewhere(gates: Gates, books: TeamRecord) -> tuple[str, ...]:
    checked(books)
    planned(books, place=place_of(gates.kept.books().target))
    return ()


def _expired(gates: Gates, books: TeamRecord) -> tuple[str, ...]:
    checked(books)
    planned(books, expires_at=(clock.now() - timedelta(hours=1)).isoformat())
    return ()


def _stale(gates: Gates, books: TeamRecord) -> tuple[str, ...]:
    checked(books)
    planned(books, state=StateVersion(lineage="x", serial=7))
    return ()


def _workspace(gates: Gates, books: TeamRecord) -> tuple[str, ...]:
    checked(books)
    planned(books, workspace="/etc")
    return ()


def _gone(gates: Gates, books: TeamRecord) -> tuple[str, ...]:
    books.delete(receipt_key(books.target.id, planned(books).digest))
    return ()


def _without_artefact(gates: Gates, books: TeamRecord) -> tuple[str, ...]:
    checked(books)
    books.delete(planned(books).artefact.key)
    return ()


def _pipeline(gates: Gates, books: TeamRecord) -> tuple[str, ...]:
    planned(books)
    return with_dev(gates.kept, "apply_from: pipeline\n")


def _promoted(gates: Gates, books: TeamRecord) -> tuple[str, ...]:
    planned(books)
    return _with_qa(gates.kept)


def _with_qa(kept: RecordedStores) -> tuple[str, ...]:
    """Dev takes only what has run in qa, where no team is."""
    qa = "regions: [us-east-1]\nglobal_resource_deploy_from_region: us-east-1\nteams: {x: {account: '999999999999'}}\n"
    return with_rules(kept, {"envs/dev.yaml": RULES["envs/dev.yaml"] + "promote_from: qa\n", "envs/qa.yaml": qa})


def _frozen(gates: Gates, books: TeamRecord) -> tuple[str, ...]:
    planned(books)
    return with_dev(gates.kept, NOW_FROZEN)


SITUATIONS: dict[str, Situation] = {
    "pinned-tag": _moved,
    "plan-stored": _gone,
    "apply-from": _pipeline,
    "applied-once": _applied,
    "newest-version": _late,
    "newest-plan": _withdrawn,
    "change-window": _frozen,
    "promotion": _promoted,
    "required-checks": _unchecked,
    "not-rejected": _rejected,
    "protected-resources": _protected,
    "unchanged-rules": _elsewhere,
    "plan-expiry": _expired,
    "unchanged-state": _stale,
    "plan-workspace": _workspace,
    "plan-artefact": _without_artefact,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SITUATIONS)
def test_a_gate_that_refuses_says_what_apply_says(gates: Gates, books: TeamRecord, name: str) -> None:
    assert books.tag
    options = SITUATIONS[name](gates, books)
    before = books.items()
    told = gates.told(books.tag, 4, *options)
    assert books.items() == before, "who looks changes nothing"
    refusing = [each for each in told.values() if each["state"] == "refuses"]
    assert refusing[0]["name"] == name, "the first that refuses is the one that stops the apply"
    _, err = gates.run("apply", "--tag", books.tag, *options, code=4)
    assert f"Error: {refusing[0]['reason']}" in err
    assert refusing[0]["hint"] is None or refusing[0]["hint"] in err


def test_what_aws_must_tell_is_unknown_where_aws_does_not_answer(
    gates: Gates, books: TeamRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert books.tag
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    told = gates.told(books.tag, 6)
    assert {"annotated-tag", "single-version", "merged-commit", "signature"} <= in_state(told, "holds")
    unknown = in_state(told, "unknown")
    assert {"pinned-tag", "plan-stored", "state-place", "required-checks"} <= unknown
    assert in_state(told, "refuses") == set()
    assert len({told[name]["reason"] for name in unknown}) == 1, "who does not answer is asked once"
    rules = with_dev(gates.kept, NOW_FROZEN)
    assert in_state(gates.told(books.tag, 6, *rules), "refuses") == set(), "somebody may have broken the glass"


def test_what_is_known_to_refuse_counts_more_than_what_is_not_known(
    gates: Gates, books: TeamRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    tag = f"dev_us-east-1/{books.team}/3.0"
    gates.kept.project.git("tag", tag)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    told = gates.told(tag, 4)
    assert in_state(told, "refuses") == {"annotated-tag"}
    assert "pinned-tag" in in_state(told, "unknown")


def test_a_plan_without_changes_is_recorded_by_whoever_and_needs_neither_approval_nor_workspace(
    gates: Gates, books: TeamRecord
) -> None:
    checked(books)
    receipt = planned(books, changes=False, workspace="/etc")
    books.delete(receipt.artefact.key)
    rules = with_dev(gates.kept, f"{APPROVED}apply_from: pipeline\n")
    assert in_state(gates.told(books.tag, 0, *rules), "not asked") == ANSWERS
    gates.run("apply", "--tag", books.tag, *rules, code=0)
    assert in_state(gates.told(books.tag, 4, *rules), "refuses") == {"applied-once"}


def test_who_comes_first_is_asked_for_once_more_when_the_apply_is_entered(
    gates: Gates, books: TeamRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the gates and the entry another run stores a plan of the target."""
    checked(books)
    planned(books, changes=False)
    other = Draft("planned", f"dev_us-east-1/{books.team}/1.1", books.commit, ME, "0" * 64, {})
    append, ahead = Ledger.append, [other]

    def overtaken(ledger: Ledger, target: str, *rest: Any, **named: Any) -> Entry:
        if ahead:
            append(ledger, target, lambda _: ahead.pop())
        return append(ledger, target, *rest, **named)

    monkeypatch.setattr(Ledger, "append", overtaken)
    _, err = gates.run("apply", "--tag", books.tag, code=4)
    assert "has been withdrawn: a newer plan of this target" in err
    assert "applied" not in {json.loads(item["body"]["S"])["kind"] for item in books.items()}


def test_an_override_is_for_what_is_protected(gates: Gates, books: TeamRecord) -> None:
    checked(books)
    planned(books)
    override = ("approve", "--tag", books.tag, "--override", "--reason", "it is empty", "--yes")
    assert "touches nothing that is protected" in gates.run(*override, code=4)[1]
    planned(books, protected=("aws_s3_bucket.data",))
    gates.run(*override, code=0)
    assert in_state(gates.told(books.tag, 0), "not asked") == ANSWERS


def test_a_tag_that_no_command_takes_is_explained_as_well(gates: Gates, books: TeamRecord) -> None:
    tag = f"dev_us-east-1/{books.team}/3.0"
    gates.kept.project.git("tag", tag)
    told = gates.told(tag, 4)
    assert in_state(told, "refuses") == {"annotated-tag"}
    assert "is a lightweight tag" in told["annotated-tag"]["reason"]
    assert books.items() == [], "who asks why is not recorded as refused"
    gates.told(tag, 0, *with_dev(gates.kept, "allow_lightweight_tags: true\n"))


def test_a_state_that_an_apply_here_could_not_save_is_found(
    gates: Gates, books: TeamRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORCHESTRATE_WORKSPACES", str(tmp_path))
    source = tmp_path / suffix(books.archive.rules.project, books.target) / "source"
    source.mkdir(parents=True)
    (source / "errored.tfstate").touch()
    told = gates.told(books.tag, 4)
    assert in_state(told, "refuses") == {"unsaved-state"}
    assert told["unsaved-state"]["hint"].startswith(f"`orchestrate recover --tag {books.tag}`")
    assert [path.name for path in source.rglob("*")] == ["errored.tfstate"]


def test_a_rollback_must_find_a_state_and_need_not_have_run_elsewhere(gates: Gates, books: TeamRecord) -> None:
    books.add("applied", "0" * 64, result="applied", account=books.target.account, region=books.target.region)
    place = {"account": books.target.account, "region": books.target.region}
    books.add_draft(Draft("applied", f"dev_us-east-1/{books.team}/1.1", "f" * 40, ME, "1" * 64, place))
    back = f"dev_us-east-1/{books.team}/1.2"
    gates.kept.project.git("tag", "--annotate", "--message", "Back", back, f"{books.tag}^{{commit}}")
    told = gates.told(back, 4, *_with_qa(gates.kept))
    assert in_state(told, "refuses") == {"rollback-state"}
    assert "so nothing to go back from" in told["rollback-state"]["reason"]
    assert told["promotion"]["state"] == "holds"


def test_what_is_no_tag_of_a_target_has_no_gates(gates: Gates) -> None:
    for tag in ("nonsense", "moon_us-east-1/team1/1.0", "dev_us-east-1/team1/99.0"):
        out, err = gates.run("gates", "--tag", tag, code=3)
        assert out == ""
        assert err


def test_without_a_tag_the_gates_are_listed_and_the_page_is_current(gates: Gates) -> None:
    listed = json.loads(gates.run("gates", "--format", "json", code=0)[0])["gates"]
    assert next(gate["name"] for gate in listed) == "annotated-tag"
    table, _ = gates.run("gates", "--format", "markdown", code=0)
    page = (Path(__file__).parents[3] / "docs/gates.md").read_text()
    assert table.strip() in page, "put the table of `orchestrate gates --format markdown` into docs/gates.md"
    gates.run("gates", "--tag", "x", "--format", "markdown", code=2)
