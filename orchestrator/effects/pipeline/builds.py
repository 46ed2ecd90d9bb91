"""CodeBuild: what became of builds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.effects.aws.session import Session

_RUNS = "IN_PROGRESS"


def own_build(env: Mapping[str, str]) -> str:
    """The id of the build that we run in, empty elsewhere (CodeBuild, "Environment variables in builds")."""
    return env.get("CODEBUILD_BUILD_ID", "")


@dataclass(frozen=True)
class Build:
    """`status` as CodeBuild names it; `why` is what the phases say of a failure."""

    id: str
    status: str
    why: str
    variables: Mapping[str, str]

    @property
    def failed(self) -> bool:
        return self.status not in (_RUNS, "SUCCEEDED")


@dataclass(frozen=True)
class Builds:
    """The builds of one Region; `env` for hints."""

    aws: Session
    region: str
    env: str

    def ended(self, build: str) -> bool:
        """False also where CodeBuild does not know the build: what cannot be shown counts as still under way."""
        return any(found.status != _RUNS for found in self.of([build]))

    def newest(self, project: str) -> tuple[str, ...]:
        """The ids of its last hundred builds, the newest first."""
        with self.aws.explained("list the builds of", project, env=self.env):
            return tuple(self._codebuild.list_builds_for_project(projectName=project, sortOrder="DESCENDING")["ids"])

    def of(self, ids: Sequence[str]) -> tuple[Build, ...]:
        """At most a hundred, in this order; those that CodeBuild knows."""
        if not ids:
            return ()
        with self.aws.explained("ask for builds of", ids[0].partition(":")[0], env=self.env):
            found = {one["id"]: _build(one) for one in self._codebuild.batch_get_builds(ids=list(ids))["builds"]}
        return tuple(found[id] for id in ids if id in found)

    @property
    def _codebuild(self) -> Any:
        client: Any = self.aws.client
        return client("codebuild", self.region)


def _build(build: Mapping[str, Any]) -> Build:
    told = [context.get("message") for phase in build["phases"] for context in phase.get("contexts") or ()]
    variables = build["environment"].get("environmentVariables", ())
    return Build(
        build["id"],
        build["buildStatus"],
        "; ".join(message for message in told if message),
        {variable["name"]: variable["value"] for variable in variables},
    )
