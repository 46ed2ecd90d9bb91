"""Programs in the place of terraform, tflint and checkov."""

from __future__ import annotations

from pathlib import Path

_VERSIONS = {
    "terraform": ("version", "Terraform v1.11.4"),
    "tofu": ("version", "OpenTofu v1.12.6"),
    "tflint": ("--version", "TFLint version 0.64.0"),
    "checkov": ("--version", "3.3.30"),
}

RECORD = (
    '{"check_id":"CKV_AWS_20","check_name":"n","check_result":{"result":"FAILED"},"file_path":"/%s","resource":"%s"}'
)
CANARY = RECORD % ("orchestrate-canary/main.tf", "aws_s3_bucket.orchestrate_canary")
AS_CHECKOV = f"""echo '{{"check_type": "terraform",
  "results": {{"passed_checks": [], "failed_checks": [{CANARY}], "skipped_checks": [], "parsing_errors": []}},
  "summary": {{"passed": 0, "failed": 1, "skipped": 0, "parsing_errors": 0}}}}'; exit 1"""
"""The answer of a checkov that has nothing to object to."""


def fake_tool(folder: Path, name: str, script: str) -> dict[str, str]:
    """A program that gives the right version, and else runs a shell script; as environment variables."""
    return {f"ORCHESTRATE_{name.upper()}": str(fake_program(folder, name, script))}


def fake_program(folder: Path, name: str, script: str = "exit 1") -> Path:
    flag, version = _VERSIONS[name]
    program = folder / name
    program.write_text(f'#!/bin/sh\nif [ "$1" = {flag} ]; then echo "{version}"; exit 0; fi\n{script}\n')
    program.chmod(0o755)
    return program
