"""checkov over a plan: skips in the code count for the resource that they were written on, and no other."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from orchestrator.effects.checks.cache import CheckCache
from orchestrator.effects.checks.checkov import Checkov
from orchestrator.effects.git.files import FolderFiles
from orchestrator.effects.system.cache import Cache
from orchestrator.effects.tools.install import ensure
from orchestrator.stages.checks.checkov import CheckovScanner
from orchestrator.stages.checks.scanner import observe
from orchestrator.stages.checks.subject import CheckContext, CheckTarget
from orchestrator.stages.policy.plan_checks import with_skips

BUCKET = 'resource "aws_s3_bucket" "this" {\n  bucket = "x"\n}\n'
SKIPPING = 'resource "aws_s3_bucket" "this" {\n  #checkov:skip=CKV_AWS_18:logged elsewhere\n  bucket = "x"\n}\n'


def resource(address: str) -> dict[str, Any]:
    return {
        "address": address,
        "mode": "managed",
        "type": "aws_s3_bucket",
        "name": "this",
        "provider_name": "registry.terraform.io/hashicorp/aws",
        "schema_version": 0,
        "values": {"bucket": "x", "acl": None},
    }


def planned(*addresses: str) -> dict[str, Any]:
    """As `terraform show -json` tells a plan with one bucket in the root, or in modules of it."""
    modules = {address.rpartition(".aws_s3_bucket")[0]: resource(address) for address in addresses}
    children = [{"address": name, "resources": [entry]} for name, entry in modules.items() if name]
    changes = [
        {
            **resource(address),
            "change": {"actions": ["create"], "before": None, "after": {"bucket": "x"}, "after_unknown": {}},
        }
        for address in addresses
    ]
    root = {"resources": [modules[""]] if "" in modules else [], "child_modules": children}
    values = {"planned_values": {"root_module": root}, "resource_changes": changes}
    return {"format_version": "1.2", "terraform_version": "1.11.4", "configuration": {"root_module": {}}, **values}


@pytest.mark.slow
def test_a_skip_in_one_module_does_not_count_in_another(tmp_path: Path) -> None:
    """The resources have one type and name; checkov's own enrichment would take one for the other."""
    calls = "".join(
        f'module "{name}" {{\n  source = "./{folder}"\n  {more}\n}}\n'
        for name, folder, more in (("a", "skips", 'for_each = toset(["x.y", "z"])'), ("b", "plain", ""))
    )
    for name, text in {"main.tf": calls + BUCKET, "skips/main.tf": SKIPPING, "plain/main.tf": BUCKET}.items():
        (tmp_path / "code" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "code" / name).write_text(text)
    files = FolderFiles.around(tmp_path / "code")
    subject = CheckTarget(files, files, "")
    ctx = CheckContext(os.environ, CheckCache(Cache(tmp_path)), date(2026, 1, 1), lambda line: None)
    tool = ensure("checkov", env=os.environ, progress=lambda line: None)
    addresses = ('module.a["x.y"].aws_s3_bucket.this', "module.b.aws_s3_bucket.this", "aws_s3_bucket.this")

    in_code, _ = observe("scan", CheckovScanner(subject, ctx), subject, ctx)
    with ctx.scratch(subject) as scratch_dir:
        found = with_skips(Checkov(tool, scratch_dir).of_plan(planned(*addresses)), in_code.findings)

    states = {finding.resource: (finding.state, finding.file) for finding in found if finding.rule == "CKV_AWS_18"}
    assert states == {
        'module.a["x.y"].aws_s3_bucket.this': ("skipped", "skips/main.tf"),
        "module.b.aws_s3_bucket.this": ("failing", "plain/main.tf"),
        "aws_s3_bucket.this": ("failing", "main.tf"),
    }
    assert not any("canary" in (finding.resource or "") for finding in found)
