"""What the sandbox adds to moto, one module per subject; each says what moto does and what AWS does instead.

A module has `apply()`, which changes moto's classes in this process and is called once, when the service it belongs
to is asked for the first time: moto loads its services only then, and so does the sandbox.
"""

from __future__ import annotations

import importlib

_OF_SERVICE = {
    "cloudtrail": ("trails",),
    "codebuild": ("build_projects", "builds", "report_groups"),
    "codecommit": ("repositories",),
    "codepipeline": ("pipelines", "pipeline_executions"),
    "dynamodb": ("narrowed_sessions", "table_encryption", "table_replicas"),
    "elb": ("dns_names",),  # and elbv2: they share an address
    "events": ("event_rules",),
    "iam": ("replaced_roles",),
    "kms": ("symmetric_keys",),
    "logs": ("log_keys",),
    "s3": ("bucket_access", "bucket_events", "lifecycle", "retention"),
    "sts": ("trust",),
}
_applied: set[str] = set()


def apply(service: str) -> None:
    """Applies the additions of a service, by moto's name for it."""
    for name in _OF_SERVICE.get(service, ()):
        if name not in _applied:
            _applied.add(name)
            importlib.import_module(f"{__name__}.{name}").apply()
