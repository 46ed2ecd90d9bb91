"""How the counts of a plan are told."""

from __future__ import annotations

import pytest

from orchestrator.model.terraform.plan import Summary


@pytest.mark.parametrize(
    ("summary", "changes", "words"),
    [
        (Summary(), False, "no changes"),
        (Summary(), True, "only outputs change"),
        (Summary(outputs=2), True, "only outputs change"),
        (Summary(add=1, outputs=1), True, "1 to add, 0 to change, 0 to destroy, 0 to replace, 1 output to change"),
        (Summary(change=1, outputs=2), True, "0 to add, 1 to change, 0 to destroy, 0 to replace, 2 outputs to change"),
        (Summary(move=1, forget=2, import_=3), True,
         "0 to add, 0 to change, 0 to destroy, 0 to replace, 3 to import, 1 to move, 2 to forget"),
    ],
)  # fmt: skip
def test_every_kind_of_change_is_counted(summary: Summary, changes: bool, words: str) -> None:
    assert summary.words(changes) == words
