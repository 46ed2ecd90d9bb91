"""Which backend Terraform says that it uses."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import Refused
from orchestrator.model.terraform.used_backend import UsedBackend, check_backend, of_plan

EXPECTED = {"s3": {"bucket": "b", "key": "k", "encrypt": True}}
SETTINGS: dict[str, Any] = {"bucket": "b", "key": "k", "encrypt": True, "profile": None, "endpoints": None}


def test_the_derived_backend_is_the_one() -> None:
    check_backend(UsedBackend("s3", SETTINGS, "default"), EXPECTED, "the plan")


@pytest.mark.parametrize(
    ("used", "reason"),
    [
        (None, "it has none"),
        (UsedBackend("local", SETTINGS, "default"), "the backend is local, not s3"),
        (UsedBackend("s3", SETTINGS | {"key": "other"}, "default"), "the backend's key is 'other', not 'k'"),
        (UsedBackend("s3", SETTINGS | {"profile": "x"}, "default"), "the backend's profile is 'x', not None"),
        (UsedBackend("s3", SETTINGS | {"encrypt": None}, "default"), "the backend's encrypt is None, not True"),
        (UsedBackend("s3", {}, "default"), "the backend's bucket is None"),
        (UsedBackend("s3", SETTINGS, "other"), "the workspace is other"),
    ],
)
def test_any_other_is_refused(used: UsedBackend | None, reason: str) -> None:
    with pytest.raises(Refused, match=f"the plan would keep the state elsewhere than the rules say: {reason}"):
        check_backend(used, EXPECTED, "the plan")


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])


def backend(settings: bytes) -> bytes:
    return field(13, field(1, b"s3") + field(2, field(1, settings)) + field(3, b"default"))


MSGPACK = msgspec.msgpack.encode(SETTINGS)  # noqa: TID251 - as Terraform writes it
FIXED = varint(3 << 3 | 1) + b"8" * 8 + varint(4 << 3 | 5) + b"4444"
OTHERS = varint(1 << 3) + varint(300) + field(2, b"x" * 200) + FIXED


def test_a_plan_names_its_backend() -> None:
    assert of_plan(OTHERS + backend(MSGPACK) + OTHERS) == UsedBackend("s3", SETTINGS, "default")
    assert of_plan(OTHERS) is None


@pytest.mark.parametrize(
    "content",
    [
        backend(MSGPACK) * 2,
        backend(b"\x01"),
        backend(b"\x91" * 100_000),
        field(13, b""),
        field(13, field(1, b"s3")),
        field(2, b"x" * 9)[:-1],
        varint(1 << 3 | 3),
        b"\xff" * 20,
        b"\x80",
    ],
)
def test_what_cannot_be_read_is_no_plan(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"cannot be read|several backends"):
        of_plan(content)


@given(st.binary(max_size=60))
def test_whatever_it_holds_it_is_read_or_refused(content: bytes) -> None:
    for whole in (content, field(13, content)):
        try:
            of_plan(whole)
        except ValueError:
            continue
