"""Stages run in the test's own process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from orchestrator.effects.git.repository import Repository
from orchestrator.stages.context.context import ReleaseContext
from orchestrator.stages.tags.resolve import resolve
from tests.support.projects import E2eProject


@dataclass(frozen=True)
class Stand:
    """One release of a project; `said` is what its stages told on the way."""

    ctx: ReleaseContext
    said: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n".join(self.said)


Standing = Callable[..., Stand]


@pytest.fixture
def stand(boto_env: None) -> Standing:
    """Resolves a tag of a project; variables given by name are added to its environment."""

    def make(project: E2eProject, tag: str, **env: str) -> Stand:
        said: list[str] = []
        repository = Repository.open(project.folder)
        return Stand(
            ReleaseContext(resolve(repository, tag, None), repository, {**project.env, **env}, said.append), said
        )

    return make
