"""Tells people through Amazon SNS."""

from __future__ import annotations

from typing import Any

from orchestrator.effects.aws.session import Session
from orchestrator.effects.system import outlet

_LONGEST_SUBJECT = 99  # SNS API reference, Publish: ASCII, no line breaks, fewer than 100 characters
_LONGEST_TEXT = 200_000


def publish(aws: Session, topic: str, subject: str, text: str) -> str:
    """The message's id; raises DependencyError where SNS does not take it. The topic's ARN names its Region."""
    client: Any = aws.client
    sns = client("sns", topic.split(":")[3])
    with aws.explained("tell the subscribers of", topic):
        answer = sns.publish(TopicArn=topic, Subject=_subject(subject), Message=outlet.shown(text)[:_LONGEST_TEXT])
    return str(answer["MessageId"])


def _subject(text: str) -> str:
    return "".join(character if " " <= character <= "~" else "?" for character in text)[:_LONGEST_SUBJECT]
