"""The tooling of a project in an emulated AWS, but for pipelines whose steps do nothing: for many releases at once."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from orchestrate_sandbox.environment import within
from orchestrate_sandbox.layout import RoleSpec, SandboxLayout
from orchestrate_sandbox.process import start
from orchestrator.model.rules import tooling
from orchestrator.model.rules.rules import Rules
from tests.support.projects import E2eProject
from tests.support.workbench import Workbench, approval, build_action, buildspec, stage

TOP = Path(__file__).parents[2]
SUBMIT = f"PYTHONPATH={TOP} {sys.executable} -P -m orchestrator submit"


class PipelineClone(E2eProject):
    """A clone of the emulated repository, with the pipelines that its tags are released by."""

    aws: Workbench

    def push(self, *names: str) -> list[str]:
        for name in names:
            self.tag(name)
        self.git("push", "--quiet", "origin", *(f"refs/tags/{name}" for name in names))
        return list(names)

    def executions(self, env: str) -> list[dict[str, Any]]:
        found = self.aws("codepipeline").list_pipeline_executions(pipelineName=f"fleet-{env}")
        return list(found["pipelineExecutionSummaries"])


@contextlib.contextmanager
def emulated(base: Path, files: Mapping[str, str]) -> Iterator[PipelineClone]:
    """`files` are those of the repository, its configuration with the prefix `fleet` among them."""
    with start(SandboxLayout("000000000000", "us-east-1", (RoleSpec("111111111111", "Other", "read"),))) as sandbox:
        own = {"ORCHESTRATE_WORKSPACES": str(base / "workspaces"), "GIT_CONFIG_GLOBAL": os.devnull}
        made = PipelineClone(base / "clone", within(os.environ, sandbox.env) | own, "fleet")
        del made.env["AWS_MAX_ATTEMPTS"]  # orchestrate's own: AWS throttles here
        made.aws = Workbench(sandbox)
        name, url = made.aws.repository()
        subprocess.run(["git", "clone", "--quiet", url, str(made.folder)], check=True, capture_output=True)
        made.git("config", "user.name", "Tester")
        made.git("config", "user.email", "tester@example.com")
        made.git("checkout", "--quiet", "-B", "main")
        made.commit(files)
        made.git("push", "--quiet", "origin", "main")
        made.ok("bootstrap")
        rules = Rules.parse({file: text for file, text in files.items() if file.startswith("envs/")})
        _make_tooling(made, name, rules)
        yield made


def _make_tooling(place: PipelineClone, repository: str, rules: Rules) -> None:
    """As modules/release-pipeline makes it, but for a step that only fails where the version is a candidate."""
    aws = place.aws
    url = f"https://git-codecommit.us-east-1.amazonaws.com/v1/repos/{repository}"
    step = aws.step(buildspec('case "$TAG" in *-rc.*) exit 1;; esac'))
    for pipeline in tooling.pipelines(rules, "us-east-1"):
        told = {"ORCHESTRATE_ENV": pipeline.env, "ORCHESTRATE_RULES_REF": "refs/heads/main"}
        variables = [{"name": name, "value": value, "type": "PLAINTEXT"} for name, value in told.items()]
        image = {"type": "LINUX_CONTAINER", "image": "image:1", "computeType": "BUILD_GENERAL1_SMALL"}
        aws.project(
            buildspec(SUBMIT),
            name=pipeline.submit_project,
            source={"type": "CODECOMMIT", "location": url},
            environment={**image, "environmentVariables": variables},
        )
        work = stage("Work", build_action("Work", step))
        stages = (
            [work] if not rules.environments[pipeline.env].approval.required else [stage("Approve", approval()), work]
        )
        store = f"fleet-releases-{pipeline.env}"
        artifacts = {"artifactStore": {"type": "S3", "location": store}}
        declared = [{"name": "TAG"}, {"name": "COMMIT"}]
        aws.pipeline(*stages, name=pipeline.name, variables=declared, **artifacts)
        _point_source_to(aws, pipeline.name, store)
        _make_rule(aws, pipeline)


def _point_source_to(aws: Workbench, name: str, store: str) -> None:
    made = aws("codepipeline").get_pipeline(name=name)["pipeline"]
    made["stages"][0]["actions"][0]["configuration"]["S3Bucket"] = store
    aws("codepipeline").update_pipeline(pipeline=made)


def _make_rule(aws: Workbench, pipeline: tooling.EnvironmentPipeline) -> None:
    pattern = {"source": [pipeline.asked_source], "detail-type": [tooling.ASKED]}
    aws("events").put_rule(Name=pipeline.name, EventPattern=json.dumps(pattern))
    template = ",".join(
        f'{{"name": "{name}", "type": "PLAINTEXT", "value": <{name.lower()}>}}' for name in ("TAG", "ATTEMPT", "ROUNDS")
    )
    target = {
        "Id": "submit",
        "Arn": f"arn:aws:codebuild:us-east-1:000000000000:project/{pipeline.submit_project}",
        "RoleArn": aws.role,
        "InputTransformer": {
            "InputPathsMap": {name: f"$.detail.{name}" for name in ("tag", "attempt", "rounds")},
            "InputTemplate": f'{{"environmentVariablesOverride": [{template}]}}',
        },
    }
    aws("events").put_targets(Rule=pipeline.name, Targets=[target])
