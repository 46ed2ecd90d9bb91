"""IAM Access Analyzer, asked by a real AWS client of a server on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from orchestrator.effects.aws.access_analyzer import validate
from orchestrator.effects.aws.session import Session
from orchestrator.model.policy.iam_policy import Document

DOCUMENT = Document("aws_iam_policy.p", "policy", "IDENTITY_POLICY", '{"Statement": []}')


class Analyzer(ThreadingHTTPServer):
    """Answers every request with the next page; `asked` holds the requests."""

    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.asked: list[dict[str, Any]] = []
        self.pages: list[dict[str, Any]] = []


class _Answers(BaseHTTPRequestHandler):
    server: Analyzer

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.server.asked.append({"path": self.path, **json.loads(self.rfile.read(length))})
        page = self.server.pages.pop(0) if self.server.pages else {"findings": []}
        body = json.dumps(page).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the tests' output is not the place."""


@pytest.fixture
def analyzer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Analyzer]:
    with Analyzer() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        host, port = server.server_address[:2]
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://{host!s}:{port}",
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_MAX_ATTEMPTS": "1",
        }.items():
            monkeypatch.setenv(name, value)
        yield server
        server.shutdown()


def finding(kind: str, code: str) -> dict[str, Any]:
    link = "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html"
    return {
        "findingDetails": f"About {code}.",
        "findingType": kind,
        "issueCode": code,
        "learnMoreLink": link,
        "locations": [],
    }


def test_its_findings_become_ours_page_by_page(analyzer: Analyzer) -> None:
    analyzer.pages = [
        {"findings": [finding("SECURITY_WARNING", "PASS_ROLE_WITH_STAR_IN_RESOURCE")], "nextToken": "more"},
        {
            "findings": [
                finding("ERROR", "INVALID_ACTION"),
                finding("SUGGESTION", "EMPTY_ARRAY_ACTION"),
                finding("NEW", "X"),
            ]
        },
    ]

    validated = validate([DOCUMENT, DOCUMENT], Session("us-east-1"), "us-east-1")

    assert [(f.rule, f.severity) for f in validated.findings] == [
        ("access_analyzer_pass_role_with_star_in_resource", "high"),
        ("access_analyzer_invalid_action", "error"),
        ("access_analyzer_empty_array_action", "notice"),
        ("access_analyzer_x", "unrated"),
    ]
    assert validated.findings[0].resource == "aws_iam_policy.p"
    assert validated.findings[0].link is not None
    assert [asked["policyType"] for asked in analyzer.asked] == ["IDENTITY_POLICY"] * 2  # two pages, one document


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_where_it_cannot_be_asked_a_note_says_so(analyzer: Analyzer, status: int) -> None:
    analyzer.status = status
    analyzer.pages = [{"__type": "AccessDeniedException", "message": "no"}]

    validated = validate([DOCUMENT], Session("us-east-1"), "us-east-1")

    assert validated.findings == ()
    assert "IAM Access Analyzer did not validate the policies" in validated.notes[0]


def test_without_documents_nobody_is_asked(analyzer: Analyzer) -> None:
    assert validate([], Session("us-east-1"), "us-east-1").findings == ()
    assert analyzer.asked == []
