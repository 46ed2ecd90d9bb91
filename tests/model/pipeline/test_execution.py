"""What steps are told, and what they tell."""

from __future__ import annotations

import subprocess
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import msgspec
import pytest

from orchestrator.errors import DependencyError, OrchestrateError, Refused
from orchestrator.model.pipeline import execution
from orchestrator.model.pipeline.execution import CheckResult, StepExecution, handed_on
from orchestrator.model.release.release import Release
from orchestrator.model.rules.rules import Rules
from orchestrator.model.rules.tag import Tag
from orchestrator.model.rules.target import locate
from orchestrator.model.terraform.plan import Summary

if TYPE_CHECKING:
    from orchestrator.model.release.receipt import PlanReceipt

TOLD = {
    "TAG": "dev_us-east-1/research/1.0",
    "COMMIT": "0" * 40,
    "EXECUTION_ID": "1",
    "ORCHESTRATE_ENV": "dev",
    "ORCHESTRATE_PIPELINE": "acme-dev",
    "CODEBUILD_SRC_DIR": "/source",
}


@pytest.mark.parametrize("name", sorted(TOLD))
def test_without_one_of_the_variables_it_is_no_build(name: str) -> None:
    with pytest.raises(DependencyError, match=name):
        StepExecution.of({**TOLD, name: ""})


def test_a_build_succeeds_until_codebuild_says_otherwise() -> None:
    assert StepExecution.of(TOLD).succeeding
    assert not StepExecution.of({**TOLD, "CODEBUILD_BUILD_SUCCEEDING": "0"}).succeeding


def test_a_shell_reads_the_values_back_whatever_they_hold() -> None:
    values = {"A": 'it\'s $HOME `id` "x" \\', "B": "two  spaces; & more"}
    script = execution.shell_lines(values) + 'printf "%s\\0%s" "$A" "$B"'
    done = subprocess.run(["bash", "-c", script], check=True, capture_output=True)
    assert done.stdout.decode().split("\0") == list(values.values())


@pytest.mark.parametrize(
    ("partition", "region", "host"),
    [
        ("aws", "eu-central-1", "eu-central-1.console.aws.amazon.com"),
        ("aws-cn", "cn-north-1", "cn-north-1.console.amazonaws.cn"),
    ],
)
def test_the_receipts_address_is_of_its_partition(partition: str, region: str, host: str) -> None:
    address = execution.receipt_address(region, partition, "bucket", "receipts/research/dev-global/1.json")
    assert address.startswith(f"https://{host}/s3/object/bucket?region={region}&prefix=receipts%2F")


def released(scope: str = "us-east-1") -> Release:
    tag = Tag.parse(f"dev_{scope}/research/1.0")
    rules = Rules.parse(
        {
            "envs/orchestrate.yaml": 'state: {prefix: acme, region: us-east-1}\ntooling: {account: "000000000000"}\n',
            "envs/dev.yaml": "regions: [us-east-1]\nglobal_resource_deploy_from_region: us-east-1\n"
            'teams: {research: {account: "111111111111"}}\n',
        }
    )
    return Release(tag, "1" * 40, "0" * 40, "2" * 40, rules, locate(tag, rules), ())


def test_an_execution_of_this_very_release_is_accepted() -> None:
    StepExecution.of({**TOLD, "AWS_REGION": "us-east-1"}).check(released())


@pytest.mark.parametrize(
    ("changed", "error", "said"),
    [
        ({"ORCHESTRATE_ENV": "prod"}, Refused, "not a release to prod"),
        ({"COMMIT": "3" * 40}, Refused, "says that .* is commit 333333333333"),
        ({"AWS_REGION": "eu-central-1"}, DependencyError, "runs in eu-central-1"),
    ],
)
def test_variables_written_by_hand_are_refused(
    changed: dict[str, str], error: type[OrchestrateError], said: str
) -> None:
    with pytest.raises(error, match=said):
        StepExecution.of({**TOLD, **changed}).check(released())


def test_only_the_result_of_this_check_and_commit_is_handed_on() -> None:
    release = released()
    result = CheckResult("lint", str(release.tag), release.commit, True, "s", 0, {})
    content = msgspec.json.encode(result)
    assert handed_on(content, "lint", release) == result
    with pytest.raises(Refused, match="handed on as scan"):
        handed_on(content, "scan", release)
    with pytest.raises(Refused, match="cannot be read"):
        handed_on(b"{}", "lint", release)


def test_an_approvals_message_is_one_line_that_codepipeline_takes() -> None:
    receipt = cast(
        "PlanReceipt",
        SimpleNamespace(tag="t" * 128, summary=Summary(add=1), digest="d" * 64, commit="0" * 40, expires_at="e" * 300),
    )
    text = execution.message(receipt)
    assert len(text) == 512
    assert "\n" not in text
    assert f"Plan {'d' * 64}" in text
