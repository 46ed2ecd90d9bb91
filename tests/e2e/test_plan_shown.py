"""What a reviewer is shown of a plan, through the command line and with the real Terraform."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.projects import E2eProject, NewProject

pytestmark = pytest.mark.slow

FIRST, SECOND, DEEP = (f"dev_us-east-1/risk/1.{n}" for n in range(3))
SECRET = "hunter2-hunter2-hunter2"

ROOT = """
variable "secret" {
  type      = string
  default   = "%(secret)s"
  sensitive = true
}
resource "terraform_data" "policy" {
  input = jsonencode({ Statement = [
    { Effect = "Allow", Action = %(first)s, Resource = "*" },
    { Effect = "Allow", Action = "%(second)s", Resource = "arn:aws:sqs:::q" },
  ] })
}
resource "terraform_data" "echo" {
  input            = { city = "Zürich 東京", number = %(number)s, address = "https://u:${var.secret}@h" }
  triggers_replace = "%(trigger)s"
}
resource "terraform_data" "%(name)s" {
  input = [for n in range(%(many)d) : "${nonsensitive(var.secret)} ${n}"]
}
check "health" {
  assert {
    condition     = terraform_data.policy.triggers_replace == null && "%(second)s" == "sqs:SendMessage"
    error_message = "too much is allowed"
  }
}
output "where" {
  value = { city = "Zürich", ports = [80, 443] }
}
"""
BEFORE = {"secret": SECRET, "first": '["s3:GetObject"]', "second": "sqs:SendMessage", "number": "1",
          "trigger": "a", "name": "old", "many": 1}  # fmt: skip
AFTER = {"secret": SECRET, "first": '["s3:GetObject", "s3:DeleteObject"]', "second": "sqs:*",
         "number": "9007199254740993.5", "trigger": "b", "name": "new", "many": 500}  # fmt: skip


@pytest.fixture(scope="module")
def project(new_project: NewProject) -> E2eProject:
    """Version 1.0 is applied; 1.1 changes, replaces, destroys and adds."""
    project = new_project("shown", "slow")
    project.commit({"main.tf": ROOT % BEFORE})
    project.tag(FIRST)
    project.ok("plan", "--tag", FIRST)
    applied = project.ok("apply", "--tag", FIRST)
    assert 'where = {"city": "Zürich", "ports": [80, 443]}' in applied.out
    project.commit({"main.tf": ROOT % AFTER})
    project.tag(SECOND)
    return project


def test_all_of_a_plan_is_shown_wherever_it_is_shown(project: E2eProject, tmp_path: Path) -> None:
    page = tmp_path / "plan.html"
    planned = project.ok("plan", "--tag", SECOND, "--format", "json", "--html", str(page))
    fields = json.loads(planned.out)
    assert fields["summary"] == {
        "add": 1, "change": 1, "destroy": 1, "replace": 1, "import": 0, "move": 0, "forget": 0, "outputs": 0,
    }  # fmt: skip
    assert fields["dangerous"] == ["terraform_data.old", "terraform_data.echo", "terraform_data.policy"]
    assert "too much is allowed" in json.dumps(fields["failed_checks"])
    assert any("Check block assertion failed" in warning for warning in fields["warnings"])
    assert "9007199254740993.5" in planned.out
    approved = project.ok("approve", "--tag", SECOND, "--yes")
    receipt = ("show", "--receipt", fields["digest"])
    full = project.ok(*receipt, "--full").out
    stored = json.dumps(project.ok_json(*receipt), ensure_ascii=False)
    markdown = project.ok(*receipt, "--format", "markdown").out
    for shown in (
        approved.err,
        full,
        markdown,
        page.read_text("utf-8").replace("&gt;", ">"),
        stored.replace('\\"', '"'),
    ):
        assert all(part in shown for part in ("s3:DeleteObject", '"sqs:SendMessage" -> "sqs:*"', "widens access"))
        assert all(part in shown for part in ("forces replacement: triggers_replace", "Zürich 東京", "too much is"))
        assert "1 to add, 1 to change, 1 to destroy, 1 to replace" in shown or shown.startswith("{")
        assert SECRET not in shown
    assert "terraform_data.new\n" in full
    assert "input[499]" in full
    glance = project.ok(*receipt).out
    assert "input[499]" not in glance
    assert f"orchestrate show --receipt {fields['digest'][:16]} --full" in glance


def test_what_a_plan_holds_may_be_nested_a_thousand_levels_deep(project: E2eProject) -> None:
    inner = '{"a":' * 1_000 + "1" + "}" * 1_000
    project.commit({"main.tf": "resource \"terraform_data\" \"deep\" {\n  input = jsondecode(file(\"deep.json\"))\n}\n",
                    "deep.json": inner})  # fmt: skip
    project.tag(DEEP)
    fields = project.ok_json("plan", "--tag", DEEP)
    (deep,) = [each for each in fields["resources"] if each["action"] == "add"]
    assert deep["details"][-1].endswith(".a.a: 1") or any(line.endswith(".a.a: 1") for line in deep["details"])
