"""Receipts that show one plan and bind another, as whoever holds the plan role can store them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from orchestrator.effects.system import outlet
from orchestrator.errors import Refused
from orchestrator.model.ledger.ledger import Draft
from orchestrator.model.release.receipt import PlanReceipt, receipt_key
from orchestrator.stages.release.apply import apply
from orchestrator.stages.release.plan import plan
from tests.support.projects import E2eProject, NewProject
from tests.support.stages import Stand, Standing

pytestmark = pytest.mark.slow

OTHER = 'resource "terraform_data" "backdoor" {\n  input = "x"\n}\n'
TAGS = [f"dev_global/research/1.{minor}" for minor in range(3)]


@pytest.fixture(scope="module")
def project(new_project: NewProject) -> E2eProject:
    """Three versions: the second has another value of a variable, the third another resource.

    The receipts of the first two look alike: of what is made, only the addresses are shown.
    """
    project = new_project("stored", "slow")
    project.tag(TAGS[0])
    project.commit({"envs/dev.tfvars": 'content = "another"\n'})
    project.tag(TAGS[1])
    project.commit({"backdoor.tf": OTHER})
    project.tag(TAGS[2])
    return project


@pytest.fixture(scope="module")
def kept() -> dict[str, PlanReceipt]:
    return {}


@pytest.fixture
def planned(project: E2eProject, stand: Standing, kept: dict[str, PlanReceipt]) -> Mapping[str, PlanReceipt]:
    """Receipts by tag; each is planned once, and not applied."""
    for tag in TAGS:
        if tag not in kept:
            kept[tag] = plan(stand(project, tag).ctx).receipt
    return kept


def forged(there: Stand, receipt: PlanReceipt, **fields: Any) -> None:
    """Stores the receipt with other fields, and enters it, as the newest plan of its tag."""
    made = msgspec.structs.replace(receipt, **fields)
    there.ctx.releases.put(receipt_key(receipt.place.target, made.digest), made.encode())
    draft = Draft("planned", made.tag, made.commit, made.planned_by, made.digest, {"changes": True})
    there.ctx.ledger.append(receipt.place.target, lambda _: draft)


def refusal(there: Stand) -> str:
    with pytest.raises(Refused) as error:
        apply(there.ctx)
    kinds = [entry.kind for entry in there.ctx.ledger.history(there.ctx.release.target.id).entries]
    assert "applying" not in kinds
    return error.value.message


@pytest.mark.parametrize("hashed", [False, True])
def test_a_receipt_that_binds_another_plan_than_it_shows(
    project: E2eProject, stand: Standing, planned: Mapping[str, PlanReceipt], hashed: bool
) -> None:
    there, shown, bound = stand(project, TAGS[0]), planned[TAGS[0]], planned[TAGS[1]]
    forged(there, shown, artefact=bound.artefact, **({"plan_json": bound.plan_json} if hashed else {}))

    told = refusal(there)
    assert ("its changes differ" if hashed else "another hash") in told


def test_a_receipt_that_hides_a_change(
    project: E2eProject, stand: Standing, planned: Mapping[str, PlanReceipt]
) -> None:
    there, receipt = stand(project, TAGS[0]), planned[TAGS[0]]
    forged(there, receipt, resources=receipt.resources[1:])

    assert "its changes differ" in refusal(there)


def test_a_plan_that_was_made_of_another_commit(
    project: E2eProject, stand: Standing, planned: Mapping[str, PlanReceipt]
) -> None:
    """What is shown is what it does, and not what the tagged commit says."""
    there, other = stand(project, TAGS[0]), planned[TAGS[2]]
    mine = planned[TAGS[0]]
    forged(there, other, tag=mine.tag, tag_object=mine.tag_object, commit=mine.commit, var_files=mine.var_files)

    assert "'backdoor.tf' is in one of the two alone" in refusal(there)


def test_what_was_planned_is_applied(project: E2eProject, stand: Standing) -> None:
    there = stand(project, project.tag("dev_global/risk/1.0"))
    plan(there.ctx)
    assert apply(there.ctx).result == "applied"


def test_a_secret_of_the_environment_in_a_plan_does_not_stop_its_apply(project: E2eProject, stand: Standing) -> None:
    """The receipt keeps it masked; what the plan is compared with is masked as well."""
    secret = "a-token-of-the-environment"
    project.commit({"envs/dev.tfvars": f'content = "{secret}"\n'})
    there = stand(project, project.tag("dev_global/research/7.0"))
    outlet.learn([secret])
    try:
        assert secret not in plan(there.ctx).receipt.encode().decode()
        assert apply(there.ctx).result == "applied"
    finally:
        outlet.begin({})
