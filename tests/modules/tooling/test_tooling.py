"""The tooling with layout regional: the same module in each of two Regions, here with keys that S3 manages."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from orchestrator.sandbox.clients import client

pytestmark = pytest.mark.slow


def _pipelines(sandbox: Any, region: str) -> dict[str, Any]:
    service = client(sandbox, "codepipeline", region=region)
    names = [found["name"] for found in service.list_pipelines()["pipelines"]]
    return {name: service.get_pipeline(name=name)["pipeline"] for name in names}


def _rules(sandbox: Any, region: str) -> dict[str, Any]:
    found = client(sandbox, "events", region=region).list_rules()["Rules"]
    return {rule["Name"]: json.loads(rule["EventPattern"]) for rule in found}


def test_two_regions_have_tooling_of_their_own(
    new_project: Callable[[Mapping[str, str]], Any], regional: Mapping[str, str]
) -> None:
    project = new_project(regional)
    applied = project.ok("tooling", "apply")["tooling"]
    assert [(one["region"], one["result"]) for one in applied] == [
        ("us-east-1", "applied"),
        ("eu-central-1", "applied"),
    ]
    prefixes = {}
    for region, stem in (("us-east-1", "acme-tf-use1"), ("eu-central-1", "acme-tf-euc1")):
        assert list(_pipelines(project.sandbox, region)) == [f"{stem}-dev"]
        pattern = _rules(project.sandbox, region)[f"{stem}-dev-tags"]
        prefixes[region] = sorted(one["prefix"] for one in pattern["detail"]["referenceName"])
        state = client(project.sandbox, "s3").list_objects_v2(Bucket=f"{stem}-tooling")["Contents"]
        assert "_tooling/terraform.tfstate" in [item["Key"] for item in state]
        assert client(project.sandbox, "codecommit", region=region).get_repository(repositoryName="infrastructure")
    assert prefixes == {"us-east-1": ["dev_global/", "dev_us-east-1/"], "eu-central-1": ["dev_eu-central-1/"]}
    copies = client(project.sandbox, "codebuild").batch_get_projects(names=["acme-tf-use1-tooling-copy"])["projects"]
    told = {variable["name"]: variable["value"] for variable in copies[0]["environment"]["environmentVariables"]}
    assert "eu-central-1" in told["REPLICA_URLS"]
