"""Actions of a pipeline that run a build."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from orchestrate_sandbox.pipeline import builds
from orchestrate_sandbox.pipeline.build import Artifact, EmulatedBuild, Order
from orchestrate_sandbox.pipeline.execution import FAILED, SUCCEEDED, ActionOutcome, ActionRun, EmulatedExecution


def begin(
    execution: EmulatedExecution, run: ActionRun, outputs: tuple[Artifact, ...], ended: Callable[[ActionOutcome], None]
) -> ActionOutcome | None:
    """Raises ValueError where the configuration makes no sense."""
    backend = _backend(execution, run)
    project = _project(backend, execution, run)
    order = Order(
        project=project,
        number=builds.next_number(backend, project["name"]),
        initiator=f"codepipeline/{execution.pipeline.name}",
        source_version=f"arn:{_partition(execution)}:s3:::{run.inputs[0].location}" if run.inputs else None,
        inputs=_primary_first(run),
        outputs=outputs,
    )
    try:
        build = builds.start(backend, order, lambda build: ended(_outcome(build)))
    except builds.LimitExceeded as error:
        return ActionOutcome(FAILED, str(error), error=("JobFailed", f"Error calling startBuild: {error}"))
    run.external_id = build.id
    run.external_url = (
        f"https://console.aws.amazon.com/codebuild/home?region={build.region}#/builds/{build.id}/view/new"
    )
    run.log_stream_arn = build.view()["logs"]["cloudWatchLogsArn"]
    return None


def cancel(execution: EmulatedExecution, run: ActionRun) -> None:
    build = builds.builds_of(_backend(execution, run)).by_id.get(run.external_id or "")
    if build is not None:
        builds.stop(build)


def _backend(execution: EmulatedExecution, run: ActionRun) -> Any:
    from orchestrate_sandbox import moto_additions

    moto_additions.apply("codebuild")  # no request for this service may have come yet
    from moto.codebuild.models import codebuild_backends

    return codebuild_backends[execution.place.account][run.action.region or execution.place.region]


def _project(backend: Any, execution: EmulatedExecution, run: ActionRun) -> dict[str, Any]:
    """With the action's variables, and the artifact store's key instead of the project's."""
    from orchestrate_sandbox.moto_additions.build_projects import project
    from orchestrate_sandbox.moto_additions.builds import overridden

    found = project(backend, run.configuration["ProjectName"])
    if found is None:
        raise ValueError(f"there is no build project {run.configuration['ProjectName']}")
    if run.configuration.get("BatchEnabled") == "true":
        raise ValueError("batch builds are not in the sandbox")
    given = json.loads(run.configuration.get("EnvironmentVariables") or "[]")
    store = execution.pipeline.store(run.action.region or execution.place.region)
    key = {"encryptionKeyOverride": store.encryption_key.id} if store.encryption_key else {}
    kinds = {"source": {**found["source"], "type": "CODEPIPELINE"}, "artifacts": {"type": "CODEPIPELINE"}}
    return overridden({**found, **kinds}, {"environmentVariablesOverride": given, **key})


def _primary_first(run: ActionRun) -> tuple[Artifact, ...]:
    primary = run.configuration.get("PrimarySource")
    return tuple(sorted(run.inputs, key=lambda artifact: artifact.name != primary))


def _partition(execution: EmulatedExecution) -> str:
    return execution.pipeline.role_arn.split(":")[1]


def _outcome(build: EmulatedBuild) -> ActionOutcome:
    if build.status == "SUCCEEDED":
        return ActionOutcome(SUCCEEDED, outputs=build.exported, artifacts=build.order.outputs)
    failed = next((phase for phase in build.phases if phase.context), None)
    why = f" ({failed.type}: {failed.context[1]})" if failed and failed.context else ""
    message = f"Build terminated with state: {build.status}{why}"
    return ActionOutcome(FAILED, message, error=("JobFailed", message))
