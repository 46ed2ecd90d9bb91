"""The plan receipt and its digest."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import Refused
from orchestrator.model.release.receipt import PlanReceipt, artefact_key, decode, receipt_key, rollback_detail
from orchestrator.model.release.rollback import Rollback
from orchestrator.model.terraform.plan import Summary
from tests.support.receipts import NOW, RECEIPT


def test_the_digest_is_that_of_the_stored_bytes() -> None:
    assert RECEIPT.digest == hashlib.sha256(RECEIPT.encode()).hexdigest()
    assert decode(RECEIPT.encode(), RECEIPT.digest) == RECEIPT


@given(st.integers(0, len(RECEIPT.encode()) - 1), st.integers(1, 255))
def test_no_byte_can_be_changed(position: int, difference: int) -> None:
    content = bytearray(RECEIPT.encode())
    content[position] ^= difference
    with pytest.raises(Refused, match="somebody changed it"):
        decode(bytes(content), RECEIPT.digest)


@pytest.mark.parametrize("field", PlanReceipt.__struct_fields__)
def test_the_digest_binds_every_field(field: str) -> None:
    other = Summary(outputs=7) if field == "summary" else "something else"
    changed = msgspec.structs.replace(RECEIPT, **{field: other})
    assert changed.digest != RECEIPT.digest


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"\xff", b'{"tag":"\xff"}', RECEIPT.encode().replace(b'"version":1', b'"version":2')]
)
def test_what_has_the_right_digest_but_is_no_receipt_is_refused(content: bytes) -> None:
    with pytest.raises(Refused, match="cannot be read"):
        decode(content, hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize(("seconds", "expired"), [(-1, False), (0, True), (1, True)])
def test_a_receipt_expires_at_its_time(seconds: int, expired: bool) -> None:
    assert RECEIPT.expired(NOW + timedelta(hours=1, seconds=seconds)) == expired
    assert (RECEIPT.untimely_reason(NOW + timedelta(hours=1, seconds=seconds)) is None) != expired


def test_a_plan_of_the_future_is_not_used_and_clocks_may_differ_a_little() -> None:
    assert RECEIPT.untimely_reason(NOW - timedelta(minutes=15)) is None
    assert "which is yet to come" in str(RECEIPT.untimely_reason(NOW - timedelta(minutes=15, seconds=1)))


def test_keys_hold_target_and_digest() -> None:
    assert receipt_key("research/dev-global", "d") == "receipts/research/dev-global/d.json"
    assert artefact_key("research/dev-global", "d") == "plans/research/dev-global/d.tar"


def test_entries_say_what_a_rollback_leaves_and_returns_to() -> None:
    assert rollback_detail(RECEIPT) == {}
    back = Rollback("dev_global/research/1.1", "dev_global/research/1.0")
    assert rollback_detail(msgspec.structs.replace(RECEIPT, rollback=back)) == {"rollback": msgspec.to_builtins(back)}


def test_what_came_later_is_left_out_where_it_says_nothing_so_that_old_digests_stay() -> None:
    old = json.loads(RECEIPT.encode())
    assert not {"drift", "failed_checks", "warnings"} & set(old)
    assert set(old["summary"]) == {"add", "change", "destroy", "replace"}
    new = msgspec.structs.replace(RECEIPT, warnings=("w",), summary=Summary(import_=1))
    assert json.loads(new.encode())["summary"]["import"] == 1
    assert decode(new.encode(), new.digest) == new
