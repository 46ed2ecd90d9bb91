"""Diagnoses: what became of one look, and the exit code of all."""

from __future__ import annotations

import errno

from orchestrator.errors import DependencyError, InvalidInput
from orchestrator.model.doctor.diagnosis import Diagnosis, failed, looked, not_checked, ok, warning, worst


def test_the_worst_failure_decides_the_exit_code() -> None:
    wrong = [failed("a", InvalidInput("x")), failed("b", DependencyError("y")), ok("c", "z")]
    assert worst(wrong) == 6
    assert worst(wrong[::2]) == 3


def test_warnings_and_what_was_not_checked_do_not_fail() -> None:
    assert worst([ok("a", "x"), warning("b", "y", "do z"), not_checked("c", "b is wrong")]) == 0
    assert worst([]) == 0


def test_what_a_look_raises_is_its_diagnosis() -> None:
    def refuse() -> Diagnosis:
        raise InvalidInput("it is crooked", hint="Straighten it.")

    assert looked("back", refuse) == Diagnosis("back", "failed", "it is crooked", "Straighten it.", 3)


def test_an_error_of_the_system_names_the_file_where_there_is_one() -> None:
    def unreadable() -> Diagnosis:
        raise PermissionError(errno.EACCES, "Permission denied", "/some/file")

    def full() -> Diagnosis:
        raise OSError(errno.ENOSPC, "No space left on device")

    assert looked("a", unreadable).found == "/some/file: Permission denied"
    assert looked("a", full).found == "the system: No space left on device"
    assert looked("a", full).exit_code == 6


def test_what_looks_right_stays_as_it_is() -> None:
    assert looked("a", lambda: ok("a", "fine")) == Diagnosis("a", "ok", "fine", None, 0)
