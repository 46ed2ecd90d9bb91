"""What steps are told, and what they tell."""

from __future__ import annotations

import subprocess

import pytest

from orchestrator.errors import SurroundingsFailed
from orchestrator.model import execution
from orchestrator.model.execution import Execution

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
    with pytest.raises(SurroundingsFailed, match=name):
        Execution.of({**TOLD, name: ""})


def test_a_build_succeeds_until_codebuild_says_otherwise() -> None:
    assert Execution.of(TOLD).succeeding
    assert not Execution.of({**TOLD, "CODEBUILD_BUILD_SUCCEEDING": "0"}).succeeding


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
