"""Where things are: subjects inside the layers, tests where the code is, what tests share in tests/support/."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
LAYERS = ("model", "effects", "stages", "report")


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_tests_import_no_tests() -> None:
    """What several need is in tests/support/: a test that another needs cannot be changed alone."""
    files = sorted(TOP.glob("tests/**/*.py"))
    found = {
        f"{file.relative_to(TOP)}: {name}"
        for file in files
        for name in imported(file)
        if name.startswith("tests.") and not name.startswith("tests.support.")
    }
    assert len(files) > 100
    assert found == set()


@pytest.mark.parametrize("layer", LAYERS)
def test_nothing_lies_flat_in_a_layer(layer: str) -> None:
    """Each module has a subject, and each subject a sentence."""
    folder = TOP / "orchestrator" / layer
    subjects = [path for path in folder.iterdir() if path.is_dir() and path.name != "__pycache__"]
    assert len(subjects) > 1
    assert [path.name for path in folder.glob("*.py")] == ["__init__.py"]
    assert [path.name for path in (TOP / "tests" / layer).glob("test_*.py")] == []
    for subject in subjects:
        (docstring,) = ast.parse((subject / "__init__.py").read_text("utf-8")).body
        assert isinstance(docstring, ast.Expr), f"{subject}: a package says what it is about, and imports nothing"


@pytest.mark.parametrize("layer", [*LAYERS, "cli", "sandbox"])
def test_tests_stand_where_the_code_stands(layer: str) -> None:
    tests = TOP / "tests" / layer
    code = TOP / "sandbox/orchestrate_sandbox" if layer == "sandbox" else TOP / "orchestrator" / layer
    folders = {file.parent.relative_to(tests) for file in tests.rglob("test_*.py")}
    assert folders
    assert [str(folder) for folder in folders if not (code / folder).is_dir()] == []


def test_no_class_name_is_used_twice() -> None:
    """Whoever reads `Place` must not have to ask which."""
    files = [file for folder in ("orchestrator", "sandbox", "tests", "bench") for file in (TOP / folder).rglob("*.py")]
    found = Counter(
        node.name
        for file in files
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.ClassDef)
    )
    assert len(found) > 300
    assert [name for name, times in found.items() if times > 1] == []
