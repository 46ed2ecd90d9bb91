from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrate_sandbox.pages import Page, PageRequest, page

HERE = PageRequest(
    method="GET", host="lb.example", port=80, path="/img/a.png", query="v=1&lang=de", headers={"x-a": "One"}
)


def fixed(text: str) -> dict[str, Any]:
    return {"Type": "fixed-response", "FixedResponseConfig": {"MessageBody": text, "StatusCode": "200"}}


def rule(priority: str, *conditions: dict[str, Any], action: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"Priority": priority, "Conditions": list(conditions), "Actions": [action or fixed(priority)]}


@pytest.mark.parametrize(
    "condition",
    [
        {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/none", "/img/?.png"]}},
        {"Field": "path-pattern", "Values": ["/img/*"]},
        {"Field": "host-header", "HostHeaderConfig": {"Values": ["LB.*"]}},
        {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET"]}},
        {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-A", "Values": ["on*"]}},
        {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "V", "Value": "1"}]}},
        {"Field": "query-string", "QueryStringConfig": {"Values": [{"Value": "d*"}]}},
        {"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8", "127.0.0.0/8"]}},
    ],
)
def test_a_condition_that_holds(condition: dict[str, Any]) -> None:
    assert page(HERE, [rule("default"), rule("1", condition)]).body == "1"


@pytest.mark.parametrize(
    "condition",
    [
        {"Field": "path-pattern", "Values": ["/IMG/*"]},
        {"Field": "path-pattern", "Values": ["/img/[a].png"]},
        {"Field": "host-header", "Values": ["other.*"]},
        {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["POST"]}},
        {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-B", "Values": ["*"]}},
        {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "v", "Value": "2"}]}},
        {"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}},
        {"Field": "invented-later", "Values": ["*"]},
    ],
)
def test_a_condition_that_does_not_hold(condition: dict[str, Any]) -> None:
    assert page(HERE, [rule("default"), rule("1", condition)]).body == "default"


def test_all_conditions_of_a_rule_must_hold() -> None:
    path = {"Field": "path-pattern", "Values": ["*"]}
    method = {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["POST"]}}
    assert page(HERE, [rule("1", path, method), rule("default")]).body == "default"


@given(st.permutations(["default", "3", "20", "100"]))
def test_priorities_are_numbers_and_the_default_comes_last(order: list[str]) -> None:
    assert page(HERE, [rule(priority) for priority in order]).body == "3"


def test_a_fixed_response() -> None:
    config = {"MessageBody": "<p>", "StatusCode": "418", "ContentType": "text/html"}
    action = {"Type": "fixed-response", "FixedResponseConfig": config}
    assert page(HERE, [rule("default", action=action)]) == Page(418, "text/html", "<p>")
    bare = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
    assert page(HERE, [rule("default", action=bare)]) == Page(200, "text/plain", "")


@pytest.mark.parametrize(
    ("config", "location"),
    [
        ({"Protocol": "HTTPS", "Port": "443"}, "https://lb.example/img/a.png?v=1&lang=de"),
        ({"Host": "www.#{host}", "Path": "/new/#{path}", "Query": "from=#{query}"}, None),
        ({"Port": "8080"}, "http://lb.example:8080/img/a.png?v=1&lang=de"),
    ],
)
def test_a_redirect(config: dict[str, str], location: str | None) -> None:
    action = {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_302", **config}}
    expected = location or "http://www.lb.example/new/img/a.png?from=v=1&lang=de"
    answer = page(HERE, [rule("default", action=action)])
    assert (answer.status, answer.headers) == (302, (("Location", expected),))


def test_what_the_sandbox_does_not_do() -> None:
    assert page(HERE, [rule("default", action={"Type": "forward"})]).status == 503
    assert page(HERE, [rule("default", action={"Type": "authenticate-oidc", "Order": 1})]).status == 501
    assert page(HERE, []).status == 404
