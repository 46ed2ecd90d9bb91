"""CodePipeline's pipelines: what moto does otherwise than AWS.

moto refuses a role whose trust policy names several services in one statement, has the dates of GetPipeline as text,
which clients do not read, and takes definitions that AWS refuses.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from moto.codepipeline.exceptions import InvalidStructureException, PipelineNotFoundException
from moto.codepipeline.models import CodePipeline
from moto.codepipeline.responses import CodePipelineResponse
from moto.core.responses import ActionResult

from orchestrate_sandbox.moto_additions.requests import Invalid, checked
from orchestrate_sandbox.moto_additions.service_roles import refusal

_SERVICE = "codepipeline.amazonaws.com"


def apply() -> None:
    CodePipelineResponse.create_pipeline = _create
    CodePipelineResponse.update_pipeline = _update
    CodePipelineResponse.get_pipeline = _get
    CodePipelineResponse.list_pipelines = _list


def existing(response: Any, name: str) -> Any:
    """moto's pipeline of that name; PipelineNotFoundException where there is none."""
    found = response.codepipeline_backend.pipelines.get(name)
    if found is None:
        account = response.current_account
        raise PipelineNotFoundException(f"Account '{account}' does not have a pipeline with name '{name}'")
    return found


def _create(self: Any) -> ActionResult:
    wanted = checked(self)
    definition = wanted["pipeline"]
    kept = self.codepipeline_backend.pipelines
    if definition["name"] in kept:
        raise Invalid("PipelineNameInUseException", f"A pipeline with the name '{definition['name']}' already exists")
    _check(self, definition)
    made = CodePipeline(self.current_account, self.region, definition)
    made.validate_tags(wanted.get("tags") or [])
    made.tags.update({tag["key"]: tag["value"] for tag in wanted.get("tags") or []})
    made._created = made._updated = dt.datetime.now(dt.UTC)
    kept[definition["name"]] = made
    return ActionResult({"pipeline": made.pipeline, "tags": wanted.get("tags") or []})


def _update(self: Any) -> ActionResult:
    definition = checked(self)["pipeline"]
    found = existing(self, definition["name"])
    _check(self, definition)
    definition["version"] = found.pipeline["version"] + 1
    found.pipeline = found.add_default_values(definition)
    found._updated = dt.datetime.now(dt.UTC)
    return ActionResult({"pipeline": found.pipeline})


def _get(self: Any) -> ActionResult:
    found = existing(self, checked(self)["name"])
    metadata = {"pipelineArn": found._arn, "created": found._created, "updated": found._updated}
    return ActionResult({"pipeline": found.pipeline, "metadata": metadata})


def _list(self: Any) -> ActionResult:
    return ActionResult({"pipelines": [_summary(name, one) for name, one in sorted(_pipelines(self).items())]})


def _summary(name: str, found: Any) -> dict[str, Any]:
    kept = {key: found.pipeline[key] for key in ("version", "pipelineType", "executionMode") if key in found.pipeline}
    return {"name": name, "created": found._created, "updated": found._updated, **kept}


def _pipelines(response: Any) -> dict[str, Any]:
    kept: dict[str, Any] = response.codepipeline_backend.pipelines
    return kept


def _check(response: Any, definition: dict[str, Any]) -> None:
    """The rules of "Pipeline structure reference" (CodePipeline user guide) that a definition most likely breaks."""
    if reason := refusal(definition["roleArn"], _SERVICE, response.current_account):
        raise InvalidStructureException(
            f"CodePipeline is not authorized to perform AssumeRole on role {definition['roleArn']} (sandbox: {reason})"
        )
    if len(definition["stages"]) < 2:
        raise InvalidStructureException(
            "Pipeline has only 1 stage(s). There should be a minimum of 2 stages in a pipeline"
        )
    if definition.get("pipelineType", "V1") == "V1" and (
        definition.get("executionMode", "SUPERSEDED") != "SUPERSEDED" or definition.get("variables")
    ):
        raise InvalidStructureException("Execution modes and variables need a pipeline of type V2")
    _check_artifacts(definition)


def _check_artifacts(definition: dict[str, Any]) -> None:
    """Every input is the output of an action that runs before."""
    known: set[str] = set()
    for stage in definition["stages"]:
        for action in sorted(stage["actions"], key=lambda action: int(action.get("runOrder", 1))):
            missing = {one["name"] for one in action.get("inputArtifacts", [])} - known
            if missing:
                raise InvalidStructureException(
                    f"Action {action['name']} in stage {stage['name']} needs the artifact {min(missing)}, "
                    "which no action before it makes"
                )
            known |= {one["name"] for one in action.get("outputArtifacts", [])}
