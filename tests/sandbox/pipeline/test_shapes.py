"""The comparison with the service model that every test of this folder makes of every answer."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest

from tests.support.shapes import faults


@pytest.mark.parametrize(
    ("operation", "answer", "found"),
    [
        ("StartPipelineExecution", {"pipelineExecutionId": "1"}, []),
        ("StartPipelineExecution", {"executionId": "1"}, ["has executionId"]),
        ("GetPipelineExecution", {"pipelineExecution": {"status": "Running"}}, ["none of"]),
        ("GetPipeline", {"metadata": {"created": "2026-01-01T00:00:00Z"}}, ["no timestamp"]),
        ("GetPipeline", {"pipeline": {"name": "p", "roleArn": "r"}}, ["has no stages"]),
        ("ListPipelines", {"pipelines": [{"version": True}]}, ["no integer"]),
    ],
)
def test_what_does_not_fit_is_found(operation: str, answer: dict[str, Any], found: list[str]) -> None:
    service = botocore.session.get_session().get_service_model("codepipeline")
    said = list(faults(service.operation_model(operation).output_shape, answer, operation))
    assert len(said) == len(found)
    assert all(part in text for part, text in zip(found, said, strict=True))
