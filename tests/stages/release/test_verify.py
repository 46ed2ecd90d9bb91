"""Verifying an address that answers rightly, late, wrongly or not at all; the ledger alone says what was applied."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from orchestrator.errors import Refused, StageFailed
from orchestrator.model.ledger.ledger import Draft
from orchestrator.stages.release.verify import Verified, verify
from tests.support.projects import E2eProject, NewProject
from tests.support.stages import Stand, Standing

FIRST, SECOND = "dev_global/research/1.0", "dev_global/research/1.1"


@dataclass
class ServedPages:
    """Answers of a web server, in order; the last one stays."""

    url: str
    answers: list[tuple[int, str]] = field(default_factory=list)

    def next(self) -> tuple[int, str]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def page() -> Iterator[ServedPages]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = served.next()
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served = ServedPages(f"http://127.0.0.1:{server.server_port}/")
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield served
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def project(new_project: NewProject) -> E2eProject:
    project = new_project("verify", "slow")
    project.tag(FIRST)
    project.tag(SECOND)
    return project


def applied(there: Stand, **outputs: object) -> Stand:
    """As an apply records it."""
    release = there.ctx.release
    draft = Draft("applied", str(release.tag), release.commit, there.ctx.identify(), None, {"outputs": outputs})
    there.ctx.ledger.append(release.target.id, lambda _: draft)
    return there


def test_nothing_can_be_verified_before_it_is_applied(project: E2eProject, stand: Standing) -> None:
    with pytest.raises(Refused, match="nothing has been applied") as refused:
        verify(stand(project, "dev_global/research/1.1").ctx, 0)
    assert "orchestrate apply --tag dev_global/research/1.1" in str(refused.value)


def test_another_version_than_the_one_that_runs_is_refused(project: E2eProject, stand: Standing) -> None:
    applied(stand(project, FIRST))
    with pytest.raises(Refused, match=f"the target runs {FIRST}"):
        verify(stand(project, SECOND).ctx, 0)


def test_a_root_without_an_address_has_nothing_to_verify(project: E2eProject, stand: Standing) -> None:
    assert verify(applied(stand(project, FIRST)).ctx, 0) == Verified(FIRST, "nothing to verify", None, None)


def test_an_address_of_a_file_is_never_opened(project: E2eProject, stand: Standing) -> None:
    with pytest.raises(StageFailed, match="not an http or https address"):
        verify(applied(stand(project, FIRST), verify_url="file:///etc/passwd").ctx, 0)


def test_the_right_page_is_recorded(project: E2eProject, stand: Standing, page: ServedPages) -> None:
    page.answers = [(200, "Hello from Region us-east-1")]
    there = applied(stand(project, FIRST), verify_url=page.url, verify_text="us-east-1")
    assert verify(there.ctx, 0) == Verified(FIRST, "verified", page.url, "Hello from Region us-east-1")
    newest = there.ctx.ledger.history(there.ctx.release.target.id).newest("verified")
    assert newest is not None
    assert newest.detail == {"url": page.url, "rules_commit": there.ctx.release.rules_commit}


@pytest.mark.slow
def test_an_address_that_answers_late_is_waited_for(project: E2eProject, stand: Standing, page: ServedPages) -> None:
    page.answers = [(503, "starting"), (200, "ready")]
    there = applied(stand(project, FIRST), verify_url=page.url, verify_text="ready")
    assert verify(there.ctx, 60).page == "ready"


@pytest.mark.parametrize(
    ("answer", "why"), [((503, "ready"), "it answers 503"), ((200, "another"), "does not hold the text 'ready'")]
)
def test_a_wrong_answer_fails_and_is_not_recorded(
    project: E2eProject, stand: Standing, page: ServedPages, answer: tuple[int, str], why: str
) -> None:
    page.answers = [answer]
    there = applied(stand(project, FIRST), verify_url=page.url, verify_text="ready")
    with pytest.raises(StageFailed, match=why):
        verify(there.ctx, 0)
    assert there.ctx.ledger.history(there.ctx.release.target.id).entries[-1].kind == "applied"


@pytest.mark.slow
def test_an_address_where_nobody_answers_fails(project: E2eProject, stand: Standing) -> None:
    there = applied(stand(project, FIRST), verify_url="http://127.0.0.1:1/", verify_text="ready")
    with pytest.raises(StageFailed, match="cannot be reached"):
        verify(there.ctx, 0)
