"""Answers to plans, in the ledger table: each under a key that begins with who gave it.

`approval#<aws:userid>#<team>` is what an IAM policy can tie to the caller and, by a session tag, to a team
(`dynamodb:LeadingKeys`; docs/approvals.md). Answers are only ever added. They are found by an index over the plan's
digest and then read again from the table itself, because an index lags behind.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from orchestrator.effects.aws.retry import code_of
from orchestrator.effects.aws.session import Session
from orchestrator.errors import DependencyError, Refused
from orchestrator.model.approval.approval import Answer
from orchestrator.model.stores.settings import ANSWERS_INDEX
from orchestrator.model.text import decoding

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_NO_INDEX = ("ValidationException", "ResourceNotFoundException")


@dataclass(frozen=True)
class Answers:
    """The answers in one environment's ledger table."""

    aws: Session
    table: str
    region: str
    env: str

    def give(self, answer: Answer) -> bool:
        """Adds an answer; False where its author has given the same to this plan before."""
        item = {**_key(answer), "digest": {"S": answer.digest}, "body": {"S": answer.encode().decode()}}
        with self.aws.explained("answer to the plan in the ledger", self.table, env=self.env):
            try:
                self._dynamodb.put_item(TableName=self.table, Item=item, ConditionExpression="attribute_not_exists(pk)")
            except self._dynamodb.exceptions.ConditionalCheckFailedException:
                return self._read(_key(answer)) == answer
        return True

    def of(self, digest: str) -> tuple[Answer, ...]:
        """All answers to a plan; Refused where one is not what orchestrate writes under that key."""
        with self.aws.explained("read the answers to the plan in the ledger", self.table, env=self.env):
            found = [self._read(key) for key in self._keys(digest)]
        return tuple(answer for answer in found if answer is not None)

    def _keys(self, digest: str) -> Iterator[Any]:
        from botocore.exceptions import ClientError

        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self.table,
            IndexName=ANSWERS_INDEX,
            KeyConditionExpression="digest = :digest",
            ExpressionAttributeValues={":digest": {"S": digest}},
        )
        try:
            for page in pages:
                yield from ({"pk": item["pk"], "sk": item["sk"]} for item in page["Items"])
        except ClientError as error:
            # AWS: "The table does not have the specified index"; the emulator names it another error.
            if code_of(error) not in _NO_INDEX or "index" not in str(error):
                raise
            raise DependencyError(
                f"the ledger {self.table} has no index {ANSWERS_INDEX}, by which answers to a plan are found",
                hint=f"Run `orchestrate bootstrap --env {self.env}`; it makes the index.",
            ) from None

    def _read(self, key: Any) -> Answer | None:
        item = self._dynamodb.get_item(TableName=self.table, Key=key, ConsistentRead=True).get("Item")
        if item is None:
            return None
        try:
            answer = decoding.decode(item["body"]["S"], Answer)
        except (KeyError, msgspec.DecodeError):
            answer = None
        if answer is None or not answer.user_id or not answer.is_plain or _key(answer) != key:
            raise Refused(
                f"the answer {key['pk']['S']!r} in the ledger {self.table} is not one that orchestrate has written",
                hint="Whoever owns that key wrote it by hand. Make a new plan, and find out why.",
            )
        return answer

    @property
    def _dynamodb(self) -> DynamoDBClient:
        return self.aws.client("dynamodb", self.region)


def _key(answer: Answer) -> dict[str, dict[str, str]]:
    team = answer.target.partition("/")[0]
    return {"pk": {"S": f"approval#{answer.user_id}#{team}"}, "sk": {"S": f"{answer.digest}#{answer.kind}"}}
