"""What a step of the pipeline is told, by the environment variables of its build, and what it tells in turn."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

import msgspec

from orchestrator.errors import DependencyError, Refused
from orchestrator.model.release.receipt import PlanReceipt
from orchestrator.model.release.release import Release
from orchestrator.model.text import decoding

# CodePipeline, "Add a manual approval action": the longest message that every way of telling it shows whole.
LONGEST_MESSAGE = 512

_CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}


@dataclass(frozen=True)
class StepExecution:
    """One step's build. `source` is the folder of the clone's parent; `digest` is empty before the plan."""

    tag: str
    commit: str
    id: str
    env: str
    pipeline: str
    rules_ref: str | None
    source: str
    region: str
    digest: str
    succeeding: bool

    @staticmethod
    def of(variables: Mapping[str, str]) -> StepExecution:
        """Raises DependencyError where this is not a build of the tooling's."""
        needed = ("TAG", "COMMIT", "EXECUTION_ID", "ORCHESTRATE_ENV", "ORCHESTRATE_PIPELINE", "CODEBUILD_SRC_DIR")
        missing = [name for name in needed if not variables.get(name)]
        if missing:
            raise DependencyError(
                f"this is not a build of a release pipeline: {', '.join(missing)} is not set",
                hint="Steps run in AWS CodeBuild; elsewhere use `orchestrate release`, or its stages one by one.",
            )
        return StepExecution(
            tag=variables["TAG"],
            commit=variables["COMMIT"],
            id=variables["EXECUTION_ID"],
            env=variables["ORCHESTRATE_ENV"],
            pipeline=variables["ORCHESTRATE_PIPELINE"],
            rules_ref=variables.get("ORCHESTRATE_RULES_REF") or None,
            source=variables["CODEBUILD_SRC_DIR"],
            region=variables.get("AWS_REGION", ""),
            digest=variables.get("DIGEST", ""),
            succeeding=variables.get("CODEBUILD_BUILD_SUCCEEDING", "1") == "1",
        )

    def check(self, release: Release) -> None:
        """Raises Refused where a variable of the execution is not what the bundle says: somebody wrote it by hand."""
        if release.tag.env != self.env:
            raise Refused(f"{release.tag} is not a release to {self.env}, which this pipeline is for")
        if release.commit != self.commit:
            raise Refused(
                f"the execution says that {release.tag} is commit {self.commit[:12]}, but it is {release.commit[:12]}",
                hint="Variables of an execution are not for people to write: `orchestrate submit` starts executions.",
            )
        if self.region and self.region != release.target.stores.region:
            raise DependencyError(
                f"this build runs in {self.region}, but releases of {release.tag} run in {release.target.stores.region}"
            )


class CheckResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a check ended, handed from its step to the plan step, which may write to the ledger."""

    check: str
    tag: str
    commit: str
    passed: bool
    source: str
    findings: int
    tools: dict[str, str]


def handed_on(content: bytes, check: str, release: Release) -> CheckResult:
    """Raises Refused for a result that is not of this check and commit."""
    try:
        result = decoding.decode(content, CheckResult)
    except msgspec.DecodeError as error:
        raise Refused(f"the result of {check} cannot be read: {error}") from None
    if (result.check, result.tag, result.commit) != (check, str(release.tag), release.commit):
        raise Refused(f"the result handed on as {check} is that of {result.check} of {result.tag}")
    return result


def message(receipt: PlanReceipt) -> str:
    """What an approval shows: tag, counts, digest; at most 512 characters, on one line."""
    text = (
        f"{receipt.tag}: {receipt.summary}. Plan {receipt.digest}, commit {receipt.commit[:12]}, "
        f"until {receipt.expires_at}. See it: orchestrate approve --tag {receipt.tag}"
    )
    return text[:LONGEST_MESSAGE]


def receipt_address(region: str, partition: str, bucket: str, key: str) -> str:
    """The receipt in the AWS console."""
    host = _CONSOLES.get(partition, _CONSOLES["aws"])
    return f"https://{region}.{host}/s3/object/{bucket}?region={region}&prefix={quote(key, safe='')}"


def execution_address(region: str, partition: str, pipeline: str, execution: str) -> str:
    """The execution in the AWS console."""
    host = _CONSOLES.get(partition, _CONSOLES["aws"])
    path = f"{quote(pipeline, safe='')}/executions/{quote(execution, safe='')}/timeline"
    return f"https://{region}.{host}/codesuite/codepipeline/pipelines/{path}?region={region}"


def shell_lines(values: Mapping[str, str]) -> str:
    """Lines that a shell reads with `.`; CodeBuild exports variables of the shell."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in values.items())
