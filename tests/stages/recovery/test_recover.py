"""What recover may and may not do, with what is left made by hand; runs that are killed are in tests/e2e."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest

from orchestrator.effects.ledger.lease import Holder, here
from orchestrator.effects.pipeline.builds import Builds
from orchestrator.effects.terraform.workspace import opened
from orchestrator.errors import Locked, OrchestrateError, StageFailed, UsageError
from orchestrator.model.release.recovery import ADOPTION
from orchestrator.report.release.recovery import recovery_fields, recovery_text
from orchestrator.stages.recovery.interrupted import state_locks
from orchestrator.stages.recovery.recover import Recovery, recover
from orchestrator.stages.recovery.unlock import unlock
from tests.support.interrupted import LEASE, SCOPES, record, state, store, workspace
from tests.support.projects import E2eProject, NewProject
from tests.support.stages import Stand, Standing

pytestmark = pytest.mark.slow

LOCK = "94e6d181-78bf-6aa4-7375-78bd2d1b2761"
OTHER = "11111111-78bf-6aa4-7375-78bd2d1b2761"
PREFIX = "recovery"
TARGETS = iter([f"{scope}/{team}" for team in ("research", "risk") for scope in SCOPES])


@pytest.fixture(scope="module")
def project(new_project: NewProject) -> E2eProject:
    return new_project(PREFIX, "slow")


@pytest.fixture
def there(project: E2eProject, stand: Standing) -> Stand:
    """A release to a target that no other test uses."""
    return stand(project, project.tag(f"dev_{next(TARGETS)}/1.0"), **LEASE)


def lock(there: Stand, id: str = LOCK, who: str = "root@box", operation: str = "OperationTypeApply") -> None:
    backend = there.ctx.release.target.backend
    info = json.dumps({"ID": id, "Who": who, "Created": "2026", "Operation": operation})
    boto3.client("s3").put_object(Bucket=backend.bucket, Key=f"{backend.key}.tflock", Body=info.encode())
    item = {"LockID": {"S": f"{backend.bucket}/{backend.key}"}, "Info": {"S": info}}
    boto3.client("dynamodb").put_item(TableName=str(backend.dynamodb_table), Item=item)


def locks(there: Stand) -> int:
    ctx = there.ctx
    return len(state_locks(ctx.aws, ctx.release.rules, ctx.release.target).found())


def test_where_nothing_is_left_nothing_is_recorded(there: Stand) -> None:
    done = recover(there.ctx)
    assert done == Recovery(str(there.ctx.release.tag), None)
    assert recovery_fields(done)["result"] == "nothing to recover"
    assert "there is nothing to recover" in recovery_text(done)
    assert there.ctx.ledger.history(there.ctx.release.target.id).entries == ()


def test_a_lock_of_which_nothing_is_known_is_left_alone_and_unlock_releases_it_alone(there: Stand) -> None:
    lock(there)
    with pytest.raises(Locked, match="nothing here shows that the lock is of a run that is gone") as error:
        recover(there.ctx)
    assert f"--lock-id {LOCK}" in str(error.value.hint)
    for wrong, why in ((OTHER, StageFailed), ("x", UsageError)):
        with pytest.raises(why):
            unlock(there.ctx, wrong)
    assert locks(there) == 2
    unlock(there.ctx, LOCK)
    assert locks(there) == 0
    with pytest.raises(StageFailed, match="no other holds the state"):
        unlock(there.ctx, LOCK)
    lock(there, operation=ADOPTION)
    assert len(recover(there.ctx).released) == 2, "an adoption holds its locks under the lock that recover has now"


def test_a_build_s_locks_are_released_when_it_has_ended(there: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    lock(there, who="root@container")
    record(there, "applying", "d" * 64, where="container, process 1", host="container", build="apply:1")
    record(there, "planning", where="elsewhere, process 2", host="elsewhere", build="")
    ended: list[str] = []
    monkeypatch.setattr(Builds, "ended", lambda self, build: build in ended)
    with pytest.raises(Locked, match="the build apply:1, which began to apply"):
        recover(there.ctx)
    assert locks(there) == 2
    ended.append("apply:1")
    done = recover(there.ctx)
    assert locks(there) == 0
    assert [each.how for each in done.ended] == ["half-way"]
    assert [run.kind for run in done.left] == ["planning"], "a plan elsewhere may still be under way"
    assert "left alone: the plan of" in recovery_text(done)


def test_what_a_build_leaves_its_lease_too_is_taken_over_after_it_has_ended(
    there: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, ended = there.ctx.release.target.id, False
    monkeypatch.setattr(Builds, "ended", lambda self, build: ended)
    lease = there.ctx.leases._acquire(target, Holder("bob", "t", "container", "apply:1"), there.said.append)
    with pytest.raises(Locked, match="its build apply:1 has not ended"):
        recover(there.ctx)
    ended = True
    done = recover(there.ctx)
    assert done.entry is not None
    assert "bob" in done.entry.detail["lease"]
    assert not there.ctx.leases._renew(lease)


def test_while_a_run_is_alive_nothing_is_touched(there: Stand, project: E2eProject) -> None:
    at, place = there.ctx, workspace(there, project)
    lock(there)
    with opened(place), pytest.raises(Locked, match="under way on this machine"):
        recover(at)
    with (
        at.leases.held(at.release.target.id, Holder("bob", "t", here({}).where), there.said.append),
        pytest.raises(Locked, match="this target is being released by bob"),
    ):
        recover(at)
    assert locks(there) == 2


def test_of_two_recoveries_at_once_one_does_it(there: Stand, project: E2eProject, stand: Standing) -> None:
    place = workspace(there, project)
    (place / "run").mkdir(parents=True)
    (place / "run/locks.log").write_text(f"Attempting to lock remote state: tf_backend.lock.id={LOCK}\n")
    (place / "source").mkdir()
    (place / "source/errored.tfstate").write_bytes(state(3))
    lock(there)
    store(there, state(2))
    record(there, "applying", where="box", host="box", build="")

    def one(number: int) -> str:
        try:
            done = recover(stand(project, str(there.ctx.release.tag), **LEASE).ctx)
        except OrchestrateError as error:
            return type(error).__name__
        return "nothing" if done.entry is None else "recovered"

    with ThreadPoolExecutor(3) as pool:
        ends = list(pool.map(one, range(3)))
    assert ends.count("recovered") == 1, ends
    assert set(ends) <= {"recovered", "Locked", "nothing"}, ends
    assert locks(there) == 0
    assert json.loads(there.ctx.states.get(there.ctx.release.target.backend.key) or b"")["serial"] >= 3
    kinds = [entry.kind for entry in there.ctx.ledger.history(there.ctx.release.target.id).entries]
    assert kinds == ["recovered", "applying"]
    assert recover(there.ctx).entry is None
