"""A cached result is never trusted when anything it depends on changed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.effects.checks.cache import CheckCache, prune
from orchestrator.effects.git.files import digest
from orchestrator.effects.system.cache import Cache
from orchestrator.model.checks.check import Observed
from orchestrator.model.checks.coverage import Coverage, Kind
from orchestrator.model.checks.finding import Finding
from orchestrator.model.tools.tool import Tool
from orchestrator.stages.checks.subject import ResultKey

OBSERVED = Observed((Finding("scan", "checkov", "CKV_1", "high", "m", file="\u00e4.tf", line=3),), ("a note",))
KEY, NAME = "k" * 64, "n" * 64


@pytest.fixture
def cache(tmp_path: Path) -> CheckCache:
    return CheckCache(Cache(tmp_path))


def entry(cache: CheckCache) -> Path:
    return cache.local.folder / "checks" / NAME


def test_what_is_put_is_got(cache: CheckCache) -> None:
    assert cache.get(KEY, NAME) is None
    cache.put(KEY, NAME, OBSERVED)

    assert cache.get(KEY, NAME) == OBSERVED


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"\xff", b'{"key": "k"}', b"[" * 100_000, b'{"key":"k","observed":{"findings":3}}']
)
def test_an_entry_that_cannot_be_read_is_none(cache: CheckCache, content: bytes) -> None:
    cache.put(KEY, NAME, OBSERVED)
    entry(cache).write_bytes(content)

    assert cache.get(KEY, NAME) is None


def test_an_entry_of_another_key_is_none(cache: CheckCache) -> None:
    cache.put("other", NAME, OBSERVED)

    assert cache.get(KEY, NAME) is None


@pytest.mark.parametrize("place", ["", NAME])
def test_an_entry_that_others_could_have_written_is_none(cache: CheckCache, place: str) -> None:
    cache.put(KEY, NAME, OBSERVED)
    path = cache.local.folder / "checks" / place
    path.chmod(path.stat().st_mode | 0o020)

    assert cache.get(KEY, NAME) is None


def test_a_cache_that_cannot_be_written_costs_only_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = CheckCache(Cache(tmp_path / "file"))

    cache.put(KEY, NAME, OBSERVED)

    assert cache.get(KEY, NAME) is None


def test_what_is_old_is_removed_and_nothing_else(tmp_path: Path) -> None:
    files = ("checks/old", "checks/new", "tools/old")
    folders = ("lint/old/providers", "lint/new/providers", "check-old/tree", "check-new/tree", "workspaces/old")
    for name in (*files, *folders):
        (tmp_path / name).mkdir(parents=True) if name in folders else (tmp_path / name).parent.mkdir(exist_ok=True)
    for name in files:
        (tmp_path / name).write_text("")
    for path in [path for path in tmp_path.glob("*/*") if path.name == "old"] + [tmp_path / "check-old"]:
        os.utime(path, (0, 0))

    prune(tmp_path)

    left = {str(path.relative_to(tmp_path)) for path in [*tmp_path.glob("*/*"), *tmp_path.glob("check-*")]}
    assert left == {"checks/new", "lint/new", "check-new", "check-new/tree", "tools/old", "workspaces/old"}


# Keys ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class InMemory:
    contents: Mapping[str, tuple[Kind, bytes]]

    @property
    def kinds(self) -> Mapping[str, Kind]:
        return {path: kind for path, (kind, _) in self.contents.items()}

    def read(self, path: str) -> bytes:
        return self.contents[path][1]

    def sha256(self, path: str) -> str:
        return hashlib.sha256(self.read(path)).hexdigest()


_KINDS: st.SearchStrategy[Kind] = st.sampled_from(["file", "executable"])
_TREES = st.dictionaries(
    st.text("ab/\udc80\n", min_size=1, max_size=4), st.tuples(_KINDS, st.binary(max_size=4)), max_size=4
)
_LINKS = st.dictionaries(st.text("xy", min_size=1, max_size=3), st.text("ab/.", max_size=3), max_size=2)
_SETTINGS = st.dictionaries(st.text("st", max_size=2), st.text("uv", max_size=3), max_size=2)
_VERSIONS = st.sampled_from(["1.0.0", "1.0.1"])
_SOURCES = st.tuples(_TREES, _LINKS, st.lists(st.text("ab", max_size=2), max_size=2))


def _source(parts: tuple[Mapping[str, tuple[Kind, bytes]], Mapping[str, str], list[str]]) -> str:
    tree, links, modules = parts
    return digest(
        InMemory(tree), Coverage({path: path for path in sorted(tree)}, dict(sorted(links.items())), tuple(modules))
    )


@given(_SOURCES, _SOURCES)
def test_two_sources_have_one_digest_only_if_they_are_the_same(first: object, second: object) -> None:
    assert (_source(first) == _source(second)) == (first == second)  # type: ignore[arg-type]


@given(st.tuples(_SOURCES, _VERSIONS, _SETTINGS, st.sampled_from(["lint", "scan"])), st.data())
def test_a_key_changes_with_everything_that_a_result_depends_on(
    parts: tuple[object, str, dict[str, str], str], data: st.DataObject
) -> None:
    other = data.draw(st.tuples(_SOURCES, _VERSIONS, _SETTINGS, st.sampled_from(["lint", "scan"])))

    def key(of: tuple[object, str, dict[str, str], str]) -> str:
        source, version, settings, check = of
        tool = Tool("tflint", version, Path(__file__), "PATH")
        return ResultKey.of(check, _source(source), (tool,), settings).shared  # type: ignore[arg-type]

    assert (key(parts) == key(other)) == (parts == other)


def test_a_program_that_was_replaced_by_one_of_the_same_version_is_another_one(tmp_path: Path) -> None:
    program = tmp_path / "tflint"
    program.write_text("one")
    tool = Tool("tflint", "1.0.0", program, "PATH")
    before = ResultKey.of("lint", "s", (tool,), {})

    program.write_text("another")
    elsewhere = tmp_path / "copy"
    elsewhere.write_text("one")

    assert ResultKey.of("lint", "s", (tool,), {}).shared == before.shared
    assert ResultKey.of("lint", "s", (tool,), {}).local != before.local
    assert ResultKey.of("lint", "s", (replace(tool, path=elsewhere),), {}).local != before.local
