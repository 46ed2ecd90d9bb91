"""What is read of a plan, and that no sensitive value ever is."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import StageFailed
from orchestrator.model.plan_view.view import PlanView, view_of
from orchestrator.model.terraform.plan import Change, Summary, is_plan

SECRET = "hunter2-hunter2"


def plan(*changes: dict[str, Any], **document: Any) -> PlanView:
    return view_of(json.dumps({"resource_changes": changes, **document}).encode())


def resource(*actions: str, address: str = "a.b", **rest: Any) -> dict[str, Any]:
    inner = {name: rest.pop(name) for name in list(rest) if name in CHANGE_FIELDS}
    return {"address": address, "change": {"actions": actions, **inner}, **rest}


CHANGE_FIELDS = {
    "before",
    "after",
    "after_unknown",
    "before_sensitive",
    "after_sensitive",
    "replace_paths",
    "importing",
}


def details(before: Any, after: Any, **rest: Any) -> tuple[str, ...]:
    (change,) = plan(resource("update", before=before, after=after, **rest)).changes
    return change.details


# Counting -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("actions", "action", "summary"),
    [
        (["create"], "add", Summary(add=1)),
        (["update"], "change", Summary(change=1)),
        (["delete"], "destroy", Summary(destroy=1)),
        (["delete", "create"], "replace", Summary(replace=1)),
        (["create", "delete"], "replace", Summary(replace=1)),
        (["create", "forget"], "replace", Summary(replace=1)),
        (["forget"], "forget", Summary(forget=1)),
    ],
)
def test_each_action_is_counted_once(actions: list[str], action: str, summary: Summary) -> None:
    found = plan(resource(*actions))
    assert [change.action for change in found.changes] == [action]
    assert found.summary == summary
    assert str(summary).count("1 to") == 1


def test_what_changes_nothing_is_left_out() -> None:
    assert plan(resource("no-op"), resource("read")) == PlanView(Summary(), ())
    assert view_of(b"{}") == PlanView(Summary(), ())


def test_an_unknown_action_is_refused() -> None:
    with pytest.raises(StageFailed, match="an action that is not known: create, update"):
        plan(resource("create", "update"))


@pytest.mark.parametrize(
    ("document", "message"), [({"errored": True}, "ended in an error"), ({"complete": False}, "leaves a part")]
)
def test_a_plan_that_is_not_whole_is_refused(document: dict[str, Any], message: str) -> None:
    with pytest.raises(StageFailed, match=message):
        plan(**document)
    plan(errored=False, complete=True)


def test_imports_and_moves_are_shown_though_nothing_else_happens() -> None:
    found = plan(
        resource("no-op", address="a.imported", importing={"id": "i-1"}),
        resource("no-op", address="a.unknown", importing={"unknown": True}),
        resource("no-op", address="a.moved", previous_address="a.old"),
        resource(
            "update",
            address="a.both",
            previous_address="a.older",
            importing={"id": "i\x1b[2J"},
            before={"a": 1},
            after={"a": 2},
        ),
    )
    assert found.summary == Summary(change=1, import_=3, move=2)
    assert str(found.summary).endswith("1 to change, 0 to destroy, 0 to replace, 3 to import, 2 to move")
    assert found.changes == (
        Change("a.imported", "import", ('# imported as "i-1"',)),
        Change("a.unknown", "import", ("# imported as known after apply",)),
        Change("a.moved", "move", ("# moved from a.old",)),
        Change("a.both", "change", ("# moved from a.older", '# imported as "i\\u001b[2J"', "~ a: 1 -> 2")),
    )
    assert str(found.changes[0]) == '<- a.imported\n    # imported as "i-1"'


def test_deposed_and_tainted_objects_are_named_as_such() -> None:
    found = plan(
        resource("delete", deposed="4bf1"), resource("delete", "create", action_reason="replace_because_tainted")
    )
    assert found.changes[0].details == ("# an earlier object that is still to be destroyed (deposed 4bf1)",)
    assert found.changes[1].details == ("# is replaced because it was left half-made (tainted)",)


def test_managed_resources_are_counted_in_all_modules() -> None:
    module = {"resources": [{"mode": "managed"}, {"mode": "data"}]}
    root = {**module, "child_modules": [{"child_modules": [module]}, module]}
    assert plan(planned_values={"root_module": root}).resources_after == 3


def test_outputs_are_changes_but_not_counted() -> None:
    outputs = {
        "new": {"actions": ["create"], "after": "x"},
        "same": {"actions": ["no-op"]},
        "other": {"actions": ["update"], "before": [1], "after": [2]},
    }
    found = plan(output_changes=outputs)
    assert found.summary == Summary(outputs=2)
    assert found.summary.words(True) == "only outputs change"
    assert found.changes == (
        Change("output.new", "add", ('+ value: "x"',)),
        Change("output.other", "change", ("~ [0]: 1 -> 2",)),
    )


# Details ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "rest", "lines"),
    [
        ({"a": 1, "b": {"c": [1, 2]}}, {"a": 1, "b": {"c": [1, 3]}}, {}, ["~ b.c[1]: 2 -> 3"]),
        ({"a": 1}, {"b": None, "a": True}, {}, ["~ a: 1 -> true", "+ b: null"]),
        ({"a": [1]}, {"a": [1, 2]}, {}, ["+ a[1]: 2"]),
        ({"a": [1]}, {"a": []}, {}, ["- a[0]: 1", "+ a: []"]),
        ({"a": []}, {"a": [1]}, {}, ["- a: []", "+ a[0]: 1"]),
        ({"t": {"a b": 1, "": None}}, {"t": {"x\n": 2}}, {}, ['- t[""]: null', '- t["a b"]: 1', '+ t["x\\n"]: 2']),
        ({"a": 0}, {"a": False}, {}, ["~ a: 0 -> false"]),
        ({"a": {"b": 1}}, {"a": "b"}, {}, ["- a.b: 1", '+ a: "b"']),
        ({"a": "x", "b": 1}, {"b": 1}, {"after_unknown": {"a": True}}, ['~ a: "x" -> (known after apply)']),
        ({"a": ["x"]}, {"a": ["x"]}, {"after_unknown": {"a": [False]}}, []),
        ({"a": ["x"]}, {"a": [None]}, {"after_unknown": {"a": [True]}}, ['~ a[0]: "x" -> (known after apply)']),
        ({"a": [1]}, {"a": [1]}, {"after_unknown": {"a": [False, True]}}, ["+ a[1]: (known after apply)"]),
        ({"a": {"b": 1}}, {"a": None}, {"after_unknown": {"a": {"b": True}}}, ["~ a.b: 1 -> (known after apply)"]),
        ({"a": 1}, {"a": 1}, {"after_unknown": {"a": {"b": True}}}, []),
        ({"a": 1}, {"a": None}, {"after_unknown": {"a": {}}}, ["- a: 1"]),
        ({"é": "\x1b[31m"}, {"é": "Zürich 東京"}, {}, ['~ ["é"]: "\\u001b[31m" -> "Zürich 東京"']),
    ],
)
def test_the_leaves_that_differ_are_shown(before: Any, after: Any, rest: dict[str, Any], lines: list[str]) -> None:
    assert [line for line in details(before, after, **rest) if not line.startswith("#")] == lines


def test_no_key_breaks_a_line_or_steers_a_terminal() -> None:
    shown = details({}, {"a\n- b.c": 1, "\x1b[2J": 2, "\u202e": 3})
    assert all(line.isprintable() for line in shown)
    assert len(shown) == 3


def test_everything_that_is_created_or_destroyed_is_shown_but_what_is_not_set() -> None:
    values = {"name": "x", "none": None, "tags": {"a": "b"}}
    (made,) = plan(resource("create", after=values, after_unknown={"arn": True})).changes
    assert made.details == ("+ arn: (known after apply)", '+ name: "x"', '+ tags.a: "b"')
    (gone,) = plan(resource("delete", before=values)).changes
    assert gone.details == ('- name: "x"', '- tags.a: "b"')


def test_numbers_keep_every_digit() -> None:
    content = b"""{"resource_changes": [{"address": "a.b", "change": {"actions": ["update"],
        "before": {"n": 9007199254740993.5, "m": 123456789012345678901}, "after": {"n": 9007199254740993.25}}}]}"""
    (change,) = view_of(content).changes
    assert change.details == ("- m: 123456789012345678901", "~ n: 9007199254740993.5 -> 9007199254740993.25")


def test_what_forces_a_replacement_is_named() -> None:
    paths = [["ami"], ["tags", "a b"], ["disk", 0, "size"], []]
    (change,) = plan(resource("delete", "create", before={}, after={}, replace_paths=paths)).changes
    assert change.details == ('# forces replacement: ami, tags["a b"], disk[0].size, value',)


# Sensitive values ---------------------------------------------------------------------------------------------------


HIDDEN, OTHER = "(sensitive value)", "(sensitive value, another than before)"


@pytest.mark.parametrize(
    ("before", "after", "marks", "lines"),
    [
        ({"a": SECRET}, {"a": "x"}, {"before_sensitive": {"a": True}}, [f"~ a: {HIDDEN} -> {OTHER}"]),
        ({"a": "x"}, {"a": SECRET}, {"after_sensitive": {"a": True}}, [f"~ a: {HIDDEN} -> {OTHER}"]),
        ({"a": SECRET}, None, {"before_sensitive": {"a": True}}, [f"- a: {HIDDEN}"]),
        ({"a": [SECRET]}, {"a": []}, {"before_sensitive": {"a": [True]}}, [f"- a[0]: {HIDDEN}", "+ a: []"]),
        ({"a": [SECRET, 1]}, {"a": [SECRET, 2]}, {"before_sensitive": {"a": [True]}}, ["~ a[1]: 1 -> 2"]),
        ({"a": {"b": SECRET}}, {"a": {}}, {"before_sensitive": {"a": True}}, [f"~ a: {HIDDEN} -> {OTHER}"]),
        ({"a": SECRET}, {"a": SECRET, "b": f"<{SECRET}>"}, {"before_sensitive": {"a": True}}, [f'+ b: "<{HIDDEN}>"']),
        (
            {"a": f"{SECRET}1", "b": f"://{SECRET}1@h"},
            {"a": f"{SECRET}2", "b": f"://{SECRET}2@h"},
            {"before_sensitive": {"a": True}, "after_sensitive": {"a": True}},
            [f"~ a: {HIDDEN} -> {OTHER}", f'~ b: "://{HIDDEN}@h" -> "://{OTHER}@h"'],
        ),
    ],
)
def test_a_value_that_either_side_marks_is_hidden(
    before: Any, after: Any, marks: dict[str, Any], lines: list[str]
) -> None:
    assert list(details(before, after, **marks)) == lines


def test_the_keys_of_a_sensitive_map_are_hidden_where_they_force_a_replacement() -> None:
    changed = resource(
        "delete",
        "create",
        before={"a": {SECRET: 1}},
        after={"a": {}},
        before_sensitive={"a": True},
        replace_paths=[["a", SECRET]],
    )
    (change,) = plan(changed).changes
    assert change.details == ("# forces replacement: a", f"~ a: {HIDDEN} -> {OTHER}")


leaves = st.none() | st.booleans() | st.integers(0, 3) | st.text("ab", max_size=3)


def branches(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=3) | st.dictionaries(st.text("xyz. ", max_size=2), inner, max_size=3)


trees = st.recursive(leaves, branches)
unknowns = st.recursive(st.booleans(), branches)


@st.composite
def marked(draw: st.DrawFn) -> tuple[Any, Any]:
    """A tree whose sensitive values hold the secret, and its marks as Terraform writes them."""
    tree = draw(trees)

    def mark(value: Any) -> tuple[Any, Any]:
        if draw(st.integers(0, 4)) == 0:
            return draw(st.sampled_from([SECRET, [SECRET], {"k": SECRET}, {"k": [{"l": SECRET}]}])), True
        if isinstance(value, dict):
            parts = {key: mark(item) for key, item in value.items()}
            marks = {
                key: inner for key, (_, inner) in parts.items() if inner not in (False, {}, []) or draw(st.booleans())
            }
            return {key: part for key, (part, _) in parts.items()}, marks
        if isinstance(value, list):
            items = [mark(item) for item in value]
            return [item for item, _ in items], [inner for _, inner in items]
        return value, False

    return mark(tree)


@given(marked(), marked(), unknowns, st.sampled_from([["update"], ["delete", "create"], ["create"], ["delete"]]))
def test_no_sensitive_value_ever_reaches_a_change(
    old: tuple[Any, Any], new: tuple[Any, Any], unknown: Any, actions: list[str]
) -> None:
    before, before_sensitive = old
    after, after_sensitive = new
    changed = {
        "before": before,
        "after": after,
        "before_sensitive": before_sensitive,
        "after_sensitive": after_sensitive,
        "after_unknown": unknown,
    }
    sides = {"create": {"before": None}, "delete": {"after": None}}.get("".join(actions), {})
    changed |= sides
    found = plan(resource(*actions, **changed), output_changes={"o": {"actions": actions, **changed}})
    assert SECRET[:7] not in repr((found.changes, found.resources))


@given(trees, trees)
def test_whatever_differs_is_visible(before: Any, after: Any) -> None:
    def seen(old: Any, new: Any) -> bool:
        return any(not line.startswith("#") for line in details({"v": old}, {"v": new}))

    differs = json.dumps(before, sort_keys=True) != json.dumps(after, sort_keys=True)
    assert seen(before, after) == differs
    texts = (json.dumps(before), json.dumps(after))
    assert seen(*texts) == (texts[0] != texts[1])
    assert seen(*(text.replace(",", ",\n") for text in texts)) == (texts[0] != texts[1])


@given(trees)
def test_equal_values_are_no_difference(value: Any) -> None:
    assert [line for line in details({"v": value}, {"v": value}) if not line.startswith("#")] == []


@pytest.mark.parametrize(
    "content", [b"", b"x" * 1000, b"[]", b"{}", b'{"format_version": "2.0"}', b'{"format_version": 1', b"\xff"]
)
def test_what_a_tool_prints_instead_of_a_plan_is_none(content: bytes) -> None:
    assert not is_plan(content)
    assert is_plan(b'{"format_version": "1.2", "resource_changes": []}')


# Depth, drift, checks -----------------------------------------------------------------------------------------------


def nested(levels: int, leaf: str) -> str:
    return '{"k":' * levels + leaf + "}" * levels


def test_values_may_be_nested_a_thousand_levels_deep() -> None:
    text = (json.dumps(nested(1_000, "1")), json.dumps(nested(1_000, "2")))
    content = (
        f'{{"resource_changes": [{{"address": "a.b", "change": {{"actions": ["update"], '
        f'"before": {{"v": {nested(1_000, "1")}, "s": {text[0]}}}, '
        f'"after": {{"v": {nested(1_000, "2")}, "s": {text[1]}}}, '
        '"before_sensitive": {"p": true}}}]}'
    )
    (change,) = view_of(content.encode()).changes
    assert [line[-9:] for line in change.details] == [".k: 1 -> 2"[-9:]] * 2
    with pytest.raises(StageFailed, match="nested too deep"):
        view_of(f'{{"output_changes": {{"o": {{"actions": ["create"], "after": {nested(100_000, "1")}}}}}}}'.encode())
    with pytest.raises(StageFailed, match="nested too deep"):
        view_of(f'{{"output_changes": {{"o": {{"actions": ["create"], "after": {nested(2_300, "1")}}}}}}}'.encode())
    assert not is_plan(f'{{"a": {nested(100_000, "1")}}}'.encode())


def test_drift_failed_checks_and_warnings_are_part_of_the_view() -> None:
    problem = {"status": "fail", "problems": [{"message": f"not {SECRET}"}, {}]}
    found = view_of(
        json.dumps(
            {
                "resource_drift": [resource("update", before={"a": 1}, after={"a": 2}), resource("no-op"),
                                   resource("delete", address="data.x", mode="data")],
                "checks": [
                    {"address": {"to_display": "check.a"}, "status": "fail", "instances": [problem]},
                    {"address": {"to_display": "check.b"}, "status": "error"},
                    {"address": {"to_display": "check.c"}, "status": "unknown"},
                    {"address": {"to_display": "var.d"}, "status": "unknown"},
                    {"address": {"to_display": "check.e"}, "status": "pass"},
                ],
                "variables": {"s": {"value": SECRET}, "open": {"value": "open-value"}},
                "configuration": {"root_module": {"variables": {"s": {"sensitive": True}, "open": {}}}},
            }
        ).encode(),
        [f"Odd: {SECRET}\n  \x1b[2J open-value"],
    )  # fmt: skip
    assert found.drift == (Change("a.b", "change", ("~ a: 1 -> 2",)),)
    assert found.checks == ("check.a: not (sensitive value)", "check.b: error", "check.c: known only after the apply")
    assert found.warnings == ("Odd: (sensitive value)\n  \\u001b[2J open-value",)


@pytest.mark.parametrize(
    "marks",
    [
        {"prior_state": {"values": {"root_module": {"child_modules": [{"resources": [
            {"mode": "data", "values": {"value": SECRET}, "sensitive_values": {"value": True}}]}]}}}},
        {"planned_values": {"outputs": {"o": {"sensitive": True, "value": {"deep": [SECRET]}}}}},
        {"output_changes": {"o": {"actions": ["no-op"], "before": f'{{"x": "{SECRET}"}}', "before_sensitive": True}}},
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", ["plain", "text", "json", "base64", "escaped", "key", "number", "address"])
def test_what_anything_marks_is_hidden_everywhere(marks: dict[str, Any], form: str) -> None:
    forms: dict[str, Any] = {
        "plain": SECRET,
        "text": f"a {SECRET} b",
        "json": json.dumps({"x": {"y": f"<{SECRET}>"}}),
        "base64": base64.b64encode(SECRET.encode()).decode(),
        "escaped": '{"x": "\\u0068' + SECRET[1:] + '"}',
        "key": {SECRET: 1, "(sensitive value)": 2},
    }
    address = f'a.b["{SECRET}"]' if form == "address" else "a.b[0]"
    found = plan(
        resource("create", address=address, after={"v": forms.get(form, 1), "again": forms.get(form, 1)}), **marks
    )
    told = repr((found.changes, found.resources))
    assert SECRET not in told
    assert SECRET[1:] not in told
    assert forms["base64"] not in told


def test_sensitive_numbers_are_hidden_and_short_values_only_where_they_are_marked() -> None:
    (change,) = plan(
        resource("create", after={"pin": 471188, "copy": 471188, "short": "ab", "echo": "ab", "yes": True},
                 after_sensitive={"pin": True, "short": True, "yes": True}),
    ).changes  # fmt: skip
    assert change.details == (
        "+ copy: (sensitive value)", '+ echo: "ab"', "+ pin: (sensitive value)", "+ short: (sensitive value)",
        "+ yes: (sensitive value)",
    )  # fmt: skip


def test_a_secret_that_changes_inside_of_json_is_seen_to_change() -> None:
    marks: dict[str, Any] = {"before_sensitive": {"p": True}, "after_sensitive": {"p": True}}
    before = {"p": f"{SECRET}1", "j": json.dumps({"x": f"{SECRET}1", "y": 1})}
    after = {"p": f"{SECRET}2", "j": json.dumps({"x": f"{SECRET}2", "y": 1})}
    (change,) = plan(resource("update", before=before, after=after, **marks)).changes
    assert change.details == (f"~ j.x: {HIDDEN} -> {OTHER}", f"~ p: {HIDDEN} -> {OTHER}")


def test_several_lines_of_a_secret_are_hidden_one_by_one() -> None:
    key = "first-line-of-it\nsecond-line-of-it"
    (change,) = plan(
        resource("create", after={"k": key, "one": "x second-line-of-it"}, after_sensitive={"k": True})
    ).changes
    assert change.details[-1] == '+ one: "x (sensitive value)"'


def test_only_a_mark_that_changes_is_said() -> None:
    (change,) = plan(resource("update", before={"a": 1}, after={"a": 1})).changes
    assert change.details == ("# nothing that is shown differs: only what is sensitive, or how it is kept",)


def test_a_replacement_without_a_path_says_that_nothing_says_why() -> None:
    (change,) = plan(resource("delete", "create", action_reason="replace_because_cannot_update")).changes
    assert "the provider does not say what" in change.details[0]


def test_what_is_forgotten_is_named_without_a_difference() -> None:
    (change,) = plan(resource("forget", before={"a": 1}, after=None)).changes
    assert change == Change("a.b", "forget")


def test_what_is_no_plan_of_a_known_form_is_refused() -> None:
    with pytest.raises(StageFailed, match="not of the form that is known"):
        view_of(b'{"resource_changes": 1}')
