"""Patterns of addresses mean objects."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.rules.address import matches


@pytest.mark.parametrize(
    ("pattern", "address"),
    [
        ("aws_db_instance.main", "aws_db_instance.main"),
        ("aws_db_instance.main", "aws_db_instance.main[0]"),
        ("aws_db_instance.main", 'aws_db_instance.main["a.b]c"]'),
        ("aws_db_instance.*", 'aws_db_instance.main["x"]'),
        ("module.payments.*", "module.payments.aws_db_instance.main"),
        ("module.payments.*", "module.payments[0].aws_db_instance.main"),
        ("module.payments.*", 'module.payments["eu.1"].module.db[2].aws_db_instance.main[1]'),
        ("module.payments", 'module.payments["eu"].aws_db_instance.main'),
        ("module.payments[0]", "module.payments[0].aws_db_instance.main"),
        ("module.a.module.b", "module.a[1].module.b[2].aws_x.y"),
        ("module.*.aws_x.y", "module.a[1].module.b[2].aws_x.y[0]"),
        ('aws_x.y["a*"]', 'aws_x.y["abc"]'),
        ("*", "module.a.aws_x.y[0]"),
        ("*aws_x.y", "module.a[0].aws_x.y[0]"),
    ],
)
def test_what_a_pattern_means(pattern: str, address: str) -> None:
    assert matches(address, pattern)


@pytest.mark.parametrize(
    ("pattern", "address"),
    [
        ("aws_db_instance.main", "aws_db_instance.main2"),
        ("aws_db_instance.main", "module.a.aws_db_instance.main"),
        ("aws_db_instance", "aws_db_instance.main"),
        ("aws_db_instance.main[0]", "aws_db_instance.main[1]"),
        ("aws_db_instance.main[0]", "aws_db_instance.main"),
        ("module.payments.*", "module.payments2.aws_x.y"),
        ("module.payments", "module.payments2.aws_x.y"),
        ("module.payments[0]", "module.payments[1].aws_x.y"),
        ("module.payments.*", 'aws_x.y["module.payments.z"]'),
        ("aws_x.y[", "aws_x.y[0]"),
    ],
)
def test_what_it_does_not_mean(pattern: str, address: str) -> None:
    assert not matches(address, pattern)


_NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True)
_KEYS = st.one_of(st.just(""), st.integers(0, 99).map("[{}]".format), st.text(max_size=4).map(
    lambda text: '["' + text.replace("\\", "\\\\").replace('"', '\\"') + '"]'
))  # fmt: skip


@given(st.lists(st.tuples(_NAMES, _KEYS), max_size=3), _NAMES, _NAMES, _KEYS)
def test_an_address_without_its_indexes_means_the_same_object(
    modules: list[tuple[str, str]], kind: str, name: str, key: str
) -> None:
    within = "".join(f"module.{module}{index}." for module, index in modules)
    plain = "".join(f"module.{module}." for module, _ in modules)
    assert matches(f"{within}aws_{kind}.{name}{key}", f"{plain}aws_{kind}.{name}")
    if "*" not in within + key:
        assert matches(f"{within}aws_{kind}.{name}{key}", f"{within}aws_{kind}.{name}{key}")
