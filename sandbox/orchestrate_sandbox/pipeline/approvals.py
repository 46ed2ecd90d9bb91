"""What people are told when an approval is waited for. Pure.

Source: "JSON data format for manual approval notifications in CodePipeline" (CodePipeline user guide).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from orchestrate_sandbox.pipeline.execution import ActionRun, EmulatedExecution

LONGEST_MESSAGE = 512  # characters; "Manual approval action reference"


def notice(execution: EmulatedExecution, run: ActionRun, minutes: int) -> dict[str, Any]:
    region, name = execution.place.region, execution.pipeline.name
    console = f"https://console.aws.amazon.com/codesuite/codepipeline/pipelines/{name}/view?region={region}"
    expires = run.began + dt.timedelta(minutes=minutes)
    return {
        "region": region,
        "consoleLink": console,
        "approval": {
            "pipelineName": name,
            "stageName": run.stage,
            "actionName": run.action.name,
            "token": run.token,
            "expires": f"{expires:%Y-%m-%dT%H:%MZ}",
            "externalEntityLink": run.configuration.get("ExternalEntityLink"),
            "approvalReviewLink": f"{console}#/{run.stage}/{run.action.name}/approve/{run.token}",
            "customData": run.configuration.get("CustomData"),
        },
    }
