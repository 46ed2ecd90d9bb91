"""What the actions of a pipeline do: fetch a source, start a build, ask for an approval.

An action acts under its own role, else under the pipeline's. It either ends at once, or tells later how it ended.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from orchestrate_sandbox.moto_additions.service_roles import Caller, MayNotAssume
from orchestrate_sandbox.pipeline import approvals, aws, build_actions
from orchestrate_sandbox.pipeline.build import Artifact
from orchestrate_sandbox.pipeline.execution import FAILED, SUCCEEDED, ActionOutcome, ActionRun, EmulatedExecution
from orchestrate_sandbox.pipeline.variables import Unresolved, resolved

PRINCIPAL = "codepipeline.amazonaws.com"
_APPROVAL_MINUTES = 7 * 24 * 60
_NAME, _ARTIFACT, _RANDOM = 20, 10, 7  # characters of an object's key in the artifact store

Ended = Callable[[ActionOutcome], None]


class Misconfigured(Exception):
    """The action cannot be done as it is configured."""


def begin(execution: EmulatedExecution, run: ActionRun, ended: Ended) -> ActionOutcome | None:
    """The outcome, or None where `ended` will be called with it. Never raises: a failure is an outcome."""
    kind = run.action.action_type_id
    doer = _DOERS.get((kind.category, kind.provider))
    try:
        if doer is None:
            raise Misconfigured(f"an action {kind.category}/{kind.provider} is not in the sandbox")
        known = execution.namespaces
        run.configuration = {name: resolved(text, known) for name, text in run.action.configuration.items()}
        run.inputs = tuple(execution.artifacts[one.name] for one in run.action.input_artifacts)
        return doer(execution, run, ended)
    except (ClientError, BotoCoreError, MayNotAssume) as error:
        return _failed("PermissionError" if isinstance(error, MayNotAssume) else "JobFailed", str(error))
    except (Unresolved, Misconfigured, KeyError, ValueError) as error:
        return _failed("ConfigurationError", str(error))
    except Exception as error:  # an execution that waits for ever would say nothing
        traceback.print_exception(error, file=sys.stderr)
        return _failed("InternalError", f"failed in the sandbox: {error!r}")


def limit_minutes(run: ActionRun) -> int | None:
    """Builds have a limit of their own."""
    return run.action.timeout_in_minutes or (_APPROVAL_MINUTES if run.is_approval else None)


def cancel(execution: EmulatedExecution, run: ActionRun) -> None:
    if run.action.action_type_id.provider == "CodeBuild":
        build_actions.cancel(execution, run)


def client(execution: EmulatedExecution, run: ActionRun, service: str) -> Any:
    role = run.action.role_arn or execution.pipeline.role_arn
    region = run.action.region or execution.place.region
    partition, place, name = role.split(":")[1], execution.place, execution.pipeline.name
    pipeline = f"arn:{partition}:codepipeline:{place.region}:{place.account}:{name}"
    return aws.as_role(service, region, role, Caller(PRINCIPAL, pipeline, name[:64]))


def output(execution: EmulatedExecution, run: ActionRun, name: str, revision: str | None) -> Artifact:
    """Where an output artifact goes: below the beginnings of the pipeline's and the artifact's name."""
    store = execution.pipeline.store(run.action.region or execution.place.region)
    unique = run.id.replace("-", "")[:_RANDOM]
    key = f"{execution.pipeline.name[:_NAME]}/{name[:_ARTIFACT]}/{unique}"
    return Artifact(name, store.location, key, revision)


def _failed(code: str, message: str) -> ActionOutcome:
    return ActionOutcome(FAILED, message, error=(code, message))


def _fetch(execution: EmulatedExecution, run: ActionRun, _: Ended) -> ActionOutcome:
    """An object of S3, of the version that the execution was started with, else the newest."""
    bucket = run.configuration["S3Bucket"]
    key = execution.revision(run.action.name, "S3_OBJECT_KEY") or run.configuration["S3ObjectKey"]
    version = execution.revision(run.action.name, "S3_OBJECT_VERSION_ID")
    s3 = client(execution, run, "s3")
    found = s3.get_object(Bucket=bucket, Key=key, **({"VersionId": version} if version else {}))
    revision = str(found.get("VersionId", found["ETag"].strip('"')))
    artifact = output(execution, run, run.action.output_artifacts[0].name, revision)
    store = execution.pipeline.store(run.action.region or execution.place.region)
    encryption = {"SSEKMSKeyId": store.encryption_key.id} if store.encryption_key else {}
    s3.put_object(
        Bucket=artifact.bucket,
        Key=artifact.key,
        Body=found["Body"].read(),
        ServerSideEncryption="aws:kms",
        **encryption,
    )
    run.external_id = revision
    outputs = {"BucketName": bucket, "ETag": found["ETag"].strip('"'), "ObjectKey": key, "VersionId": revision}
    return ActionOutcome(SUCCEEDED, f"Amazon S3 version id: {revision}", outputs, (artifact,))


def _build(execution: EmulatedExecution, run: ActionRun, ended: Ended) -> ActionOutcome | None:
    """Its own role is the project's; CodePipeline's is only asked whether it may assume it."""
    revision = run.inputs[0].revision if run.inputs else None
    outputs = tuple(output(execution, run, one.name, revision) for one in run.action.output_artifacts)
    client(execution, run, "codebuild")
    return build_actions.begin(execution, run, outputs, ended)


def _approval(execution: EmulatedExecution, run: ActionRun, _: Ended) -> ActionOutcome | None:
    if len(run.configuration.get("CustomData", "")) > approvals.LONGEST_MESSAGE:
        raise Misconfigured(f"CustomData has more than {approvals.LONGEST_MESSAGE} characters")
    if topic := run.configuration.get("NotificationArn"):
        notice = approvals.notice(execution, run, limit_minutes(run) or _APPROVAL_MINUTES)
        subject = f"APPROVAL NEEDED: AWS CodePipeline {execution.pipeline.name}"[:100]
        client(execution, run, "sns").publish(TopicArn=topic, Subject=subject, Message=json.dumps(notice))
    return None


_DOERS: dict[tuple[str, str], Callable[[EmulatedExecution, ActionRun, Ended], ActionOutcome | None]] = {
    ("Source", "S3"): _fetch,
    ("Build", "CodeBuild"): _build,
    ("Test", "CodeBuild"): _build,
    ("Approval", "Manual"): _approval,
}
