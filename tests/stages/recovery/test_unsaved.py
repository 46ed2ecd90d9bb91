"""States that Terraform could not save: kept, stored where they fit, and otherwise left to people."""

from __future__ import annotations

import json
from pathlib import Path

import boto3
import pytest

from orchestrator.effects.state.locks import md5
from orchestrator.effects.terraform.workspace import Workspace, opened
from orchestrator.errors import Refused, StageFailed
from orchestrator.report.release.recovery import recovery_text
from orchestrator.stages.recovery.recover import recover
from orchestrator.stages.recovery.unsaved import keep_if_possible
from orchestrator.stages.release.plan import plan
from tests.support.interrupted import LEASE, SCOPES, record, state, store, workspace
from tests.support.projects import E2eProject, NewProject
from tests.support.stages import Stand, Standing

pytestmark = pytest.mark.slow

TARGETS = iter([f"{scope}/{team}" for team in ("research", "risk") for scope in SCOPES])


@pytest.fixture(scope="module")
def project(new_project: NewProject) -> E2eProject:
    return new_project("unsaved", "slow")


@pytest.fixture
def there(project: E2eProject, stand: Standing) -> Stand:
    return stand(project, project.tag(f"dev_{next(TARGETS)}/1.0"), **LEASE)


def leave(place: Path, content: bytes) -> Path:
    """As a Terraform that could not save."""
    (place / "source").mkdir(parents=True, exist_ok=True)
    (place / "run").mkdir(exist_ok=True)
    path = place / "source/errored.tfstate"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("unsaved", [state(3, "another"), state(1, outputs={"a": 1}), b'{"lineage": '])
def test_one_that_does_not_fit_is_kept_and_left_to_people(there: Stand, project: E2eProject, unsaved: bytes) -> None:
    place = workspace(there, project)
    path = leave(place, unsaved)
    store(there, state(2))
    for _ in range(2):
        with pytest.raises(Refused, match="nothing is overwritten and no lock is released") as error:
            recover(there.ctx)
    assert "--set-aside" in str(error.value.hint)
    assert not path.exists()
    with pytest.raises(Refused, match="could not save its state"):
        plan(there.ctx)
    done = recover(there.ctx, "its resources were imported")
    assert [how for _, how in done.states] == ["conflict"]
    assert done.entry is not None
    assert done.entry.detail["set_aside"] == "its resources were imported"
    assert there.ctx.releases.get(done.states[0][0].key) == unsaved
    assert there.ctx.states.get(there.ctx.release.target.backend.key) == state(2)
    assert "set aside; it does not go on from the stored one" in recovery_text(done)
    assert recover(there.ctx).entry is None


def test_of_a_build_it_is_fetched_from_the_release_bucket(there: Stand, project: E2eProject) -> None:
    """The build's files have ended with it; its last words name what it kept."""
    place = workspace(there, project)
    leave(place, state(2))
    with opened(place) as space:
        (digest,) = keep_if_possible(there.ctx, space)
        for path in space.unsaved_states:
            path.unlink()
    record(there, "failed", "d" * 64, states=[digest])
    store(there, state(1))
    done = recover(there.ctx)
    assert [(each.sha256, how) for each, how in done.states] == [(digest, "newer")]
    stored = json.loads(there.ctx.states.get(there.ctx.release.target.backend.key) or b"")
    assert stored["serial"] >= 2, "Terraform itself counts on"
    assert recover(there.ctx).entry is None
    leave(place, state(2))
    assert [how for _, how in recover(there.ctx).states] == ["stored"], "as after a recovery that was itself killed"
    record(there, "failed", "d" * 64, states=["0" * 64])
    with pytest.raises(StageFailed, match="is gone or has been changed"):
        recover(there.ctx)


def test_a_checksum_is_mended_only_where_the_state_is_that_of_the_run(there: Stand, project: E2eProject) -> None:
    backend = there.ctx.release.target.backend
    store(there, state(5))
    item = {"LockID": {"S": f"{backend.bucket}/{backend.key}-md5"}, "Digest": {"S": md5(b"older")}}
    boto3.client("dynamodb").put_item(TableName=str(backend.dynamodb_table), Item=item)
    record(there, "applying", where="box", host="box", build="")
    with pytest.raises(Refused, match="not the one whose checksum Terraform has noted"):
        recover(there.ctx)


def test_what_cannot_be_kept_now_is_told_and_stays(
    there: Stand, project: E2eProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = workspace(there, project)
    path = leave(place, state(2))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    assert keep_if_possible(there.ctx, Workspace(place, -1)) == []
    assert path.exists()
    assert "lies in" in there.text
