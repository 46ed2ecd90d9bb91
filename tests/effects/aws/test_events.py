"""Asking on EventBridge's default bus: what is not taken is tried again where that helps, and told where not."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.effects.aws.events import Events
from orchestrator.effects.aws.session import Session
from orchestrator.errors import DependencyError

TAG = {"tag": "dev_global/research/1.0"}


@pytest.fixture(scope="module")
def aws(module_boto_env: None) -> Session:
    return Session("us-east-1")


def test_an_event_that_is_no_event_is_refused_at_once(aws: Session) -> None:
    with pytest.raises(DependencyError, match=r"did not accept the release of dev_global/research/1\.0: \w+"):
        Events(aws, "us-east-1", "dev").put("", "Release asked for", TAG)


def test_an_entry_that_is_throttled_is_sent_again(aws: Session) -> None:
    client: Any = aws.client
    answers: list[int] = []

    def throttled_first(parsed: dict[str, Any], **_: object) -> None:
        answers.append(parsed["FailedEntryCount"])
        if len(answers) == 1:
            parsed |= {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException"}]}

    events = client("events", "us-east-1").meta.events
    events.register("after-call.events.PutEvents", throttled_first)
    try:
        Events(aws, "us-east-1", "dev").put("orchestrate.acme-dev", "Release asked for", TAG)
    finally:
        events.unregister("after-call.events.PutEvents", throttled_first)
    assert answers == [0, 0]
