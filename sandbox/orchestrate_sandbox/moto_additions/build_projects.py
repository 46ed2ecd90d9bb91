"""CodeBuild's projects, kept as they were written.

moto refuses source and artifacts of type CODEPIPELINE, drops what it does not know (`concurrentBuildLimit` among it, so
that Terraform finds a difference for ever), has no UpdateProject and no webhooks, and deletes by name alone, although
the AWS provider sends the ARN.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from moto.codebuild.responses import CodeBuildResponse
from moto.core.responses import ActionResult, EmptyResult

from orchestrate_sandbox.moto_additions.requests import Invalid, checked

_INVALID = "InvalidInputException"
_DEFAULTS: dict[str, Any] = {
    "timeoutInMinutes": 60,
    "queuedTimeoutInMinutes": 480,
    "cache": {"type": "NO_CACHE"},
    "badge": {"badgeEnabled": False},
    "projectVisibility": "PRIVATE",
    "tags": [],
}
_SERVICE_KEY = "arn:{partition}:kms:{region}:{account}:alias/aws/s3"


def apply() -> None:
    CodeBuildResponse.create_project = _create
    CodeBuildResponse.update_project = _update
    CodeBuildResponse.delete_project = _delete
    CodeBuildResponse.batch_get_projects = _batch_get
    CodeBuildResponse.list_projects = _list
    CodeBuildResponse.create_webhook = _put_webhook
    CodeBuildResponse.update_webhook = _put_webhook
    CodeBuildResponse.delete_webhook = _delete_webhook


def project(backend: Any, name_or_arn: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = _projects(backend).get(_name(name_or_arn))
    return found


def _projects(backend: Any) -> dict[str, dict[str, Any]]:
    """moto's own dictionary, so that a reset empties it; the values are ours."""
    projects: dict[str, dict[str, Any]] = backend.codebuild_projects
    return projects


def _name(name_or_arn: str) -> str:
    return name_or_arn.rpartition("/")[2] if name_or_arn.startswith("arn:") else name_or_arn


def _create(self: Any) -> ActionResult:
    wanted = checked(self, code=_INVALID)
    projects = _projects(self.codebuild_backend)
    if wanted["name"] in projects:
        raise Invalid("ResourceAlreadyExistsException", f"Project already exists: {projects[wanted['name']]['arn']}")
    now = dt.datetime.now(dt.UTC)
    place = {"partition": self.partition, "region": self.region, "account": self.current_account}
    made = {
        **_DEFAULTS,
        "arn": "arn:{partition}:codebuild:{region}:{account}:project/".format(**place) + wanted["name"],
        "encryptionKey": _SERVICE_KEY.format(**place),
        "created": now,
    }
    projects[wanted["name"]] = made
    return _written(made, wanted, now)


def _update(self: Any) -> ActionResult:
    wanted = checked(self, code=_INVALID)
    return _written(_existing(self, wanted["name"]), wanted, dt.datetime.now(dt.UTC))


def _written(made: dict[str, Any], wanted: dict[str, Any], now: dt.datetime) -> ActionResult:
    """`concurrentBuildLimit` of -1 takes the limit away ("UpdateProject" in the CodeBuild API reference)."""
    made.update({**wanted, "name": _name(wanted["name"]), "lastModified": now})
    if "badgeEnabled" in wanted:
        made["badge"] = {"badgeEnabled": wanted["badgeEnabled"]}
    if made.get("concurrentBuildLimit") == -1:
        del made["concurrentBuildLimit"]
    return ActionResult({"project": made})


def _delete(self: Any) -> EmptyResult:
    _projects(self.codebuild_backend).pop(_name(checked(self, code=_INVALID)["name"]), None)
    return EmptyResult()


def _batch_get(self: Any) -> ActionResult:
    names = checked(self, code=_INVALID)["names"]
    found = {name: project(self.codebuild_backend, name) for name in names}
    return ActionResult(
        {
            "projects": [project for project in found.values() if project is not None],
            "projectsNotFound": [name for name, project in found.items() if project is None],
        }
    )


def _list(self: Any) -> ActionResult:
    return ActionResult({"projects": sorted(_projects(self.codebuild_backend))})


def _put_webhook(self: Any) -> ActionResult:
    """Kept only: nothing outside calls it."""
    wanted = checked(self, code=_INVALID)
    name = wanted.pop("projectName")
    found = _existing(self, name)
    address = f"https://codebuild.{self.region}.amazonaws.com/webhooks?project={name}"
    before = found.get("webhook") or {"url": address, "payloadUrl": address, "buildType": "BUILD"}
    found["webhook"] = {**before, **wanted, "lastModifiedSecret": dt.datetime.now(dt.UTC)}
    return ActionResult({"webhook": found["webhook"]})


def _delete_webhook(self: Any) -> EmptyResult:
    _existing(self, checked(self, code=_INVALID)["projectName"]).pop("webhook", None)
    return EmptyResult()


def _existing(response: Any, name: str) -> dict[str, Any]:
    found = project(response.codebuild_backend, name)
    if found is None:
        raise Invalid("ResourceNotFoundException", f"Project cannot be found: {name}")
    return found
