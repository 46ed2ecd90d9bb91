"""How long we ask AWS again."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from orchestrator.effects.aws import retry
from orchestrator.effects.aws.retry import ignoring, retry_on


class Aws:
    """Answers with these error codes, one after the other, then with `done`."""

    def __init__(self, *codes: str) -> None:
        self.codes = list(codes)

    def __call__(self) -> str:
        if self.codes:
            raise ClientError({"Error": {"Code": self.codes.pop(0)}}, "PutBucketVersioning")
        return "done"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "_PAUSES", (0.0, 0.0))


def test_asks_again_while_aws_is_busy() -> None:
    assert retry_on(Aws("OperationAborted", "OperationAborted"), {"OperationAborted"}) == "done"


def test_gives_up_with_the_error_of_aws() -> None:
    with pytest.raises(ClientError, match="OperationAborted"):
        retry_on(Aws(*["OperationAborted"] * 3), {"OperationAborted"})


def test_any_other_error_is_none_of_its_business() -> None:
    aws = Aws("AccessDenied")
    with pytest.raises(ClientError, match="AccessDenied"):
        retry_on(aws, {"OperationAborted"})


def test_an_expected_error_is_no_answer() -> None:
    assert ignoring(Aws("NoSuchKey"), {"NoSuchKey"}) is None
    assert ignoring(Aws(), {"NoSuchKey"}) == "done"
    with pytest.raises(ClientError, match="AccessDenied"):
        ignoring(Aws("AccessDenied"), {"NoSuchKey"})
