"""A record written without Terraform: entries, receipts, answers, pins and anchors, as the stages leave them.

All tests of a module share one project with its stores; each has teams of its own in it, so that they do not meet.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest

from orchestrate_sandbox.process import Sandbox
from orchestrator.effects.aws.objects import Bucket
from orchestrator.effects.aws.session import Session
from orchestrator.effects.git.repository import Repository
from orchestrator.effects.ledger.answers import Answers
from orchestrator.effects.ledger.ledger import Ledger
from orchestrator.effects.system import clock
from orchestrator.model.approval.approval import Answer, copy_of
from orchestrator.model.ledger.ledger import FIRST_HASH, Draft, Entry, Kind
from orchestrator.model.release.receipt import PlanReceipt, artefact_key, receipt_key
from orchestrator.model.rules.rules import Rules
from orchestrator.model.rules.tag import Tag
from orchestrator.model.rules.target import Target, locate
from orchestrator.model.text import decoding
from orchestrator.model.text.canonical import sha256
from orchestrator.stages.context.selection import Selection
from orchestrator.stages.stores.bootstrap import bootstrap, stores_of
from tests.support.git_project import GitProject
from tests.support.receipts import RECEIPT

ME, ALICE = "arn:aws:iam::000000000000:user/me", "arn:aws:iam::000000000000:user/alice"
ARCHIVE = b"a saved plan"
TEAMS = [f"team{number}" for number in range(60)]
RULES = {
    "envs/orchestrate.yaml": "state: {{prefix: {prefix}, region: us-east-1{more}}}\n"
    'tooling: {{account: "000000000000"}}\n',
    "envs/dev.yaml": "regions: [us-east-1]\nglobal_resource_deploy_from_region: us-east-1\nteams:\n"
    + "".join(f'  {team}: {{account: "{number + 1:012d}"}}\n' for number, team in enumerate(TEAMS)),
    "modules/workload/main.tf": "# the root\n",
}


@dataclass
class RecordedStores:
    """The project and its stores."""

    project: GitProject
    aws: Session
    rules: Rules
    unused: Iterator[str] = field(default_factory=lambda: iter(TEAMS))

    def books(self) -> TeamRecord:
        """Of a team that no other test has."""
        return TeamRecord(self, next(self.unused))

    @property
    def repository(self) -> Repository:
        return self.project.open()


@contextmanager
def archive(folder: Path, sandbox: Sandbox, prefix: str, more: str = "") -> Iterator[RecordedStores]:
    """`more` are further keys of `state`. The environment is that of the sandbox meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("AWS_", "GIT_"))]:
            patch.delenv(name)
        git = {f"GIT_{role}_{what}": "me@example.com" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        for name, value in {**sandbox.env, **git, "GIT_CONFIG_GLOBAL": os.devnull}.items():
            patch.setenv(name, value)
        folder.mkdir(parents=True)
        subprocess.run(["git", "init", "--quiet", "--initial-branch", "main"], cwd=folder, check=True)
        project = GitProject(folder)
        files = {**RULES, "envs/orchestrate.yaml": RULES["envs/orchestrate.yaml"].format(prefix=prefix, more=more)}
        rules = project.open().rules(project.commit(files))
        aws = Session("us-east-1")
        outcomes = bootstrap(aws, stores_of(rules, []), check=False, tell=lambda _: None)
        assert [outcome.error for outcome in outcomes if outcome.error] == []
        yield RecordedStores(project, aws, rules)


@dataclass
class TeamRecord:
    """The record of one team; its tags are made when they are first used."""

    archive: RecordedStores
    team: str

    @cached_property
    def tag(self) -> str:
        """The first version of the team's target in us-east-1."""
        name = f"dev_us-east-1/{self.team}/1.0"
        self.archive.project.tag(name)
        return name

    @property
    def aws(self) -> Session:
        return self.archive.aws

    @property
    def target(self) -> Target:
        return locate(Tag.parse(self.tag), self.archive.rules)

    @property
    def selection(self) -> Selection:
        return Selection("dev", self.team, "us-east-1")

    @property
    def ledger(self) -> Ledger:
        """As another process has it."""
        return Ledger.of(self.aws, self.target.stores, self.archive.rules.project)

    @property
    def answers(self) -> Answers:
        return Answers(self.aws, self.table, "us-east-1", "dev")

    @property
    def bucket(self) -> Bucket:
        return Bucket(self.aws, self.target.stores.release_bucket, "us-east-1", "000000000000", "dev")

    @property
    def table(self) -> str:
        return self.target.stores.ledger_table

    @property
    def commit(self) -> str:
        return self.archive.project.git("rev-parse", f"refs/tags/{self.tag}^{{commit}}")

    # As the stages do it ----------------------------------------------------------------------------------------------

    def add(self, kind: Kind, digest: str | None = None, **detail: Any) -> Entry:
        return self.add_draft(Draft(kind, self.tag, self.commit, ME, digest, detail))

    def add_draft(self, draft: Draft) -> Entry:
        return self.ledger.append(self.target.id, lambda _: draft)

    def plan(self, **changes: Any) -> PlanReceipt:
        target, digest = self.target.id, sha256(ARCHIVE)
        tag_object = self.archive.project.git("rev-parse", f"refs/tags/{self.tag}")
        self.ledger.first_seen(self.tag, tag_object, self.commit)
        facts = {
            "tag": self.tag,
            "tag_object": tag_object,
            "commit": self.commit,
            "place": msgspec.structs.replace(RECEIPT.place, target=target),
            "artefact": msgspec.structs.replace(RECEIPT.artefact, key=artefact_key(target, digest), sha256=digest),
            "planned_at": clock.now().isoformat(),
            "expires_at": (clock.now() + timedelta(hours=1)).isoformat(),
            "planned_by": ME,
        }
        receipt = msgspec.structs.replace(RECEIPT, **{**facts, **changes})
        self.bucket.put(artefact_key(target, digest), ARCHIVE)
        self.bucket.put(receipt_key(target, receipt.digest), receipt.encode())
        detail = {"receipt": receipt_key(target, receipt.digest), "summary": {"add": 1}, "changes": True}
        self.add("planned", receipt.digest, **detail)
        return receipt

    def answer(self, receipt: PlanReceipt, kind: Literal["approved", "rejected"] = "approved") -> Answer:
        """Given in the ledger; not in the chain yet."""
        place, at = receipt.place.target, clock.now().isoformat()
        said = Answer(1, kind, place, receipt.tag, receipt.commit, receipt.digest, ALICE, "AROA:alice", at, "fine")
        self.answers.give(said)
        return said

    def release(self) -> PlanReceipt:
        """Five entries: checked, planned, approved, applying, applied."""
        self.add("checked", check="lint", passed=True, findings=0)
        receipt = self.plan()
        said = self.answer(receipt)
        self.add_draft(copy_of(said))
        self.add("applying", receipt.digest)
        self.add("applied", receipt.digest, result="applied")
        return receipt

    # What somebody does who has got hold of the tooling account -------------------------------------------------------

    def items(self) -> list[dict[str, Any]]:
        answer = self.aws.client("dynamodb").query(
            TableName=self.table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"target#{self.target.id}"}},
        )
        return [dict(item) for item in answer["Items"]]

    def entry(self, number: int) -> Entry:
        return decoding.decode(self.items()[number - 1]["body"]["S"], Entry)

    def put(self, item: dict[str, Any]) -> None:
        self.aws.client("dynamodb").put_item(TableName=self.table, Item=item)

    def drop(self, item: dict[str, Any]) -> None:
        key = {name: item[name] for name in ("pk", "sk")}
        self.aws.client("dynamodb").delete_item(TableName=self.table, Key=key)

    def forge(self, number: int, **changes: Any) -> Entry:
        """Another entry in the place of one, its own hash with it."""
        forged = msgspec.structs.replace(self.entry(number), **changes)
        values = {"kind": forged.kind, "body": forged.encode().decode(), "hash": forged.hash}
        self.put({**self.items()[number - 1], **{name: {"S": value} for name, value in values.items()}})
        return forged

    def rechain(self) -> None:
        """Makes every hash fit again."""
        previous = FIRST_HASH
        for number in range(1, len(self.items()) + 1):
            previous = self.forge(number, previous=previous).hash

    def delete(self, key: str, *, for_good: bool = False) -> None:
        s3 = self.aws.client("s3")
        if not for_good:
            s3.delete_object(Bucket=self.bucket.name, Key=key)
            return
        for version in list(self.bucket.versions(key)):
            s3.delete_object(Bucket=self.bucket.name, Key=version.key, VersionId=version.id)


def with_rules(kept: RecordedStores, files: dict[str, str]) -> tuple[str, str]:
    """The option for a clone, as it is now, whose protected branch has these files: it is its own authority."""
    project, name = kept.project, "other-rules"
    project.git("checkout", "--quiet", "-B", name)
    project.commit(files)
    project.git("checkout", "--quiet", "main")
    copy = GitProject(Path(tempfile.mkdtemp(dir=project.folder.parent), "clone"))
    project.git("clone", "--quiet", "--branch", name, ".", str(copy.folder))
    copy.git("branch", "--force", "main", name)
    copy.git("remote", "remove", "origin")
    return "--repo", str(copy.folder)
