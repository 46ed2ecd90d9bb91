"""`orchestrate history`, in the test's own process, over a record that was written without Terraform."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from orchestrate_sandbox.process import Sandbox
from orchestrator.cli.main import main
from orchestrator.model.approval.approval import copy_of
from orchestrator.model.ledger.ledger import Draft
from tests.support.records import ALICE, ME, RULES, RecordedStores, TeamRecord, archive

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def kept(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordedStores]:
    with archive(tmp_path_factory.mktemp("history") / "repo", sandbox, "history") as made:
        yield made


@pytest.fixture
def books(kept: RecordedStores) -> TeamRecord:
    made = kept.books()
    made.release()
    return made


class HistoryCommand:
    """`orchestrate history` for one team."""

    def __init__(self, books: TeamRecord, capsys: pytest.CaptureFixture[str]) -> None:
        self.books, self.capsys, self.err = books, capsys, ""

    def __call__(self, *arguments: str, code: int = 0) -> str:
        where = ("--repo", str(self.books.archive.project.folder))
        ended = main(["history", *where, *arguments])
        out, self.err = self.capsys.readouterr()
        assert ended == code, self.err
        return out

    def json(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        return dict(json.loads(self("--team", self.books.team, "--format", "json", *arguments, code=code)))


@pytest.fixture
def run(books: TeamRecord, capsys: pytest.CaptureFixture[str]) -> HistoryCommand:
    return HistoryCommand(books, capsys)


def test_what_happened_is_told_with_who_when_summary_and_links(run: HistoryCommand, books: TeamRecord) -> None:
    found = run.json()
    kinds = ["checked", "planned", "approved", "applying", "applied"]
    assert [entry["kind"] for entry in found["entries"]] == kinds
    planned = found["entries"][1]
    assert planned["by"] == ME
    assert planned["commit"] == books.commit
    assert planned["summary"] == "1 to add, 0 to change, 0 to destroy, 0 to replace"
    assert planned["links"] == {"receipt": f"s3://history-releases-dev/{planned['detail']['receipt']}"}
    assert [entry["hash"] for entry in found["entries"][:-1]] == [entry["previous"] for entry in found["entries"][1:]]
    assert (found["more"], run.err) == (False, "")
    text = run("--team", books.team, "--scope", "us-east-1").splitlines()
    assert text[0].split() == ["AT", "TAG", "WHAT", "COMMIT", "PLAN", "BY", "SUMMARY"]
    assert [line.split()[2] for line in text[1:]] == kinds
    assert "lint passed" in text[1]


def test_a_tag_a_time_and_a_number_choose(run: HistoryCommand, books: TeamRecord) -> None:
    assert len(run.json("--tag", books.tag)["entries"]) == 5
    assert run.json("--tag", f"dev_us-east-1/{books.team}/9.9")["entries"] == []
    assert run.json("--tag", "no tag at all")["entries"] == []
    assert len(run.json("--since", "1h")["entries"]) == 5
    assert run.json("--since", "2999-01-01")["entries"] == []
    newest = run.json("--limit", "2")
    assert [entry["kind"] for entry in newest["entries"]] == ["applying", "applied"]
    assert newest["more"]
    assert "--limit 2" in run.err
    run("--since", "yesterday", code=2)
    run("--team", "nobody", code=3)


def test_an_answer_is_told_once_wherever_it_stands(run: HistoryCommand, books: TeamRecord) -> None:
    """Given in the ledger, copied into the chain, and reported by CodePipeline once more."""
    receipt = books.plan(resources_after=2)
    said = books.answer(receipt)
    (waiting,) = run.json()["entries"][6:]
    assert (waiting["kind"], waiting["by"], waiting["seq"], waiting["hash"]) == ("approved", ALICE, None, None)
    books.add_draft(copy_of(said))
    (copied,) = run.json()["entries"][6:]
    assert copied["seq"] == 7
    books.add_draft(copy_of(msgspec.structs.replace(said, user_id="")))
    assert [entry["seq"] for entry in run.json()["entries"]] == [1, 2, 3, 4, 5, 6, 7]


def test_a_record_in_order_is_verified(run: HistoryCommand, books: TeamRecord) -> None:
    found = run.json("--verify")
    assert found["result"] == "clean"
    (kept,) = [each for each in found["targets"] if each["entries"]]
    assert (kept["target"], kept["entries"], kept["anchors"]) == (books.target.id, 5, 5)
    assert kept["head"] == books.entry(5).hash
    assert kept["lock"] is None
    text = run("--team", books.team, "--verify", "--skip-plans")
    assert "5, without Object Lock" in text
    assert text.endswith("5 entries of 1 target are as they were written.\n")


def test_findings_are_named_and_refused(run: HistoryCommand, books: TeamRecord) -> None:
    books.forge(3, by="arn:mallory")
    books.archive.project.git("tag", "--delete", books.tag)
    found = run.json("--verify", code=4)
    assert found["result"] == "flawed"
    first = found["flaws"][0]
    assert (first["code"], first["entry"], first["field"]) == ("altered", 3, "by")
    assert first["means"].startswith("The entry is not the one that was written")
    text = run("--team", books.team, "--verify", code=4)
    assert "by of entry 3 was" in text
    assert "Note: " in text
    assert "The record is not as it was written:" in text
    assert "docs/history.md" in run.err


def test_an_empty_record_is_said_to_be_empty(run: HistoryCommand, books: TeamRecord) -> None:
    assert run.json("--verify", "--scope", "global")["result"] == "empty"
    assert "Nothing is recorded" in run("--team", books.team, "--scope", "global", "--verify")
    for item in books.items():
        books.drop(item)
    assert run.json("--verify", "--scope", "us-east-1", code=4)["result"] == "flawed"


def test_the_whole_environment_shows_what_names_no_target(run: HistoryCommand, books: TeamRecord) -> None:
    books.ledger.append("_refused", lambda _: Draft("refused", "dev_nowhere", "", ME, None, {"reason": "no team"}))
    found = json.loads(run("--env", "dev", "--format", "json"))
    assert [entry["summary"] for entry in found["entries"] if entry["target"] == "_refused"] == ["no team"]
    assert books.target.id in {entry["target"] for entry in found["entries"]}


# Environments that are not bootstrapped -------------------------------------------------------------------------------


@pytest.fixture
def wider(books: TeamRecord, tmp_path: Path) -> Path:
    """The project with one more environment, which has no stores yet."""
    folder = shutil.copytree(books.archive.project.folder, tmp_path / "wider")
    rules = f'{RULES["envs/dev.yaml"].partition("teams:")[0]}teams: {{{books.team}: {{account: "{"9" * 12}"}}}}\n'
    (folder / "envs" / "prod.yaml").write_text(rules)
    return folder


def test_an_environment_that_is_not_bootstrapped_is_named_beside_what_is_on_record(
    run: HistoryCommand, books: TeamRecord, wider: Path
) -> None:
    command = "orchestrate bootstrap --env prod"
    found = run.json("--repo", str(wider))
    assert {entry["env"] for entry in found["entries"]} == {"dev"}
    assert found["not_bootstrapped"] == [{"env": "prod", "region": None, "command": command}]
    assert run.json()["not_bootstrapped"] == []
    text = run("--team", books.team, "--repo", str(wider)).splitlines()
    assert text[-2:] == ["", f"prod: not bootstrapped; run `{command}`"]
    assert len(text) == 8


@pytest.mark.parametrize("arguments", [("--env", "prod"), ("--tag", "prod_us-east-1/{team}/1.0")])
def test_the_history_of_an_environment_that_is_not_bootstrapped_is_an_error(
    arguments: tuple[str, ...], run: HistoryCommand, books: TeamRecord, wider: Path
) -> None:
    asked = [part.format(team=books.team) for part in arguments]
    told = json.loads(run("--repo", str(wider), "--format", "json", *asked, code=6))
    assert told["error"]["message"] == "not bootstrapped: prod"
    assert run.err == "Error: not bootstrapped: prod\nRun `orchestrate bootstrap --env prod`.\n"


def test_a_record_that_cannot_be_read_is_not_taken_for_none(
    run: HistoryCommand, books: TeamRecord, wider: Path
) -> None:
    """Its ledger is gone, its release bucket is there."""
    s3 = books.aws.client("s3")
    s3.create_bucket(Bucket="history-releases-prod")
    try:
        assert run("--team", books.team, "--repo", str(wider), code=6) == ""
    finally:
        s3.delete_bucket(Bucket="history-releases-prod")
    assert "cannot read the ledger history-ledger-prod: it does not exist" in run.err


@pytest.mark.parametrize("arguments", [("--verify",), ("--export", "out.tar"), ("--store",)])
def test_what_is_verified_or_exported_is_all_of_it_or_nothing(
    arguments: tuple[str, ...], run: HistoryCommand, books: TeamRecord, wider: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(wider)
    assert run("--team", books.team, "--repo", str(wider), *arguments, code=6) == ""
    assert "`orchestrate bootstrap --env prod` makes the stores." in run.err
    assert not Path("out.tar").exists()


# Evidence bundles -----------------------------------------------------------------------------------------------------


@pytest.fixture
def exported(run: HistoryCommand, books: TeamRecord, tmp_path: Path) -> Path:
    run("--team", books.team, "--export", str(tmp_path / "out" / "bundle"))
    assert "files of evidence are in" in run.err
    return tmp_path / "out" / "bundle"


def sums(folder: Path) -> int:
    return subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=folder, check=False).returncode


def test_a_bundle_is_checked_with_common_tools_alone(exported: Path, books: TeamRecord) -> None:
    assert sums(exported) == 0
    own = exported / "records" / books.table / books.target.id
    chain = sorted((own / "chain").iterdir())
    hashes = [hashlib.sha256(file.read_bytes()).hexdigest() for file in chain]
    assert [json.loads(file.read_text())["previous"] for file in chain[1:]] == hashes[:-1]
    sheet = json.loads((own / "record.json").read_text())
    assert [anchor["hash"] for anchor in sheet["anchors"]] == hashes
    (receipt,) = (own / "receipts").iterdir()
    assert receipt.name == f"{hashlib.sha256(receipt.read_bytes()).hexdigest()}.json"
    (tag,) = (own / "tags").iterdir()
    said = books.archive.project.git("hash-object", "-t", "tag", "--stdin", input=tag.read_bytes())
    assert said == tag.name == json.loads(receipt.read_text())["tag_object"]
    summary = (exported / "SUMMARY.md").read_text()
    assert f"## {books.target.id.replace('_', chr(92) + '_')}" in summary
    assert "| 5 | " in summary
    assert json.loads((exported / "verification.json").read_text())["result"] == "clean"
    told = json.loads((exported / "history.json").read_text())["targets"]
    assert [entry["kind"] for entry in told[0]["entries"]][-1] == "applied"
    assert "sha256sum --check SHA256SUMS" in (exported / "README.md").read_text()


def test_a_bundle_is_verified_without_aws_or_a_repository(
    exported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    assert main(["history", "--verify", "--from", str(exported)]) == 0
    assert "5 entries of 1 target are as they were written." in capsys.readouterr().out
    (entry,) = exported.rglob("chain/000000000003.json")
    entry.write_text(entry.read_text().replace("fine", "bad"))
    assert main(["history", "--verify", "--from", str(exported), "--format", "json"]) == 4
    found = json.loads(capsys.readouterr().out)
    assert found["damaged"] == [f"{entry.relative_to(exported)} was changed"]
    assert {finding["code"] for finding in found["flaws"]} == {"altered"}
    assert sums(exported) != 0
    assert main(["history", "--verify", "--from", str(exported)]) == 4
    assert "bundle: records/" in capsys.readouterr().out


def test_equal_records_make_equal_archives_which_can_be_kept_in_the_release_bucket(
    run: HistoryCommand, books: TeamRecord, tmp_path: Path
) -> None:
    one, two = tmp_path / "one.tar", tmp_path / "two.tar"
    for path in (one, two):
        run("--team", books.team, "--export", str(path))
    assert one.read_bytes() == two.read_bytes()
    run("--team", books.team, "--store")
    key = f"evidence/{hashlib.sha256(one.read_bytes()).hexdigest()}.tar"
    assert f"kept as s3://history-releases-dev/{key}" in run.err
    assert books.bucket.get(key) == one.read_bytes()
    assert json.loads(run("--verify", "--from", str(one), "--format", "json"))["result"] == "clean"
    run("--team", books.team, "--export", str(one), code=2)


def test_evidence_of_an_alteration_is_exported_as_well(run: HistoryCommand, books: TeamRecord, tmp_path: Path) -> None:
    books.drop(books.items()[4])
    run("--team", books.team, "--export", str(tmp_path / "bundle"), code=4)
    found = json.loads((tmp_path / "bundle" / "verification.json").read_text())
    assert [(finding["code"], finding["entry"]) for finding in found["flaws"]] == [("cut-off", 5)]
    assert list((tmp_path / "bundle").rglob("anchors/000000000005-*.json")), "what was cut off is in it"
    again = json.loads(run("--verify", "--from", str(tmp_path / "bundle"), "--format", "json", code=4))
    assert again["flaws"] == found["flaws"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--from", "."),
        ("--verify", "--export", "x"),
        ("--verify", "--store"),
        ("--tag", "x", "--verify"),
        ("--tag", "x", "--export", "x"),
        ("--verify", "--from", "no-such-file"),
    ],
)
def test_options_that_do_not_go_together(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["history", *arguments]) == 2
    assert "Error: " in capsys.readouterr().err
