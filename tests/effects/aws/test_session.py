"""What a person is told when AWS, or the way there, fails; against a server that gives one answer to everything."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from botocore.errorfactory import ClientExceptionsFactory

from orchestrator.effects.aws.session import Session
from orchestrator.errors import DependencyError

IDENTITY = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::000000000000:user/ada</Arn><UserId>AIDA</UserId><Account>000000000000</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""


@dataclass
class AnsweringServer:
    """Answers every request with `status` and `body`; remembers the headers it got."""

    endpoint: str
    status: int = 200
    body: str = IDENTITY
    seen: list[dict[str, str]] = field(default_factory=list)

    def refuse(self, status: int, code: str, message: str = "a message") -> None:
        """In the form of S3."""
        error = f"<Code>{code}</Code><Message>{message}</Message>"
        self.status, self.body = status, f"<Error>{error}</Error>"


@pytest.fixture
def surroundings(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No AWS but what a test names, and one attempt."""
    for name in [name for name in os.environ if name.startswith("AWS_") or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    settings = {
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "very-secret",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.fixture
def server(surroundings: pytest.MonkeyPatch) -> Iterator[AnsweringServer]:
    answers: list[AnsweringServer] = []

    class AnswerHandler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            answers[0].seen.append(dict(self.headers))
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(answers[0].status)
            content = b"" if self.command == "HEAD" else answers[0].body.encode()
            self.send_header("x-amz-request-id", "REQ123")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_HEAD = do_POST = do_PUT = answer

        def log_message(self, format: str, *args: object) -> None:
            """Nothing to be printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), AnswerHandler) as http:
        answers.append(AnsweringServer(f"http://127.0.0.1:{http.server_port}"))
        threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
        surroundings.setenv("AWS_ENDPOINT_URL", answers[0].endpoint)
        yield answers[0]
        http.shutdown()


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def read_state(session: Session, env: str | None = "dev") -> None:
    with session.explained("read", "the state bucket acme-tf-dev", env=env):
        session.client("s3").get_bucket_versioning(Bucket="acme-tf-dev")


def failure(work: Callable[[], object]) -> DependencyError:
    with pytest.raises(DependencyError) as caught:
        work()
    return caught.value


def test_identity_is_asked_once(server: AnsweringServer) -> None:
    session = Session("us-east-1")
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda _: session.caller_identity().account, range(8)))
    assert found == {"000000000000"}
    assert len(server.seen) == 1


def test_requests_say_who_we_are(server: AnsweringServer) -> None:
    Session("us-east-1").caller_identity()
    assert "orchestrate/" in server.seen[0]["User-Agent"]


def test_a_client_is_made_once_for_each_region(server: AnsweringServer) -> None:
    session = Session("us-east-1")
    with ThreadPoolExecutor(4) as pool:
        clients = set(pool.map(lambda _: session.client("s3", "eu-central-1"), range(8)))
    assert len(clients) == 1
    assert session.client("s3").meta.region_name == "us-east-1"
    assert session.client("s3", "eu-central-1").meta.region_name == "eu-central-1"


def test_what_a_service_is_is_read_once_and_where_the_surroundings_say(
    server: AnsweringServer, surroundings: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    one, other = (Session("us-east-1").client("sts").meta.service_model for _ in range(2))
    assert one.metadata is other.metadata
    (tmp_path / "sts/2099-01-01").mkdir(parents=True)
    (tmp_path / "sts/2099-01-01/service-2.json").write_text(
        json.dumps({"metadata": {**one.metadata, "apiVersion": "2099-01-01"}, "operations": {}, "shapes": {}})
    )
    surroundings.setenv("AWS_DATA_PATH", str(tmp_path))
    assert Session("us-east-1").client("sts").meta.service_model.api_version == "2099-01-01"


def test_threads_that_share_a_client_catch_the_same_errors(
    server: AnsweringServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """botocore makes the classes of a client's errors at first use."""
    make, together = vars(ClientExceptionsFactory)["_create_client_exceptions"], threading.Barrier(8)

    def slowly(*arguments: object) -> object:
        time.sleep(0.05)
        return make(*arguments)

    monkeypatch.setattr(ClientExceptionsFactory, "_create_client_exceptions", slowly)
    session = Session("us-east-1")

    def error(_: int) -> type:
        client = session.client("dynamodb")
        together.wait()
        return client.exceptions.ConditionalCheckFailedException

    with ThreadPoolExecutor(8) as pool:
        assert len({id(one) for one in pool.map(error, range(8))}) == 1


def test_the_tooling_account_is_required(server: AnsweringServer) -> None:
    Session("us-east-1").require_account("000000000000")


def test_credentials_of_another_account_are_told_with_both_accounts(server: AnsweringServer) -> None:
    error = failure(lambda: Session("us-east-1").require_account("999999999999"))
    assert "000000000000 (arn:aws:iam::000000000000:user/ada)" in error.message
    assert "tooling.account in envs/orchestrate.yaml is 999999999999" in error.message
    assert "environment variables" in error.message
    assert "AWS_PROFILE" in str(error.hint)


def test_credentials_of_another_account_name_the_profile(
    server: AnsweringServer, surroundings: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "credentials").write_text("[bank]\naws_access_key_id = AKIA\naws_secret_access_key = secret\n")
    surroundings.delenv("AWS_ACCESS_KEY_ID")
    surroundings.delenv("AWS_SECRET_ACCESS_KEY")
    surroundings.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    surroundings.setenv("AWS_PROFILE", "bank")
    error = failure(lambda: Session("us-east-1").require_account("999999999999"))
    assert "profile bank" in error.message


def test_access_denied_says_what_was_refused_to_whom(server: AnsweringServer) -> None:
    session = Session("us-east-1")
    session.caller_identity()
    server.refuse(403, "AccessDenied", "User is not authorized to perform: s3:GetBucketVersioning")
    error = failure(lambda: read_state(session))
    assert error.message.startswith("cannot read the state bucket acme-tf-dev: access denied.")
    assert "refused GetBucketVersioning to arn:aws:iam::000000000000:user/ada" in error.message
    assert "not authorized to perform: s3:GetBucketVersioning (request REQ123)" in error.message
    assert "KMS key" in str(error.hint)


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken"])
def test_credentials_that_do_not_hold_say_how_to_log_in(server: AnsweringServer, code: str) -> None:
    server.refuse(403, code, "The AWS Access Key Id AKIAEXAMPLE")
    error = failure(lambda: read_state(Session("us-east-1")))
    assert f"have expired or are not valid ({code})" in error.message
    assert "AKIAEXAMPLE" not in str(error)
    assert "aws sso login" in str(error.hint)


@pytest.mark.slow
@pytest.mark.parametrize(("status", "code"), [(503, "SlowDown"), (503, "ServiceUnavailable"), (400, "Throttling")])
def test_throttling_is_told_after_the_attempts_that_the_person_set(
    server: AnsweringServer, surroundings: pytest.MonkeyPatch, status: int, code: str
) -> None:
    surroundings.setenv("AWS_MAX_ATTEMPTS", "2")
    server.refuse(status, code)
    error = failure(lambda: read_state(Session("us-east-1")))
    assert len(server.seen) == 2
    assert f"({code}, 2 times tried)" in error.message
    assert "Try again later" in str(error.hint)


@pytest.mark.parametrize(("env", "command"), [("dev", "bootstrap --env dev"), (None, "bootstrap")])
def test_a_missing_store_points_to_bootstrap(server: AnsweringServer, env: str | None, command: str) -> None:
    server.refuse(404, "NoSuchBucket")
    error = failure(lambda: read_state(Session("us-east-1"), env))
    assert "it does not exist (NoSuchBucket" in error.message
    assert f"`orchestrate {command}`" in str(error.hint)


def test_a_wrong_clock_is_told(server: AnsweringServer) -> None:
    server.refuse(403, "RequestTimeTooSkewed")
    assert "the clock of this machine is wrong" in failure(lambda: read_state(Session("us-east-1"))).message


def test_any_other_answer_is_told_with_its_code_and_request(server: AnsweringServer) -> None:
    server.refuse(400, "InvalidRequest", "This is not\n\n possible \x7f")
    message = failure(lambda: read_state(Session("us-east-1"))).message
    assert "AWS answered GetBucketVersioning with InvalidRequest This is not possible" in message
    assert "(request REQ123)" in message
    assert message.isprintable()


def test_what_an_endpoint_answers_cannot_flood_the_terminal(server: AnsweringServer) -> None:
    server.refuse(400, "InvalidRequest", "x" * 10_000)
    assert len(failure(lambda: read_state(Session("us-east-1"))).message) < 600


def test_an_answer_without_a_body_is_told_by_its_status(server: AnsweringServer) -> None:
    server.status = 403
    session = Session("us-east-1")

    def head() -> None:
        with session.explained("look at", "the bucket"):
            session.client("s3").head_bucket(Bucket="acme-tf-dev")

    assert "cannot look at the bucket: access denied." in failure(head).message


def test_no_credentials(server: AnsweringServer, surroundings: pytest.MonkeyPatch) -> None:
    surroundings.delenv("AWS_ACCESS_KEY_ID")
    surroundings.delenv("AWS_SECRET_ACCESS_KEY")
    error = failure(lambda: Session("us-east-1").caller_identity())
    assert "no usable AWS credentials" in error.message
    assert "aws sso login" in str(error.hint)
    assert not server.seen


def test_half_credentials(server: AnsweringServer, surroundings: pytest.MonkeyPatch) -> None:
    surroundings.delenv("AWS_SECRET_ACCESS_KEY")
    error = failure(lambda: Session("us-east-1").caller_identity())
    assert "Partial credentials" in error.message


def test_an_endpoint_that_does_not_answer_is_named_without_what_was_asked(surroundings: pytest.MonkeyPatch) -> None:
    endpoint = f"http://127.0.0.1:{unused_port()}"
    surroundings.setenv("AWS_ENDPOINT_URL", endpoint)
    error = failure(lambda: read_state(Session("us-east-1")))
    assert f"{endpoint} cannot be reached" in error.message
    assert "?" not in error.message
    assert "AWS_ENDPOINT_URL" in str(error.hint)


def test_a_proxy_that_does_not_answer_is_named_without_its_password(surroundings: pytest.MonkeyPatch) -> None:
    port = unused_port()
    surroundings.setenv("HTTPS_PROXY", f"http://ada:pa55word@127.0.0.1:{port}")
    error = failure(lambda: read_state(Session("us-east-1")))
    assert f"http://127.0.0.1:{port} cannot be reached (a proxy)" in error.message
    assert "pa55word" not in str(error)


def test_a_connection_that_breaks(surroundings: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        surroundings.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{listening.getsockname()[1]}")

        def hang_up() -> None:
            with contextlib.suppress(OSError):
                listening.accept()[0].close()

        threading.Thread(target=hang_up, daemon=True).start()
        error = failure(lambda: read_state(Session("us-east-1")))
    assert "cannot be reached" in error.message


@pytest.mark.parametrize(
    ("name", "value"),
    [("AWS_PROFILE", "nobody"), ("AWS_ENDPOINT_URL", "no address"), ("AWS_MAX_ATTEMPTS", "many")],
)
def test_settings_that_cannot_be_used(surroundings: pytest.MonkeyPatch, name: str, value: str) -> None:
    surroundings.setenv(name, value)
    error = failure(lambda: Session("us-east-1").caller_identity())
    assert "the AWS settings cannot be used" in error.message
    assert value in error.message
    assert "AWS_PROFILE" in str(error.hint)


def test_what_the_client_library_refuses_is_told(server: AnsweringServer, surroundings: pytest.MonkeyPatch) -> None:
    session = Session("us-east-1")

    def wait() -> None:
        with session.explained("make", "the bucket"):
            session.client("s3").get_waiter("bucket_exists").wait(
                Bucket="acme-tf-dev", WaiterConfig={"Delay": 0, "MaxAttempts": 1}
            )

    server.status = 404
    assert "cannot make the bucket: Waiter BucketExists failed" in failure(wait).message


def test_our_own_errors_pass_unchanged(surroundings: pytest.MonkeyPatch) -> None:
    own = DependencyError("said already")
    with pytest.raises(DependencyError) as caught, Session("us-east-1").explained("do", "it"):
        raise own
    assert caught.value is own
