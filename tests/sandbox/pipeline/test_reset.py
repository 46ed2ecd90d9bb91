"""A reset, and the end of the server, leave nothing that runs."""

from __future__ import annotations

import os
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from orchestrate_sandbox.keys import SECRET_HEADER
from orchestrate_sandbox.layout import RESET_PATH, SandboxLayout
from orchestrate_sandbox.private import post
from orchestrate_sandbox.process import start
from orchestrate_sandbox.remotes import remotes
from orchestrator.errors import DependencyError
from tests.support.workbench import Workbench, approval, buildspec, runs, stage, until

_PUSH = b'{"account": "000000000000", "region": "us-east-1", "repository": "r", "refs": []}'


@pytest.fixture
def own() -> Iterator[Workbench]:
    with start(SandboxLayout("000000000000", "us-east-1")) as sandbox:
        yield Workbench(sandbox)


@pytest.mark.slow
def test_builds_end_and_everything_is_gone(own: Workbench) -> None:
    own.source()
    pipeline = own.pipeline(stage("Approve", approval()))
    own.waiting(pipeline, own.start(pipeline))
    own.repository()
    project = own.project(buildspec("echo pid=$$.; exec sleep 600"))
    started = [own("codebuild").start_build(projectName=project)["build"]["id"] for _ in range(2)]
    pid = own.pid(started[0])
    own.set(minute_seconds=1)
    post(own.sandbox, RESET_PATH, b"")
    assert until(lambda: not runs(pid))
    assert own("codepipeline").list_pipelines()["pipelines"] == []
    assert own("codebuild").list_builds()["ids"] == []
    assert remotes(own.sandbox) == []
    assert own.set()["minute_seconds"] == 60


@pytest.mark.slow
def test_the_end_of_the_server_ends_its_builds_however_often_it_is_told() -> None:
    with start(SandboxLayout("000000000000", "us-east-1")) as sandbox:
        workbench = Workbench(sandbox)
        project = workbench.project(buildspec("echo pid=$$.; exec sleep 600"))
        pid = workbench.pid(workbench("codebuild").start_build(projectName=project)["build"]["id"])
        for _ in range(10_000):
            os.kill(sandbox.pid, signal.SIGTERM)
    assert not runs(pid)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("settings", b'{"speed": 1}', 400),
        ("settings", b"no json", 400),
        ("received", b"{}", 400),
        ("received", _PUSH, 403),
        ("none", b"", 404),
    ],
)
def test_what_its_own_paths_do_not_know_is_refused(aws: Workbench, path: str, body: bytes, status: int) -> None:
    address = f"{aws.sandbox.endpoint}/sandbox-api/{path}"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(address, body, {SECRET_HEADER: aws.sandbox.secret})
    with pytest.raises(urllib.error.HTTPError) as raised:
        opener.open(request, timeout=10)
    with raised.value as answer:
        assert answer.status == status
    with pytest.raises(DependencyError):
        post(aws.sandbox, f"/sandbox-api/{path}", body)
