"""CodeBuild's builds really run. In moto they succeed at once, whatever their build specification says."""

from __future__ import annotations

from typing import Any

from moto.codebuild.responses import CodeBuildResponse
from moto.core.responses import ActionResult

from orchestrate_sandbox.moto_additions import build_projects
from orchestrate_sandbox.moto_additions.callers import arns_of_caller
from orchestrate_sandbox.moto_additions.pages_of_results import page_of
from orchestrate_sandbox.moto_additions.requests import Invalid, checked
from orchestrate_sandbox.pipeline import builds
from orchestrate_sandbox.pipeline.build import RUNNING, EmulatedBuild, Order

_INVALID = "InvalidInputException"
_OF_PROJECT = {
    "artifactsOverride": "artifacts",
    "cacheOverride": "cache",
    "encryptionKeyOverride": "encryptionKey",
    "logsConfigOverride": "logsConfig",
    "queuedTimeoutInMinutesOverride": "queuedTimeoutInMinutes",
    "serviceRoleOverride": "serviceRole",
    "timeoutInMinutesOverride": "timeoutInMinutes",
}
_OF_SOURCE = {
    "buildspecOverride": "buildspec",
    "gitCloneDepthOverride": "gitCloneDepth",
    "sourceLocationOverride": "location",
    "sourceTypeOverride": "type",
}
_OF_ENVIRONMENT = {
    "computeTypeOverride": "computeType",
    "environmentTypeOverride": "type",
    "imageOverride": "image",
    "privilegedModeOverride": "privilegedMode",
}
_UNDERSTOOD = {"projectName", "sourceVersion", "environmentVariablesOverride", "idempotencyToken"}


def apply() -> None:
    CodeBuildResponse.start_build = _start
    CodeBuildResponse.retry_build = _retry
    CodeBuildResponse.stop_build = _stop
    CodeBuildResponse.batch_get_builds = _batch_get
    CodeBuildResponse.list_builds = _list
    CodeBuildResponse.list_builds_for_project = _list_for_project


def overridden(project: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    """The project as StartBuild's overrides make it; NotImplementedError for one that would have no effect here."""
    if set(request) - _UNDERSTOOD - set(_OF_PROJECT) - set(_OF_SOURCE) - set(_OF_ENVIRONMENT):
        raise NotImplementedError
    source = {**project["source"], **_renamed(request, _OF_SOURCE)}
    environment = {**project["environment"], **_renamed(request, _OF_ENVIRONMENT)}
    given = {one["name"]: one for one in environment.get("environmentVariables", [])}
    given |= {one["name"]: one for one in request.get("environmentVariablesOverride", [])}
    environment["environmentVariables"] = list(given.values())
    return {**project, **_renamed(request, _OF_PROJECT), "source": source, "environment": environment}


def _renamed(request: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    return {name: request[parameter] for parameter, name in names.items() if parameter in request}


def _start(self: Any) -> ActionResult:
    request = checked(self, code=_INVALID)
    backend = self.codebuild_backend
    known = builds.builds_of(backend).by_token
    token = request.get("idempotencyToken")
    if token in known:
        return ActionResult({"build": known[token].view()})
    project = build_projects.project(backend, request["projectName"])
    if project is None:
        raise Invalid("ResourceNotFoundException", f"Project cannot be found: {request['projectName']}")
    wanted = overridden(project, request)
    if wanted["source"]["type"] == "CODEPIPELINE":
        raise Invalid(_INVALID, "Builds of a project with a source of type CODEPIPELINE are started by CodePipeline")
    build = _started(self, wanted, request.get("sourceVersion"))
    if token:
        known[token] = build
    return ActionResult({"build": build.view()})


def _started(response: Any, project: dict[str, Any], source_version: str | None) -> EmulatedBuild:
    backend = response.codebuild_backend
    initiator = min(arns_of_caller(response), key=lambda arn: ":sts:" not in arn).split(":", 5)[5]
    order = Order(project, builds.next_number(backend, project["name"]), initiator, source_version)
    try:
        return builds.start(backend, order)
    except builds.LimitExceeded as error:
        raise Invalid("AccountLimitExceededException", str(error)) from None


def _retry(self: Any) -> ActionResult:
    """As the build was started, with what the project was then."""
    before = _existing(self, checked(self, code=_INVALID)["id"])
    if before.status == RUNNING:
        raise Invalid(_INVALID, f"Build {before.id} is still in progress")
    if before.project["source"]["type"] == "CODEPIPELINE":
        raise Invalid(_INVALID, "Builds of a project with a source of type CODEPIPELINE are retried by CodePipeline")
    return ActionResult({"build": _started(self, before.project, before.order.source_version).view()})


def _stop(self: Any) -> ActionResult:
    build = _existing(self, checked(self, code=_INVALID)["id"])
    if build.ended is None:
        builds.stop(build)
    return ActionResult({"build": build.view()})


def _batch_get(self: Any) -> ActionResult:
    """Ids or ARNs."""
    ids = checked(self, code=_INVALID)["ids"]
    known = builds.builds_of(self.codebuild_backend).by_id
    found = [known[_id(one)].view() for one in ids if _id(one) in known]
    return ActionResult({"builds": found, "buildsNotFound": [one for one in ids if _id(one) not in known]})


def _list(self: Any) -> ActionResult:
    return _page(list(builds.builds_of(self.codebuild_backend).by_id.values()), checked(self, code=_INVALID))


def _list_for_project(self: Any) -> ActionResult:
    body = checked(self, code=_INVALID)
    if build_projects.project(self.codebuild_backend, body["projectName"]) is None:
        raise Invalid("ResourceNotFoundException", f"The provided project {body['projectName']} does not exist")
    return _page(builds.builds_of(self.codebuild_backend).of_project(body["projectName"]), body)


def _page(found: list[EmulatedBuild], body: dict[str, Any]) -> ActionResult:
    """Newest first, unless asked otherwise."""
    ids = [build.id for build in found]
    page, token = page_of(ids if body.get("sortOrder") == "ASCENDING" else ids[::-1], body)
    return ActionResult({"ids": page, "nextToken": token})


def _existing(response: Any, build_id: str) -> EmulatedBuild:
    found = builds.builds_of(response.codebuild_backend).by_id.get(_id(build_id))
    if found is None:
        raise Invalid("ResourceNotFoundException", f"Build {build_id} does not exist")
    return found


def _id(id_or_arn: str) -> str:
    return id_or_arn.rpartition("/")[2]
