"""EventBridge's rules: which events concern them, and the targets that moto does not reach.

moto also sends events to rules that are disabled or have a schedule alone, fails at targets that it does not know,
takes one attempt, and has no dead-letter queues; TestEventPattern is missing.
"""

from __future__ import annotations

import copy
import datetime as dt
import json
from collections.abc import Callable, Mapping
from typing import Any

from moto.core.responses import ActionResult
from moto.events.models import EventPattern, Rule
from moto.events.responses import EventsHandler

from orchestrate_sandbox.moto_additions.requests import Invalid, checked
from orchestrate_sandbox.pipeline import bus, deliveries


def apply() -> None:
    Rule.send_to_targets = _to_all_targets(Rule.send_to_targets)
    EventsHandler.test_event_pattern = _test_pattern


def _to_all_targets(send: Callable[..., None]) -> Callable[..., None]:
    def send_to_all(self: Any, original_event: Mapping[str, Any], transform_input: bool = True) -> None:
        if not bus.matches(self, original_event):
            return
        bus.send(self, _as_sent(original_event))
        moto_s_own = copy.copy(self)
        moto_s_own.targets = [target for target in self.targets if not deliveries.knows(target["Arn"])]
        send(moto_s_own, original_event, transform_input)

    return send_to_all


def _as_sent(event: Mapping[str, Any]) -> dict[str, Any]:
    """moto has the time as a number and adds a member of its own."""
    when = event["time"]
    text = when if isinstance(when, str) else f"{dt.datetime.fromtimestamp(when, dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
    return {key: value for key, value in event.items() if key != "ingestion-time"} | {"time": text}


def _test_pattern(self: Any) -> ActionResult:
    wanted = checked(self)
    try:
        event = json.loads(wanted["Event"])
    except ValueError:
        raise Invalid("ValidationException", "Parameter Event is not valid. Reason: it is no JSON") from None
    return ActionResult({"Result": EventPattern.load(wanted["EventPattern"]).matches_event(event)})
