"""Questions to people: who answers them, and what happens where nobody can."""

from __future__ import annotations

import io

import click
import pytest

from orchestrator.cli.context import confirm
from orchestrator.errors import UsageError


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.setattr("sys.stdin", request.param)


@pytest.mark.parametrize("typed", [Terminal("y\n"), io.StringIO("y\n")], indirect=True)
@pytest.mark.usefixtures("typed")
def test_a_yes_goes_on() -> None:
    confirm("Adopt this state?")


@pytest.mark.parametrize("typed", [Terminal("n\n"), Terminal("")], indirect=True)
@pytest.mark.usefixtures("typed")
def test_a_no_at_a_terminal_stops() -> None:
    with pytest.raises(click.Abort):
        confirm("Adopt this state?")


@pytest.mark.parametrize("typed", [io.StringIO("n\n"), io.StringIO("")], indirect=True)
@pytest.mark.usefixtures("typed")
def test_where_nobody_can_answer_the_option_is_named() -> None:
    with pytest.raises(UsageError, match="standard input is not a terminal") as raised:
        confirm("Adopt this state?")
    assert raised.value.hint == "Pass --yes to confirm beforehand."
