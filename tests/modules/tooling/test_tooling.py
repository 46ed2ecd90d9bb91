"""The tooling with layout regional: the same module in each of two Regions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrate_sandbox.clients import client
from tests.support.tooling_project import AppliedTooling

pytestmark = pytest.mark.slow

STEMS = {"us-east-1": "acme-tf-use1", "eu-central-1": "acme-tf-euc1"}


def _pipelines(sandbox: Any, region: str) -> list[str]:
    return [found["name"] for found in client(sandbox, "codepipeline", region=region).list_pipelines()["pipelines"]]


def _prefixes(sandbox: Any, region: str, rule: str) -> list[str]:
    pattern = json.loads(client(sandbox, "events", region=region).describe_rule(Name=rule)["EventPattern"])
    return sorted(one["prefix"] for one in pattern["detail"]["referenceName"])


def test_two_regions_have_tooling_of_their_own(project: AppliedTooling) -> None:
    assert [(one["region"], one["result"]) for one in project.results] == [(region, "applied") for region in STEMS]
    found = {region: _pipelines(project.sandbox, region) for region in STEMS}
    assert found == {"us-east-1": ["acme-tf-use1-dev", "acme-tf-use1-prod"], "eu-central-1": ["acme-tf-euc1-dev"]}
    for region, stem in STEMS.items():
        state = client(project.sandbox, "s3").list_objects_v2(Bucket=f"{stem}-tooling")["Contents"]
        assert "_tooling/terraform.tfstate" in [item["Key"] for item in state]
        assert client(project.sandbox, "codecommit", region=region).get_repository(repositoryName="infrastructure")


def test_each_regions_tags_start_its_own_pipeline(project: AppliedTooling) -> None:
    prefixes = {region: _prefixes(project.sandbox, region, f"{stem}-dev-tags") for region, stem in STEMS.items()}
    assert prefixes == {"us-east-1": ["dev_global/", "dev_us-east-1/"], "eu-central-1": ["dev_eu-central-1/"]}


def test_the_repository_is_copied_to_the_other_region(project: AppliedTooling) -> None:
    (copies,) = client(project.sandbox, "codebuild").batch_get_projects(names=["acme-tf-use1-tooling-copy"])["projects"]
    told = {variable["name"]: variable["value"] for variable in copies["environment"]["environmentVariables"]}
    assert "eu-central-1" in told["REPLICA_URLS"]
