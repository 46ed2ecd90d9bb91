"""Stages run in the test's own process, against one emulated AWS for each test process."""

from __future__ import annotations

from tests.support.projects import new_project
from tests.support.stages import stand

__all__ = ["new_project", "stand"]
