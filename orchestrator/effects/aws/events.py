"""EventBridge: says on the default bus that something is asked for; rules of the tooling take it from there."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.effects.aws.session import Session
from orchestrator.errors import DependencyError

# What may pass, and the longest pauses before each further try, in seconds.
_LATER = frozenset({"ThrottlingException", "InternalFailure", "InternalException"})
_PAUSES = (0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True)
class Events:
    """The default event bus of one Region; `env` for hints."""

    aws: Session
    region: str
    env: str

    def put(self, source: str, detail_type: str, detail: Mapping[str, str]) -> None:
        """Raises DependencyError where the bus does not take it.

        The client itself tries again where the whole request was refused; a refused entry does not fail a request
        (EventBridge API reference, PutEvents).
        """
        entry = {"Source": source, "DetailType": detail_type, "Detail": json.dumps(detail)}
        with self.aws.explained("ask for a release", f"of {self.env} as {source}", env=self.env):
            problem = self._put(entry)
            for pause in _PAUSES:
                if problem is None or problem.get("ErrorCode") not in _LATER:
                    break
                time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - nobody gains by guessing it
                problem = self._put(entry)
        if problem is not None:
            raise DependencyError(
                f"EventBridge did not accept the release of {detail.get('tag', '?')}: {problem.get('ErrorCode')} "
                f"{problem.get('ErrorMessage', '')}".strip(),
                hint="Try again later.",
            )

    def _put(self, entry: Mapping[str, str]) -> dict[str, Any] | None:
        """What was wrong with it."""
        client: Any = self.aws.client
        answer = client("events", self.region).put_events(Entries=[entry])
        return dict(answer["Entries"][0]) if answer["FailedEntryCount"] else None
