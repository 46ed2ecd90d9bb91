"""Sensitive values are hidden in text that is JSON, and nothing else of it changes."""

from __future__ import annotations

from orchestrator.model.plan_view.masking import Secrets
from orchestrator.model.plan_view.values import HIDDEN


def test_json_with_escapes_stays_as_it_was_written_where_it_holds_no_secret() -> None:
    secrets = Secrets.of([("hidden-value", True)])
    text = '{ "a":  "x\\ny" }'
    assert secrets.text(text) == text
    assert "hidden-value" not in secrets.text('{"a": "x\\nhidden\\u002dvalue"}')
    assert HIDDEN in secrets.text('{"a": "x\\nhidden\\u002dvalue"}')
