"""The build specifications that the projects of the pipelines have."""

from __future__ import annotations

from pathlib import Path

REPOSITORY = Path(__file__).parents[3]


def test_build_specifications_are_short_and_pinned() -> None:
    found = sorted((REPOSITORY / "buildspecs").glob("*.yml"))
    assert [file.stem for file in found] == ["apply", "check", "copy", "plan", "submit", "verify"]
    for file in found:
        lines = file.read_text().splitlines()
        assert len(lines) <= 30, file
        assert file.stem == "copy" or any("--require-hashes" in line for line in lines), file
