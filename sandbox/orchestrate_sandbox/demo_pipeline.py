"""`make demo-pipeline`: `git push` of three tags deploys to three Regions, on the emulated AWS of this machine.

The tooling is applied by Terraform with the real AWS provider; the pipeline that then runs is the one that it made.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import click

from orchestrate_sandbox.clients import client
from orchestrate_sandbox.example import (
    SOURCE,
    Demo,
    make_repository,
    say,
    show_page,
    started_sandbox,
    within,
)
from orchestrate_sandbox.process import Sandbox
from orchestrate_sandbox.watched import ExecutionWatch, WatchedExecution

_FOLDER = SOURCE / ".demo" / "pipeline"
REGIONS = ("us-east-1", "eu-central-1", "ap-southeast-1")
_TAG = "prod_{}/research/1.0"
TAGS = tuple(_TAG.format(region) for region in REGIONS)
PIPELINE = "acme-tf-prod"
_PLANNED_SECONDS, _RELEASED_SECONDS = 300, 600

# One environment and one team are enough here; each Region has its own roles, so that none waits for what is global.
_ENVIRONMENT = """\
regions: [us-east-1, eu-central-1, ap-southeast-1]
global_resource_deploy_from_region: us-east-1
teams:
  research: {account: "333333333333"}
approval: {required: true}
apply_from: pipeline
checks:
  required: [lint, scan]
  scan:
    skips:
      - rule: CKV_AWS_158
        resource: module.regional*.aws_cloudwatch_log_group.flow
        reason: encrypted with a key of the same release, which has no ARN before it is made
        expires: "2027-12-31"
"""
CHANGES: Mapping[str, str | None] = {
    "envs/dev.yaml": None,
    "envs/prod.yaml": _ENVIRONMENT,
    "envs/prod/research.tfvars": 'role_isolation = "region"\ngreeting       = "Hello from a pipeline"\n',
}


def tooling(demo: Demo) -> None:
    say("1. The tooling account: stores, repository, pipeline, roles; then the roles of the workload account.")
    demo.orchestrate("bootstrap")
    demo.orchestrate("tooling", "apply")
    demo.orchestrate("accounts", "--apply")


def push(demo: Demo, regions: Sequence[str] = REGIONS) -> None:
    say("2. Code and tags are pushed. Each tag raises an event, which starts an execution; nobody runs orchestrate.")
    demo.git("remote", "add", "origin", str(demo.answer("sandbox", "remote")["url"]))
    demo.git("push", "--quiet", "origin", "main")
    scopes = [word for region in regions for word in ("--scope", region)]
    demo.orchestrate("tag", "--env", "prod", "--team", "research", "--version", "1.0", *scopes)
    demo.git("push", "origin", *(f"refs/tags/{_TAG.format(region)}" for region in regions))


def watching(sandbox: Sandbox) -> ExecutionWatch:
    return ExecutionWatch(client(sandbox, "codepipeline"), PIPELINE, click.echo)


def release(demo: Demo, watch: ExecutionWatch, tags: Sequence[str]) -> None:
    """From the push to the end of each tag's execution."""
    say("3. One execution for each tag, all at once: source, lint, scan and plan; then each waits for a person.")
    planned = watch.until(tags, lambda one: one.is_over or one.waits_for_people, seconds=_PLANNED_SECONDS)
    _end_where_failed(planned.values())
    say("   On a laptop nobody can apply here: only the pipeline's own role may (exit code 4).")
    demo.orchestrate("apply", "--tag", tags[0], expected=4)
    for tag in tags:
        demo.orchestrate("approve", "--tag", tag, "--yes", "--reason", "reviewed in the demo")
    say("4. Each applies exactly the plan that was approved. (AWS takes about a minute to make a load balancer.)")
    released = watch.until(tags, lambda one: one.is_over, seconds=_RELEASED_SECONDS)
    _end_where_failed(released.values())


def _end_where_failed(executions: Iterable[WatchedExecution]) -> None:
    failed = [f"{one.tag}: {one.failure or one.status}" for one in executions if one.is_over and not one.has_succeeded]
    if failed:
        raise SystemExit("\n".join(failed))


def what_there_is(demo: Demo, sandbox: Sandbox, tags: Sequence[str]) -> None:
    say("5. What runs where, who approved it, and what a browser sees.")
    demo.orchestrate("status", "--env", "prod")
    demo.orchestrate("history", "--env", "prod", "--team", "research", "--scope", REGIONS[0])
    for tag in tags:
        if url := demo.answer("verify", "--tag", tag)["url"]:
            show_page(str(url), sandbox)


def main(folder: Path) -> None:
    """Makes the repository in `folder`, its tooling, and releases to three Regions through the pipeline."""
    started = time.monotonic()
    shown = os.path.relpath(folder)
    say(f"An example repository is made in {shown}, and the emulated AWS is started, without deployment roles.")
    make_repository(folder, CHANGES)
    sandbox = started_sandbox(folder, "--bare")
    demo = Demo(folder, within(sandbox))
    try:
        tooling(demo)
        push(demo)
        release(demo, watching(sandbox), TAGS)
        what_there_is(demo, sandbox, TAGS)
    finally:
        demo.orchestrate("sandbox", "down")
    say(f"Done in {time.monotonic() - started:.0f} s. Each step is explained in docs/pipeline.md.")


if __name__ == "__main__":
    main(Path(*sys.argv[1:2]).absolute() if sys.argv[1:] else _FOLDER)
