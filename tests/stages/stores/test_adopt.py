"""What is adopted, and what never is: in the test's own process."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest

from orchestrator.effects.state.place import StatePlace
from orchestrator.errors import InvalidInput, Locked, OrchestrateError, Refused, UsageError
from orchestrator.model.text.canonical import sha256
from orchestrator.stages.stores.adopt import adopt, examine
from tests.support.accounts import TOOLING
from tests.support.projects import E2eProject, NewProject
from tests.support.stages import Stand, Standing

pytestmark = pytest.mark.slow

BUCKET, TABLE = "moved-dev", "moved-lock-dev"
Look = Callable[[str], Stand]


@pytest.fixture(scope="module")
def project(new_project: NewProject) -> E2eProject:
    """Every scope of both teams can be adopted once."""
    project = new_project("moved", "slow")
    for team in ("research", "risk"):
        for scope in ("global", "us-east-1", "eu-central-1"):
            project.tag(f"dev_{scope}/{team}/1.0")
    return project


@pytest.fixture(scope="module")
def content(project: E2eProject, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("before")
    (folder / "main.tf").write_text((project.folder / "main.tf").read_text())
    for command in (["init"], ["apply", "-auto-approve"]):
        subprocess.run(["terraform", *command, "-no-color"], cwd=folder, env=project.env, check=True, timeout=120)
    return (folder / "terraform.tfstate").read_bytes()


@pytest.fixture
def state(content: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "terraform.tfstate"
    path.write_bytes(content)
    return path


@pytest.fixture
def look(project: E2eProject, stand: Standing) -> Look:
    return lambda target: stand(project, f"dev_{target}/1.0")


def key(there: Stand) -> str:
    return there.ctx.release.target.backend.key


def stored(name: str) -> bytes | None:
    s3 = boto3.client("s3")
    try:
        return s3.get_object(Bucket=BUCKET, Key=name)["Body"].read()
    except s3.exceptions.NoSuchKey:
        return None


def changed(content: bytes, **fields: Any) -> bytes:
    return json.dumps({**json.loads(content), **fields}).encode()


def refusal(there: Stand, source: str | Path, kind: type[OrchestrateError] = Refused) -> str:
    with pytest.raises(kind) as error:
        examine(there.ctx, str(source))
    assert stored(f"{key(there)}.tflock") is None
    return str(error.value)


def test_what_is_no_state_or_nothing_to_adopt(look: Look, state: Path, content: bytes) -> None:
    there = look("global/research")
    assert "cannot be read: No such file" in refusal(there, state.with_name("none"), InvalidInput)
    assert "there is no object s3://moved-dev/none" in refusal(there, "s3://moved-dev/none", InvalidInput)
    assert "does not name an object" in refusal(there, "s3:/moved-dev/none", UsageError)
    assert "is the target's own place" in refusal(there, f"s3://{BUCKET}/{key(there)}")
    state.write_bytes(changed(content, resources=[]))
    assert "holds no resources" in refusal(there, state, InvalidInput)
    state.write_bytes(changed(content, terraform_version="1.99.0"))
    assert "the state was written by version 1.99.0" in refusal(there, state)
    newer = json.loads(content)["resources"]
    newer[0]["instances"][0]["schema_version"] = 7
    state.write_bytes(changed(content, resources=newer))
    with pytest.raises(OrchestrateError, match="managed by newer provider version"):
        examine(there.ctx, str(state))


def test_a_source_in_use_is_not_adopted(look: Look, state: Path, content: bytes) -> None:
    lock = state.with_name(".terraform.tfstate.lock.info")
    lock.write_text("{}")
    assert "somebody is changing it" in refusal(look("global/research"), state, Locked)
    boto3.client("s3").put_object(Bucket=BUCKET, Key="old/env:/dev/x", Body=content)
    boto3.client("s3").put_object(Bucket=BUCKET, Key="old/env:/dev/x.tflock", Body=b"{}")
    assert "x.tflock" in refusal(look("global/research"), f"s3://{BUCKET}/old/env:/dev/x", Locked)


def test_another_state_is_never_overwritten_and_one_that_has_gone_on_is_told(
    look: Look, state: Path, content: bytes
) -> None:
    there = look("us-east-1/research")
    boto3.client("s3").put_object(Bucket=BUCKET, Key="old/env:/dev/y", Body=content)
    source = f"s3://{BUCKET}/old/env:/dev/y"
    done = adopt(there.ctx, examine(there.ctx, source))
    assert (done.result, done.entry.detail["source"]) == ("adopted", source)
    assert done.entry.detail["sha256"] == sha256(content) == sha256(stored(key(there)) or b"")
    state.write_bytes(changed(content, lineage="another"))
    assert "holds another state" in refusal(there, state)
    boto3.client("s3").put_object(Bucket=BUCKET, Key=key(there), Body=changed(content, serial=99))
    assert "has gone on to serial 99" in refusal(there, source)


def test_a_target_that_was_released_and_lost_its_state_is_not_given_another(
    look: Look, project: E2eProject, state: Path
) -> None:
    project.ok("plan", "--tag", "dev_global/risk/1.0")
    project.ok("apply", "--tag", "dev_global/risk/1.0")
    there = look("global/risk")
    boto3.client("s3").delete_object(Bucket=BUCKET, Key=key(there))
    assert "has been released before" in refusal(there, state)


def test_what_changes_after_it_was_examined_is_noticed(look: Look, state: Path, content: bytes) -> None:
    there = look("us-east-1/risk")
    candidate = examine(there.ctx, str(state))
    state.write_bytes(changed(content, serial=50))
    with pytest.raises(Refused, match="has changed in the meantime"):
        adopt(there.ctx, candidate)
    state.write_bytes(content)
    other = changed(content, lineage="another")
    boto3.client("s3").put_object(Bucket=BUCKET, Key=key(there), Body=other)
    with pytest.raises(Refused, match="has got another state in the meantime"):
        adopt(there.ctx, candidate)
    assert stored(key(there)) == other


@pytest.fixture
def place(look: Look) -> StatePlace:
    target = look("eu-central-1/risk").ctx.release.target
    return StatePlace(look("eu-central-1/risk").ctx.aws, target.backend, TOOLING, "dev")


@pytest.mark.parametrize("kept", ["file", "table"])
def test_a_lock_of_terraform_is_respected_and_one_of_a_dead_adoption_taken_over(
    place: StatePlace, look: Look, state: Path, content: bytes, kept: str
) -> None:
    there = look("eu-central-1/risk")
    candidate = examine(there.ctx, str(state))
    put_lock(place, kept, {"ID": "1", "Operation": "OperationTypeApply", "Who": "anna@host", "Created": "today"})
    with pytest.raises(Locked, match="locked: lock 1 of anna@host since today"):
        adopt(there.ctx, candidate)
    put_lock(place, kept, None)
    with pytest.raises(Locked, match="locked: lock unknown of unknown"):
        adopt(there.ctx, candidate)
    put_lock(place, kept, {"ID": "2", "Operation": "orchestrate adopt", "Who": "me@host", "Created": "today"})
    adopt(there.ctx, candidate)
    assert "An adoption was interrupted and has left its lock 2 of me@host since today" in there.text
    assert stored(key(there)) == content
    assert stored(f"{key(there)}.tflock") is None
    items = boto3.client("dynamodb").scan(TableName=TABLE)["Items"]
    path = f"{BUCKET}/{key(there)}"
    assert [item["LockID"]["S"] for item in items if item["LockID"]["S"].startswith(path)] == [f"{path}-md5"]


def put_lock(place: StatePlace, kept: str, info: dict[str, str] | None) -> None:
    text = "no JSON" if info is None else json.dumps(info)
    name = f"{place.backend.key}.tflock"
    if kept == "file":
        boto3.client("s3").put_object(Bucket=BUCKET, Key=name, Body=text.encode())
    else:
        item: Any = {"LockID": {"S": f"{BUCKET}/{place.backend.key}"}, "Info": {"S": text}}
        boto3.client("dynamodb").put_item(TableName=TABLE, Item=item)


def test_two_at_once_leave_one_state_and_one_entry_and_an_interrupted_one_is_finished(
    look: Look, state: Path, content: bytes
) -> None:
    there = look("eu-central-1/research")
    candidate = examine(there.ctx, str(state))
    boto3.client("s3").put_object(Bucket=BUCKET, Key=key(there), Body=content)  # as if killed after the write

    def run(_: int) -> str:
        try:
            return adopt(look("eu-central-1/research").ctx, candidate).result
        except Locked:
            return "locked"

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(run, range(2)))
    assert results.count("adopted") == 1
    assert set(results) <= {"adopted", "already adopted", "locked"}
    again = examine(there.ctx, str(state))
    assert again.preview is None
    assert adopt(there.ctx, again).result == "already adopted"
    history = there.ctx.ledger.history(there.ctx.release.target.id)
    assert [entry.kind for entry in history.entries] == ["adopted"]
