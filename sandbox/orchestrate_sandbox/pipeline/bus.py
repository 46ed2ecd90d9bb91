"""Events reach the rules of the default event bus, as Terraform made them in the emulator."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from orchestrate_sandbox.pipeline import deliveries, work


@dataclass(frozen=True)
class Happening:
    """What a service of AWS says has happened in an account and Region."""

    account: str
    region: str
    source: str
    detail_type: str
    detail: Mapping[str, Any]
    resources: Sequence[str] = field(default_factory=tuple)


def publish(happening: Happening) -> list[str]:
    """Delivers behind the scenes, and returns the names of the rules that match."""
    from orchestrate_sandbox import moto_additions

    moto_additions.apply("events")  # no request for this service may have come yet
    from moto.events.models import events_backends

    event = _event(happening)
    buses = events_backends[happening.account][happening.region].event_buses
    rules = [rule for rule in list(buses["default"].rules.values()) if matches(rule, event)]
    for rule in rules:
        send(rule, event)
    return [rule.name for rule in rules]


def matches(rule: Any, event: Mapping[str, Any]) -> bool:
    """A rule with a schedule alone has no pattern, and no event concerns it."""
    return bool(rule.state == "ENABLED" and rule.event_pattern.dump() and rule.event_pattern.matches_event(event))


def send(rule: Any, event: Mapping[str, Any]) -> None:
    """To those targets that deliveries knows."""
    for target in list(rule.targets):
        if deliveries.knows(target["Arn"]):
            delivery = deliveries.Delivery(rule.name, rule.arn, rule.account_id, rule.region_name, target, event)
            work.soon(delivery.attempt)


def _event(happening: Happening) -> dict[str, Any]:
    """As JSON has it: numbers, text, lists and objects alone."""
    detail = json.loads(json.dumps(happening.detail))
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": happening.detail_type,
        "source": happening.source,
        "account": happening.account,
        "time": f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%M:%SZ}",
        "region": happening.region,
        "resources": list(happening.resources),
        "detail": detail,
    }
