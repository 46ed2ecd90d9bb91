"""Custom checks: what checkov would not load is refused."""

from __future__ import annotations

import pytest

from orchestrator.errors import InvalidInput
from orchestrator.model.checks.custom_policy import check_policy

GOOD = """\
metadata: {id: CKV2_ACME_1, name: Buckets have an owner, category: CONVENTION}
definition: {cond_type: attribute, resource_types: [aws_s3_bucket], attribute: tags.owner, operator: exists}
"""


@pytest.mark.parametrize(("path", "content"), [("p/a.yaml", GOOD), ("p/a.py", "import x"), ("p/a.yml", GOOD)])
def test_policies_are_policies(path: str, content: str) -> None:
    assert check_policy(path, content.encode())


@pytest.mark.parametrize(
    ("path", "content"),
    [("p/iam.json", '{"Version": "2012-10-17", "Statement": []}'), ("p/list.yaml", "- a"), ("p/empty.yaml", "")],
)
def test_files_about_something_else_are_none(path: str, content: str) -> None:
    assert not check_policy(path, content.encode())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (GOOD.replace("id: CKV2_ACME_1, ", ""), "metadata.id"),
        (GOOD.replace("category: CONVENTION", "severity: LOW"), "metadata.category"),
        (GOOD.partition("\n")[0], "definition"),
        ("definition: {}", "metadata.id, metadata.name, metadata.category"),
        ("metadata: 3\ndefinition: x", "metadata.id"),
        ("a: [", "is not YAML, line"),
        ("!!python/object/apply:os.system ['true']", "is not YAML"),
    ],
)
def test_what_would_be_passed_over_is_refused(content: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        check_policy("policies/a.yaml", content.encode())


def test_broken_json_is_refused() -> None:
    with pytest.raises(InvalidInput, match="is not JSON"):
        check_policy("policies/a.json", b"{")
