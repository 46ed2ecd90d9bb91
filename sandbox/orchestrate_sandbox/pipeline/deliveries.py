"""Delivers an event to a target of a rule: under the target's role, again after a while, else to its dead-letter queue.

Source: "How EventBridge retries delivering events" and "Using dead-letter queues" (EventBridge user guide). Only errors
that may pass are tried again; a refused or impossible call goes to the queue at once.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from orchestrate_sandbox.moto_additions.service_roles import Caller, MayNotAssume
from orchestrate_sandbox.pipeline import aws, work
from orchestrate_sandbox.pipeline.transform import payload

_PRINCIPAL = "events.amazonaws.com"
_MOST_ATTEMPTS, _OLDEST_SECONDS = 185, 86400
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0  # seconds; AWS begins with about one and ends with minutes
_PASSING = ("AccountLimitExceeded", "ConcurrentPipelineExecutionsLimitExceeded", "Throttl", "TooManyRequests")


@dataclass(frozen=True)
class Delivery:
    """`target` is in PutTargets' own shape; `account` and `region` are the rule's."""

    rule_name: str
    rule_arn: str
    account: str
    region: str
    target: Mapping[str, Any]
    event: Mapping[str, Any]
    began: float = field(default_factory=time.monotonic)

    def attempt(self, number: int = 0) -> None:
        """The first is number 0, the retries are numbered from 1."""
        try:
            _TARGETS[_service(self.target["Arn"])](self, self.text)
        except (ClientError, BotoCoreError, MayNotAssume, ValueError) as error:
            exhausted = self._exhausted(number) if _may_pass(error) else "None"
            if exhausted is not None:
                self._give_up(error, number, exhausted)
            else:
                wait = min(_FIRST_WAIT * 2**number, _LONGEST_WAIT)
                work.after(wait, lambda: self.attempt(number + 1))

    @property
    def text(self) -> str:
        return payload(self.event, self.target, {"Arn": self.rule_arn, "Name": self.rule_name})

    def _exhausted(self, number: int) -> str | None:
        policy = self.target.get("RetryPolicy") or {}
        if number >= policy.get("MaximumRetryAttempts", _MOST_ATTEMPTS):
            return "MaximumRetryAttempts"
        oldest = policy.get("MaximumEventAgeInSeconds", _OLDEST_SECONDS)
        return "MaximumEventAgeInSeconds" if time.monotonic() - self.began > oldest else None

    def _give_up(self, error: Exception, number: int, exhausted: str) -> None:
        queue = (self.target.get("DeadLetterConfig") or {}).get("Arn")
        sys.stderr.write(f"sandbox: {self.rule_arn} could not reach {self.target['Arn']}: {error}\n")
        if queue is None:
            return
        said = {
            "RULE_ARN": self.rule_arn,
            "TARGET_ARN": self.target["Arn"],
            "ERROR_CODE": _code(error),
            "ERROR_MESSAGE": str(error),
            "EXHAUSTED_RETRY_CONDITION": exhausted,
            "RETRY_ATTEMPTS": str(number),
        }
        attributes = {name: {"DataType": "String", "StringValue": value} for name, value in said.items()}
        _send_message(self, queue, json.dumps(self.event), MessageAttributes=attributes)


def knows(target_arn: str) -> bool:
    """Every other kind of target is moto's own, or nobody's."""
    return _service(target_arn) in _TARGETS


def _service(arn: str) -> str:
    """Event buses and API destinations are moto's."""
    parts = arn.split(":")
    return parts[2] if len(parts) > 5 else ""


def _start_build(delivery: Delivery, text: str) -> None:
    name = delivery.target["Arn"].rpartition("/")[2]
    _client(delivery, "codebuild").start_build(projectName=name, **_object(text))


def _start_execution(delivery: Delivery, text: str) -> None:
    name = delivery.target["Arn"].rpartition(":")[2]
    wanted = {key: value for key, value in _object(text).items() if key in ("variables", "sourceRevisions")}
    _client(delivery, "codepipeline").start_pipeline_execution(name=name, **wanted)


def _start_state_machine(delivery: Delivery, text: str) -> None:
    _client(delivery, "stepfunctions").start_execution(stateMachineArn=delivery.target["Arn"], input=text)


def _publish(delivery: Delivery, text: str) -> None:
    client = aws.as_account("sns", delivery.target["Arn"].split(":")[3], delivery.account)
    client.publish(TopicArn=delivery.target["Arn"], Message=text)


def _enqueue(delivery: Delivery, text: str) -> None:
    group = (delivery.target.get("SqsParameters") or {}).get("MessageGroupId")
    _send_message(delivery, delivery.target["Arn"], text, **({"MessageGroupId": group} if group else {}))


def _send_message(delivery: Delivery, queue_arn: str, text: str, **options: Any) -> None:
    _, _, _, region, account, name = queue_arn.split(":")
    client = aws.as_account("sqs", region, account)
    url = client.get_queue_url(QueueName=name)["QueueUrl"]
    client.send_message(QueueUrl=url, MessageBody=text, **options)


_TARGETS: dict[str, Callable[[Delivery, str], None]] = {
    "codebuild": _start_build,
    "codepipeline": _start_execution,
    "states": _start_state_machine,
    "sns": _publish,
    "sqs": _enqueue,
}


def _client(delivery: Delivery, service: str) -> Any:
    role = delivery.target.get("RoleArn")
    if role is None:
        raise MayNotAssume(f"the target {delivery.target['Arn']} has no role")
    region = delivery.target["Arn"].split(":")[3]
    return aws.as_role(service, region, role, Caller(_PRINCIPAL, delivery.rule_arn, delivery.rule_name[:64]))


def _object(text: str) -> dict[str, Any]:
    """Without an input that names parameters, the target gets an event, of which these services take nothing."""
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError(f"the target's input is no JSON object: {text[:200]}")
    return {} if "detail-type" in found else found


def _may_pass(error: Exception) -> bool:
    if isinstance(error, ClientError):
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return int(status) >= 500 or any(part in _code(error) for part in _PASSING)
    return isinstance(error, BotoCoreError) and "Validation" not in type(error).__name__


def _code(error: Exception) -> str:
    if isinstance(error, ClientError):
        return str(error.response["Error"]["Code"])
    return "NO_PERMISSIONS" if isinstance(error, MayNotAssume) else type(error).__name__
