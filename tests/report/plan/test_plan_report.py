"""A plan as text, markdown, HTML and JSON: nothing dangerous is cut, and what is shortened says so."""

from __future__ import annotations

import json
from decimal import Decimal
from html.parser import HTMLParser
from unicodedata import east_asian_width

import pytest

from orchestrator.model.plan_view.view import PlanView, view_of
from orchestrator.model.terraform.plan import Change, Summary
from orchestrator.model.text.json_text import readable_json
from orchestrator.report.plan.fields import view_fields
from orchestrator.report.plan.head import ShownPlan
from orchestrator.report.plan.html import plan_html
from orchestrator.report.plan.markdown import LIMIT, plan_markdown
from orchestrator.report.plan.text import SHORTENED, TextStyle, plan_text


def shown(*changes: Change, **more: object) -> ShownPlan:
    view = PlanView(Summary(), changes, **more)  # type: ignore[arg-type]
    return ShownPlan("Plan of T", view, True, (("digest", "abc"),), "orchestrate show --receipt D --full")


def many(action: str, number: int, lines: int = 3) -> list[Change]:
    return [Change(f"{action}.r{n}", action, tuple(f"+ k{line}: {n}" for line in range(lines))) for n in range(number)]


LARGE = shown(*many("add", 3_000), *many("destroy", 700))


def test_nothing_dangerous_is_cut_and_what_is_shortened_says_so() -> None:
    text = plan_text(LARGE)
    assert all(f"- destroy.r{n}\n    + k0: {n}" in text for n in range(700))
    assert "+ add.r2999" not in text
    assert f"{SHORTENED}: 1900 changes not even named" not in plan_text(LARGE, TextStyle(full=True))
    assert f"\n{SHORTENED}: " in text
    assert "The whole: orchestrate show --receipt D --full" in text
    whole = plan_text(LARGE, TextStyle(full=True))
    assert SHORTENED not in whole
    assert all(f"+ add.r{n}\n    + k0: {n}" in whole for n in range(3_000))


def test_a_long_value_is_cut_where_it_begins_to_differ() -> None:
    line = f'~ a: "{"x" * 5_000}one{"y" * 900}" -> "{"x" * 5_000}two{"y" * 900}"'
    text = plan_text(shown(Change("a.b", "change", (line, "+ b: " + "z" * 900))))
    assert "one" in text
    assert "two" in text
    assert len(text) < 1_500
    assert f"{SHORTENED}: 2 long values cut." in text
    assert line in plan_text(shown(Change("a.b", "change", (line,))), TextStyle(full=True))


def test_warnings_checks_and_drift_stand_with_the_plan() -> None:
    plan = shown(drift=(Change("a.b", "change", ("~ x: 1 -> 2",)), Change("a.c", "destroy")), checks=("check.a: no",),
                 warnings=("Deprecated\n  it is old",))  # fmt: skip
    for text in (plan_text(plan), plan_markdown(plan), plan_html(plan)):
        assert all(part in text for part in ("x: 1 -", "a.c is gone", "check.a: no", "  it is old"))


def test_colours_are_terraforms_and_lines_keep_to_the_terminal() -> None:
    change = Change("a.b", "change", ("+ new: 1", "- old: 1", "~ name: " + "東京 " * 60, "! widens access: x"))
    text = plan_text(shown(change), TextStyle(colour=True, width=60))
    for sign, colour in (("+", 32), ("-", 31), ("~", 33)):
        assert f"\x1b[{colour}m{sign}\x1b[0m" in text
    assert "\x1b[31;1m! widens" in text
    plain = plan_text(shown(change), TextStyle(width=20))
    assert max(sum(1 + (east_asian_width(c) in "WF") for c in line) for line in plain.splitlines()) <= 60
    assert plain.count("東京") == 60
    assert "\x1b" not in plain


def test_markdown_fits_a_comment_and_has_all_that_is_dangerous() -> None:
    text = plan_markdown(LARGE)
    assert len(text.encode()) <= LIMIT
    assert all(f"destroy.r{n}\n" in text for n in range(700))
    assert f"**{SHORTENED}**" in text
    tiny = plan_markdown(shown(Change("a.b", "change", ('~ a: "```@team" -> 1',))))
    assert "````diff" in tiny
    assert "    ~ a: " in tiny
    assert SHORTENED not in tiny
    huge = plan_markdown(shown(*many("destroy", 9_000)))
    assert len(huge.encode()) <= LIMIT
    assert f"{SHORTENED}: " in huge
    assert len(plan_markdown(shown(warnings=("w" * 70_000,))).encode()) <= LIMIT


class _PageReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_html_needs_nothing_else_and_holds_everything() -> None:
    evil = Change("a.b", "destroy", ('- x: "<script>alert(1)</script>"', "plain"))
    page = _PageReader()
    page.feed(plan_html(shown(evil, Change("a.c", "move"), *many("add", 60))))
    assert not page.open
    assert '- x: "<script>alert(1)</script>"' in page.text
    assert "k0: 59" in page.text
    tags = {tag for tag, _ in page.found}
    assert not tags & {"script", "link", "img", "iframe"}
    assert ("html", {"lang": "en"}) in page.found
    assert any("default-src 'none'" in str(attrs.get("content")) for tag, attrs in page.found if tag == "meta")
    sections = [attrs["aria-labelledby"] for tag, attrs in page.found if tag == "section"]
    assert sections == [attrs["id"] for tag, attrs in page.found if tag == "h2"]


def test_json_keeps_every_digit_and_every_kind_of_change() -> None:
    view = view_of(
        b'{"resource_changes": [{"address": "a.b", "type": "t", "change": {"actions": ["update"], '
        b'"before": {"n": 9007199254740993.5, "s": "Z\xc3\xbcrich"},'
        b' "after": {"n": 1}, "after_unknown": {"id": true}}}]}'
    )
    text = readable_json(view_fields(view, True))
    assert "9007199254740993.5" in text
    assert text.isascii()
    fields = json.loads(text)
    assert set(fields["summary"]) == {"add", "change", "destroy", "replace", "import", "move", "forget", "outputs"}
    (resource,) = fields["resources"]
    assert resource["before"]["s"] == "Zürich"
    assert resource["after"] == {"n": 1}
    assert resource["unknown"] == {"id": True}
    assert "+ id: (known after apply)" in resource["details"]


@pytest.mark.parametrize("value", [{"a": "\ud800"}, {"a": "\x7f\u202e\U0001f600"}, [Decimal("1.50"), {}, []]])
def test_any_value_is_written_in_ascii(value: object) -> None:
    text = readable_json(value)
    assert text.isascii()
    assert "\x7f" not in text
    assert json.loads(text, parse_float=Decimal) == value
