"""What an application load balancer answers, from the rules of its listener. Pure; the shapes are ELBv2's own.

Source: "Listener rules for your Application Load Balancer" (Elastic Load Balancing user guide). The sandbox has no
targets, so whatever would be forwarded gets the 503 of a load balancer without healthy targets.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import parse_qsl

Rule = Mapping[str, Any]
Condition = Mapping[str, Any]
Action = Mapping[str, Any]


@dataclass(frozen=True)
class PageRequest:
    """A request; header names in lower case, `path` and `query` as sent."""

    method: str
    host: str
    port: int
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    client: str = "127.0.0.1"
    protocol: str = "HTTP"


@dataclass(frozen=True)
class Page:
    status: int
    content_type: str
    body: str
    headers: tuple[tuple[str, str], ...] = ()


def page(asked: PageRequest, rules: Iterable[Rule]) -> Page:
    """The answer of the first rule, by priority, whose conditions all hold."""
    rule = next((rule for rule in sorted(rules, key=_priority) if _holds(rule, asked)), None)
    if rule is None:
        return Page(404, "text/plain", "no rule of this listener applies\n")
    action = max(rule["Actions"], key=lambda action: int(action.get("Order", 1)))  # the last one answers
    return _ANSWERS.get(action["Type"], _not_here)(asked, action)


def _priority(rule: Rule) -> float:
    return float("inf") if rule["Priority"] == "default" else float(rule["Priority"])


def _holds(rule: Rule, asked: PageRequest) -> bool:
    return all(_condition_holds(condition, asked) for condition in rule.get("Conditions") or [])


def _condition_holds(condition: Condition, asked: PageRequest) -> bool:
    """A condition of a kind that we do not know does not hold."""
    test = _TESTS.get(condition["Field"])
    return test is not None and test(condition, asked)


def _values(condition: Condition, config: str) -> list[str]:
    """Values stand in the field's own block, or, in the older form, beside the field."""
    return list((condition.get(config) or {}).get("Values") or condition.get("Values") or [])


def _path(condition: Condition, asked: PageRequest) -> bool:
    return _like(asked.path, _values(condition, "PathPatternConfig"))


def _host(condition: Condition, asked: PageRequest) -> bool:
    return _like(asked.host.lower(), [value.lower() for value in _values(condition, "HostHeaderConfig")])


def _method(condition: Condition, asked: PageRequest) -> bool:
    return asked.method in _values(condition, "HttpRequestMethodConfig")


def _header(condition: Condition, asked: PageRequest) -> bool:
    config = condition["HttpHeaderConfig"]
    value = asked.headers.get(config["HttpHeaderName"].lower())
    return value is not None and _like(value.lower(), [pattern.lower() for pattern in config["Values"]])


def _query(condition: Condition, asked: PageRequest) -> bool:
    given = parse_qsl(asked.query, keep_blank_values=True)
    return any(
        _like(value.lower(), [wanted["Value"].lower()])
        for wanted in condition["QueryStringConfig"]["Values"]
        for key, value in given
        if not wanted.get("Key") or wanted["Key"].lower() == key.lower()
    )


def _source(condition: Condition, asked: PageRequest) -> bool:
    address = ipaddress.ip_address(asked.client)
    return any(address in ipaddress.ip_network(value) for value in _values(condition, "SourceIpConfig"))


def _like(value: str, patterns: Iterable[str]) -> bool:
    """`*` and `?` are wildcards; fnmatch's brackets are plain characters here."""
    return any(fnmatchcase(value, pattern.replace("[", "[[]")) for pattern in patterns)


_TESTS: dict[str, Callable[[Condition, PageRequest], bool]] = {
    "path-pattern": _path,
    "host-header": _host,
    "http-request-method": _method,
    "http-header": _header,
    "query-string": _query,
    "source-ip": _source,
}


def _fixed(_: PageRequest, action: Action) -> Page:
    config = action["FixedResponseConfig"]
    body = config.get("MessageBody") or ""
    return Page(int(config["StatusCode"]), config.get("ContentType") or "text/plain", body)


def _redirect(asked: PageRequest, action: Action) -> Page:
    config = action["RedirectConfig"]
    status = int(config["StatusCode"].removeprefix("HTTP_"))
    return Page(status, "text/html", "", headers=(("Location", _location(asked, config)),))


def _location(asked: PageRequest, config: Mapping[str, str]) -> str:
    known = {
        "#{protocol}": asked.protocol.lower(),
        "#{host}": asked.host,
        "#{port}": str(asked.port),
        "#{path}": asked.path.lstrip("/"),
        "#{query}": asked.query,
    }

    def part(name: str, default: str) -> str:
        text = config.get(name) or default
        for placeholder, value in known.items():
            text = text.replace(placeholder, value)
        return text

    protocol = part("Protocol", "#{protocol}").lower()
    port = part("Port", "#{port}")
    usual = {"http": "80", "https": "443"}.get(protocol) == port
    query = part("Query", "#{query}")
    address = part("Host", "#{host}") + ("" if usual else f":{port}")
    return f"{protocol}://{address}{part('Path', '/#{path}')}" + (f"?{query}" if query else "")


def _forward(_: PageRequest, __: Action) -> Page:
    return Page(503, "text/plain", "503 Service Temporarily Unavailable (the sandbox runs no targets)\n")


def _not_here(_: PageRequest, action: Action) -> Page:
    return Page(501, "text/plain", f"the sandbox's load balancers do not know the action {action['Type']}\n")


_ANSWERS: dict[str, Callable[[PageRequest, Action], Page]] = {
    "fixed-response": _fixed,
    "redirect": _redirect,
    "forward": _forward,
}
