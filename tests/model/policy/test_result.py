"""What speaks against a plan."""

from __future__ import annotations

from orchestrator.model.checks.check import CheckReport
from orchestrator.model.checks.finding import Finding
from orchestrator.model.policy.policy import PROTECTED
from orchestrator.model.policy.result import PolicyResult


def result(*findings: Finding) -> PolicyResult:
    passing = CheckReport("scan", True, "s", (finding("x", "a.b", state="skipped"),), {}, False)
    return PolicyResult((passing, CheckReport("policy", False, "s", findings, {}, False)))


def finding(rule: str, address: str | None, **more: str) -> Finding:
    return Finding("policy", "plan policy", rule, "error", "it may not", resource=address, **more)  # type: ignore[arg-type]


def test_what_can_be_overridden_is_protected_and_no_objection() -> None:
    judged = result(finding(PROTECTED, "b.c"), finding(PROTECTED, "a.b"), finding(PROTECTED, "a.b"))
    assert judged.protected == ("a.b", "b.c")
    assert judged.objection("dev_global/x/1.0") is None
    assert result().protected == ()


def test_what_cannot_is_told_with_at_most_ten_findings() -> None:
    one = result(finding("plan_account", "a.b"), finding(PROTECTED, "c.d"))
    assert one.protected == ("c.d",)
    assert one.objection("t") == "the plan of t is refused by one finding:\n  a.b: it may not (plan_account)"
    many = result(*(finding("plan_account", f"a.b{number}") for number in range(12))).objection("t")
    assert many is not None
    assert many.splitlines()[0] == "the plan of t is refused by 12 findings:"
    assert many.splitlines()[-2:] == ["  and 2 more", "  by rule: plan_account 12"]
    assert len(many.splitlines()) == 13
    placed = result(finding("plan_account", "a.b", file="main.tf")).objection("t")
    assert placed is not None
    assert placed.endswith("(plan_account) [main.tf]")
