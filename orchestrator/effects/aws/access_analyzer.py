"""IAM Access Analyzer's policy validation, where AWS offers it (IAM Access Analyzer API, ValidatePolicy)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestrator.errors import DependencyError
from orchestrator.model.checks.finding import Finding, Severity, clean
from orchestrator.model.policy.iam_policy import Document

if TYPE_CHECKING:
    from orchestrator.effects.aws.session import Session

_SEVERITIES: Mapping[str, Severity] = {
    "ERROR": "error",
    "SECURITY_WARNING": "high",
    "WARNING": "notice",
    "SUGGESTION": "notice",
}


@dataclass(frozen=True)
class Validated:
    """What Access Analyzer says; `notes` tell what it could not be asked."""

    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()


def validate(documents: Iterable[Document], aws: Session, region: str) -> Validated:
    """Asks about each document once. Where the service is not offered, or refuses us, a note says so.

    It is one opinion more: the policy's own rules have judged the documents already.
    """
    try:
        distinct = {(document.kind, document.text): document for document in documents}
        found = [clean(f) for document in distinct.values() for f in _findings(document, aws, region)]
    except DependencyError as failure:
        return Validated((), (f"IAM Access Analyzer did not validate the policies: {failure.message}",))
    return Validated(tuple(found))


def _findings(document: Document, aws: Session, region: str) -> Iterator[Finding]:
    client: Any = aws.client("accessanalyzer", region)  # type: ignore[call-overload]
    with aws.explained("validate a policy with", f"IAM Access Analyzer in {region}"):
        request = {"policyDocument": document.text, "policyType": document.kind}
        for page in client.get_paginator("validate_policy").paginate(**request):
            for said in page["findings"]:
                yield _finding(document, said)


def _finding(document: Document, said: Mapping[str, Any]) -> Finding:
    return Finding(
        check="policy",
        tool="access analyzer",
        rule=f"access_analyzer_{str(said.get('issueCode', 'unknown')).lower()}",
        severity=_SEVERITIES.get(str(said.get("findingType")), "unrated"),
        message=f"{document.attribute}: {said.get('findingDetails', '')}",
        resource=document.address,
        link=said.get("learnMoreLink"),
    )
