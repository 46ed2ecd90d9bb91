"""Many releases as a table and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from orchestrator.model.release.fleet import RESULTS, Course
from orchestrator.report.text.table import table
from orchestrator.stages.fleet.fleet import Outcome


def text(outcome: Outcome) -> str:
    """The table, and below it why each that did not succeed did not."""
    rows = (_row(course) for course in outcome.courses)
    why = [f"{course.tag}: {course.why}" for course in outcome.courses if course.why]
    return "\n".join([table(("TAG", "EXECUTION", "STAGE", "RESULT"), rows), "", *why, _counts(outcome.courses)])


def _row(course: Course) -> tuple[str, ...]:
    return (course.tag, course.execution or "-", course.stage or "-", course.result)


def _counts(courses: Sequence[Course]) -> str:
    counted = Counter(course.result for course in courses)
    return ", ".join(f"{number} {result}" for result, number in counted.most_common())


def fields(outcome: Outcome, where: str) -> dict[str, Any]:
    """`release --format json` for more than one release, or for one on AWS."""
    return {
        "on": where,
        "result": RESULTS[outcome.code],
        "exit_code": outcome.code,
        "releases": [_fields(course) for course in outcome.courses],
    }


def _fields(course: Course) -> dict[str, Any]:
    return {
        "tag": course.tag,
        "target": course.target,
        "commit": course.commit or None,
        "wave": course.wave + 1,
        "stage": course.stage or None,
        "result": course.result,
        "exit_code": course.code,
        "execution": course.execution or None,
        "log": course.log or None,
        "why": course.why or None,
    }
