"""A plan receipt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from orchestrator.model.release.receipt import PlanReceipt
from orchestrator.model.text import decoding

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
RECEIPT = decoding.convert(
    {
        "version": 1,
        "tag": "dev_global/research/1.0",
        "tag_object": "a" * 40,
        "commit": "b" * 40,
        "rules_commit": "c" * 40,
        "place": {
            "target": "research/dev-global",
            "account": "111111111111",
            "region": "us-east-1",
            "partition": "aws",
            "root": ".",
            "bucket": "acme-tf-dev",
            "key": "research/dev-global/terraform.tfstate",
            "backend_region": "us-east-1",
            "plan_role": "arn:aws:iam::111111111111:role/InfraPlanRole",
            "apply_role": "arn:aws:iam::111111111111:role/InfraBuildRole",
        },
        "var_files": {"envs/dev.tfvars": "d" * 64},
        "program": "terraform 1.11.4",
        "lock_file": None,
        "providers": {},
        "checks": {"lint": "passed", "scan": "not run"},
        "artefact": {"bucket": "acme-tf-releases-dev", "key": "plans/x.tar", "sha256": "e" * 64, "size": 1},
        "plan_json": "f" * 64,
        "state": {"lineage": "", "serial": 0},
        "summary": {"add": 1, "change": 0, "destroy": 0, "replace": 0},
        "changes": True,
        "resources": [{"address": "a.b", "action": "add", "details": ["x"]}],
        "resources_after": 1,
        "protected": [],
        "rollback": None,
        "workspace": "/home/me/.cache/orchestrate/workspaces/x",
        "planned_at": NOW.isoformat(),
        "expires_at": (NOW + timedelta(hours=1)).isoformat(),
        "planned_by": "arn:aws:iam::000000000000:user/me",
        "signed": None,
        "tagger": None,
        "submitted_by": None,
    },
    PlanReceipt,
)
