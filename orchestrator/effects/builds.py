"""CodeBuild: whether a build that held something is over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.effects.aws import Session


def own_build(env: Mapping[str, str]) -> str:
    """The id of the build that we run in, empty elsewhere (CodeBuild, "Environment variables in builds")."""
    return env.get("CODEBUILD_BUILD_ID", "")


@dataclass(frozen=True)
class Builds:
    """The builds of one Region; `env` for hints."""

    aws: Session
    region: str
    env: str

    def ended(self, build: str) -> bool:
        """False also where CodeBuild does not know the build: what cannot be shown counts as still under way."""
        with self.aws.explained("ask whether the build has ended:", build, env=self.env):
            client: Any = self.aws.client
            answer = client("codebuild", self.region).batch_get_builds(ids=[build])
        return any(found["id"] == build and found["buildStatus"] != "IN_PROGRESS" for found in answer["builds"])
