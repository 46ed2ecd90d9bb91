"""EventBridge: says on the default bus that something is asked for; rules of the tooling take it from there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.effects.aws import Session
from orchestrator.errors import SurroundingsFailed

_TRIES = 5


@dataclass(frozen=True)
class Events:
    """The default event bus of one Region; `env` for hints."""

    aws: Session
    region: str
    env: str

    def put(self, source: str, detail_type: str, detail: Mapping[str, str]) -> None:
        """Raises SurroundingsFailed where the bus does not take it.

        The client itself tries again where the whole request was refused; a refused entry does not fail a request
        (EventBridge API reference, PutEvents).
        """
        client: Any = self.aws.client
        entry = {"Source": source, "DetailType": detail_type, "Detail": json.dumps(detail)}
        with self.aws.explained("ask for a release", f"of {self.env} as {source}", env=self.env):
            for _ in range(_TRIES):
                answer = client("events", self.region).put_events(Entries=[entry])
                if not answer["FailedEntryCount"]:
                    return
        failed = answer["Entries"][0]
        raise SurroundingsFailed(
            f"EventBridge has not taken the release of {detail.get('tag', '?')}: {failed.get('ErrorCode')} "
            f"{failed.get('ErrorMessage', '')}".strip(),
            hint="Run it again in a while.",
        )
