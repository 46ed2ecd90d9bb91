"""CodeCommit's repositories: what moto lacks of them.

moto has dates as text, which clients do not read, and neither tags nor updates.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from moto.codecommit.exceptions import RepositoryDoesNotExistException
from moto.codecommit.responses import CodeCommitResponse
from moto.core.responses import ActionResult, EmptyResult

from orchestrate_sandbox.moto_additions.requests import Invalid, checked
from orchestrate_sandbox.pipeline import repositories


def apply() -> None:
    CodeCommitResponse.create_repository = _create
    CodeCommitResponse.get_repository = _get
    CodeCommitResponse.delete_repository = _delete
    CodeCommitResponse.list_repositories = _list
    CodeCommitResponse.update_repository_description = _changing("repositoryDescription", "repositoryDescription")
    CodeCommitResponse.update_default_branch = _changing("defaultBranchName", "defaultBranch")
    CodeCommitResponse.update_repository_encryption_key = _encrypt
    CodeCommitResponse.list_tags_for_resource = _list_tags
    CodeCommitResponse.tag_resource = _tag
    CodeCommitResponse.untag_resource = _untag


def _create(self: Any) -> ActionResult:
    wanted = checked(self)
    location = _location(self, wanted["repositoryName"])
    metadata = self.codecommit_backend.create_repository(wanted["repositoryName"], wanted.get("repositoryDescription"))
    now = dt.datetime.now(dt.UTC)
    metadata.update(creationDate=now, lastModifiedDate=now, kmsKeyId=wanted.get("kmsKeyId"))
    _existing(self, wanted["repositoryName"]).tags = dict(wanted.get("tags") or {})
    repositories.create(location)
    return ActionResult({"repositoryMetadata": metadata})


def _get(self: Any) -> ActionResult:
    name = checked(self)["repositoryName"]
    metadata = _existing(self, name).repository_metadata
    branch = metadata.get("defaultBranch") or repositories.first_branch(_location(self, name))
    return ActionResult({"repositoryMetadata": {**metadata, "defaultBranch": branch}})


def _delete(self: Any) -> ActionResult:
    location = _location(self, checked(self)["repositoryName"])
    found = self.codecommit_backend.delete_repository(location.name)
    repositories.delete(location)
    return ActionResult({"repositoryId": found})


def _list(self: Any) -> ActionResult:
    kept = self.codecommit_backend.repositories.items()
    found = [{"repositoryName": name, "repositoryId": one.repository_metadata["repositoryId"]} for name, one in kept]
    return ActionResult({"repositories": found})


def _changing(parameter: str, key: str) -> Callable[[Any], EmptyResult]:
    def change(self: Any) -> EmptyResult:
        wanted = checked(self)
        metadata = _existing(self, wanted["repositoryName"]).repository_metadata
        metadata.update({key: wanted.get(parameter), "lastModifiedDate": dt.datetime.now(dt.UTC)})
        return EmptyResult()

    return change


def _encrypt(self: Any) -> ActionResult:
    wanted = checked(self)
    metadata = _existing(self, wanted["repositoryName"]).repository_metadata
    before, metadata["kmsKeyId"] = metadata.get("kmsKeyId"), wanted["kmsKeyId"]
    ids = {"repositoryId": metadata["repositoryId"], "kmsKeyId": wanted["kmsKeyId"], "originalKmsKeyId": before}
    return ActionResult(ids)


def _list_tags(self: Any) -> ActionResult:
    return ActionResult({"tags": _of_arn(self, checked(self)["resourceArn"]).tags})


def _tag(self: Any) -> EmptyResult:
    wanted = checked(self)
    _of_arn(self, wanted["resourceArn"]).tags.update(wanted["tags"])
    return EmptyResult()


def _untag(self: Any) -> EmptyResult:
    wanted = checked(self)
    tags = _of_arn(self, wanted["resourceArn"]).tags
    for key in wanted["tagKeys"]:
        tags.pop(key, None)
    return EmptyResult()


def _of_arn(response: Any, arn: str) -> Any:
    return _existing(response, arn.rpartition(":")[2])


def _existing(response: Any, name: str) -> Any:
    found = response.codecommit_backend.repositories.get(name)
    if found is None:
        raise RepositoryDoesNotExistException(name)
    return found


def _location(response: Any, name: str) -> repositories.Location:
    try:
        return repositories.Location(response.current_account, response.region, name)
    except ValueError as error:
        raise Invalid("InvalidRepositoryNameException", str(error)) from None
