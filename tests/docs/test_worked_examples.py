"""The worked examples of docs/contributing/: whoever follows a page word by word gets what it promises."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.worked_example import TOP, carried_out

PAGES = sorted((TOP / "docs/contributing").glob("add-*.md"))


def test_there_are_examples() -> None:
    assert {page.stem for page in PAGES} >= {"add-a-check", "add-a-command"}


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_an_example_works_as_it_is_written(page: Path, tmp_path: Path) -> None:
    example = carried_out(page, tmp_path)
    tests = [path for path in example.written if Path(path).name.startswith("test_")]
    assert tests
    assert [command for command in example.commands if command.startswith(f"make test T={tests[0]}")]
    for done in (example.ruff(), example.pytest(*tests)):
        assert done.returncode == 0, done.stdout
