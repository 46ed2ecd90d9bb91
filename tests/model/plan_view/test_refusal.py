"""A refusal teaches: every finding counted, where it is, and what to paste to accept it."""

from __future__ import annotations

from datetime import date

import yaml

from orchestrator.model.checks.finding import Finding
from orchestrator.model.plan_view.refusal import PlanRefused
from orchestrator.model.plan_view.view import PlanView
from orchestrator.model.terraform.plan import Summary

TODAY = date(2026, 1, 1)
VIEW = PlanView(Summary(), ())


def finding(rule: str, resource: str | None, check: str = "scan", **more: object) -> Finding:
    return Finding(check, "checkov", rule, "high", "it is bad", resource=resource, **more)  # type: ignore[arg-type]


def test_the_entry_to_paste_is_that_of_the_rules() -> None:
    found = [
        finding("CKV_1", "a.b"),
        finding("CKV_1", "a.c"),
        finding("CKV_2", 'a.b["x"]'),
        finding("p", "a.b", "policy"),
    ]
    refused = PlanRefused("T", found)
    refused.tell("T", VIEW, "/cache/f.json", "envs/dev.yaml", TODAY)
    assert (refused.tag, refused.view) == ("T", VIEW)
    assert refused.hint is not None
    assert "/cache/f.json" in refused.hint
    assert "envs/dev.yaml" in refused.hint
    entry = yaml.safe_load(refused.hint[refused.hint.index("checks:") :])
    common = {"reason": "...", "expires": "2026-04-01"}
    assert entry["checks"]["scan"]["skips"] == [
        {"rule": "CKV_1", **common},
        {"rule": "CKV_2", "resource": 'a.b["x"]', **common},
    ]
    assert entry["policy"]["skips"] == [{"rule": "p", "resource": "a.b", **common}]


def test_where_nothing_can_be_accepted_no_entry_is_offered() -> None:
    refused = PlanRefused("T", [finding("x", None, "lint")])
    refused.tell("T", VIEW, "f", "envs/dev.yaml", TODAY)
    assert "To accept" not in str(refused)
