"""`orchestrate bootstrap` through the command line, against the sandbox behind a proxy that records and breaks."""

from __future__ import annotations

import http.client
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from orchestrate_sandbox.layout import RoleSpec, SandboxLayout
from orchestrate_sandbox.process import Sandbox
from orchestrator.cli.main import main
from orchestrator.effects.aws.session import Session
from tests.support.command import RunningCommand
from tests.support.emulator import enforce_policies, reset, unmeasured

ACCOUNT = "000000000000"
STRANGER = "111111111111"
KINDS = ["kms_key", "state_bucket", "lock_table", "release_bucket", "ledger_table"]

ENVIRONMENT = """\
regions: [{regions}]
global_resource_deploy_from_region: us-east-1
teams:
  research: {{account: "{account}"}}
"""


@dataclass(frozen=True)
class SeenRequest:
    method: str
    path: str
    operation: str  # of JSON services: `CreateTable`

    @property
    def writes(self) -> bool:
        if self.operation:
            return not self.operation.startswith(("Describe", "Get", "List"))
        return self.method in ("PUT", "DELETE")

    def __str__(self) -> str:
        return self.operation or f"{self.method} {self.path}"


Answer = tuple[int, bytes]
Fault = Callable[[SeenRequest, Callable[[], Answer]], Answer | None]
"""What to answer instead of the sandbox (which the second argument asks), None to pass the request on."""


@dataclass
class Proxy:
    endpoint: str
    fault: Fault = lambda request, forward: None
    seen: list[SeenRequest] = field(default_factory=list)

    def writes(self) -> list[str]:
        return [str(request) for request in self.seen if request.writes]


def refusal(status: int, code: str, *, json_service: bool = False) -> Answer:
    if json_service:
        return status, json.dumps({"__type": code, "message": "told by the test"}).encode()
    return status, f"<Error><Code>{code}</Code><Message>told by the test</Message></Error>".encode()


def once(wanted: Callable[[SeenRequest], bool], answer: Answer) -> Fault:
    """The answer to the first request that fits."""
    left = [answer]
    return lambda request, forward: left.pop() if left and wanted(request) else None


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    roles = (RoleSpec(STRANGER, "InfraBuildRole", "admin"),)
    with unmeasured(SandboxLayout(tooling_account=ACCOUNT, region="us-east-1", roles=roles)) as running:
        yield running


@pytest.fixture(scope="module")
def aws(sandbox: Sandbox) -> Session:
    """Straight to the sandbox, past the proxy: what a test does itself is not recorded."""
    with pytest.MonkeyPatch.context() as patch:
        lead_to(sandbox.env, patch)
        session = Session("us-east-1")
        for region in ("us-east-1", "eu-central-1", "ap-southeast-1"):
            session.client("s3", region)
            session.client("dynamodb", region)
        session.client("kms")
        session.client("iam")
        session.client("sts")
    return session


def lead_to(surroundings: Mapping[str, str], patch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        patch.delenv(name)
    for name, value in surroundings.items():
        patch.setenv(name, value)


@pytest.fixture
def empty(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox, empty; the surroundings lead there."""
    reset(sandbox)
    lead_to(sandbox.env, monkeypatch)


@pytest.fixture
def proxy(sandbox: Sandbox, empty: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """The sandbox, empty, behind a proxy; the surroundings lead there."""
    proxies: list[Proxy] = []
    target = sandbox.endpoint.removeprefix("http://")

    class Forward(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            operation = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
            request = SeenRequest(self.command, self.path, operation)
            proxies[0].seen.append(request)

            def forward() -> Answer:
                status, _, content = self.forwarded(body)
                return status, content

            broken = proxies[0].fault(request, forward)
            status, headers, content = self.forwarded(body) if broken is None else (broken[0], [], broken[1])
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def forwarded(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
            connection = http.client.HTTPConnection(target, timeout=30)
            try:
                connection.request(self.command, self.path, body, dict(self.headers))
                answer = connection.getresponse()
                kept = [(k, v) for k, v in answer.getheaders() if k.lower().startswith("x-amz") or k == "Content-Type"]
                return answer.status, kept, answer.read()
            finally:
                connection.close()

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = answer

        def log_message(self, format: str, *args: object) -> None:
            """Nothing to be printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Forward) as server:
        server.daemon_threads = True
        proxies.append(Proxy(f"http://127.0.0.1:{server.server_port}"))
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        lead_to({**sandbox.env, "AWS_ENDPOINT_URL": proxies[0].endpoint}, monkeypatch)
        yield proxies[0]
        server.shutdown()


@dataclass(frozen=True)
class BootstrapProject:
    folder: Path

    def configure(
        self, *, account: str = ACCOUNT, regions: str = "us-east-1", envs: tuple[str, ...] = ("dev",), **state: str
    ) -> None:
        lines = "".join(f"  {key}: {value}\n" for key, value in state.items())
        project = f"state:\n  prefix: acme-tf\n  region: us-east-1\n{lines}tooling:\n  account: '{account}'\n"
        (self.folder / "envs" / "orchestrate.yaml").write_text(project)
        for number, env in enumerate(envs, start=1):
            text = ENVIRONMENT.format(regions=regions, account=str(number) * 12)
            (self.folder / "envs" / f"{env}.yaml").write_text(text)

    def run(self, *arguments: str) -> int:
        return main(["bootstrap", "--repo", str(self.folder), *arguments])


@pytest.fixture
def project(tmp_path: Path) -> BootstrapProject:
    (tmp_path / "envs").mkdir()
    made = BootstrapProject(tmp_path)
    made.configure()
    return made


Printed = pytest.CaptureFixture[str]


def stores(capsys: Printed) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["stores"]
    return found


def states(capsys: Printed) -> dict[str, str]:
    return {store["name"]: store["state"] for store in stores(capsys)}


@pytest.mark.slow
def test_makes_what_is_missing_in_every_environment(empty: None, project: BootstrapProject, capsys: Printed) -> None:
    project.configure(envs=("dev", "prod"))
    assert project.run("--format", "json") == 0
    printed = capsys.readouterr()
    found = json.loads(printed.out)["stores"]
    assert [(store["env"], store["kind"]) for store in found] == [(env, k) for env in ("dev", "prod") for k in KINDS]
    assert {(store["state"], store["region"]) for store in found} == {("created", "us-east-1")}
    assert all(store["differences"] == [] for store in found)
    assert "dev (us-east-1): state bucket acme-tf-dev created" in printed.err
    assert project.run("--check") == 0


@pytest.mark.slow
def test_a_second_run_changes_nothing(proxy: Proxy, project: BootstrapProject, capsys: Printed) -> None:
    project.run()
    capsys.readouterr()
    proxy.seen.clear()
    assert project.run() == 0
    assert proxy.writes() == []
    printed = capsys.readouterr()
    assert printed.out.count("in order") == 5
    assert printed.err == ""


def test_a_check_of_nothing_reports_all_as_missing_and_makes_nothing(
    proxy: Proxy, project: BootstrapProject, capsys: Printed
) -> None:
    assert project.run("--check") == 1
    assert proxy.writes() == []
    assert "  state bucket acme-tf-dev             missing\n" in capsys.readouterr().out


@pytest.mark.slow
def test_drift_is_reported_by_a_check_and_mended_by_a_run(
    proxy: Proxy, aws: Session, project: BootstrapProject, capsys: Printed
) -> None:
    project.configure(envs=("dev", "prod"))
    project.run()
    s3, dynamodb, kms = aws.client("s3"), aws.client("dynamodb"), aws.client("kms")
    s3.put_bucket_versioning(Bucket="acme-tf-dev", VersioningConfiguration={"Status": "Suspended"})
    s3.delete_bucket_encryption(Bucket="acme-tf-releases-prod")
    dynamodb.update_table(TableName="acme-tf-ledger-dev", DeletionProtectionEnabled=False)
    key = kms.describe_key(KeyId="alias/acme-tf-prod")["KeyMetadata"]["KeyId"]
    kms.disable_key_rotation(KeyId=key)
    proxy.seen.clear()
    capsys.readouterr()

    assert project.run("--check", "--format", "json") == 1
    assert proxy.writes() == []
    differing = {store["name"]: store for store in stores(capsys) if store["state"] == "differs"}
    assert {name: [d["setting"] for d in store["differences"]] for name, store in differing.items()} == {
        "acme-tf-dev": ["versioning"],
        "acme-tf-releases-prod": ["encryption"],
        "acme-tf-ledger-dev": ["deletion_protection"],
        "alias/acme-tf-prod": ["rotation"],
    }
    (versioning,) = differing["acme-tf-dev"]["differences"]
    assert versioning == {"setting": "versioning", "wanted": "Enabled", "found": "Suspended"}

    assert project.run("--check") == 1
    assert "    versioning: Suspended, wanted Enabled\n" in capsys.readouterr().out
    assert project.run() == 0
    assert "state bucket acme-tf-dev              repaired: versioning\n" in capsys.readouterr().out
    assert project.run("--check") == 0


def test_one_environment(empty: None, project: BootstrapProject, capsys: Printed) -> None:
    project.configure(envs=("dev", "prod"))
    assert project.run("--env", "prod", "--format", "json") == 0
    assert {store["env"] for store in stores(capsys)} == {"prod"}


def test_an_unknown_environment(proxy: Proxy, project: BootstrapProject, capsys: Printed) -> None:
    project.configure(envs=("dev", "prod"))
    assert project.run("--env", "prdo") == 3
    assert "there is no environment 'prdo'\nDid you mean prod?" in capsys.readouterr().err
    assert proxy.seen == []


def test_keys_that_aws_manages(empty: None, aws: Session, project: BootstrapProject, capsys: Printed) -> None:
    project.configure(encryption="s3")
    assert project.run("--format", "json") == 0
    assert "kms_key" not in {store["kind"] for store in stores(capsys)}
    rules = aws.client("s3").get_bucket_encryption(Bucket="acme-tf-dev")["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0].get("ApplyServerSideEncryptionByDefault") == {"SSEAlgorithm": "AES256"}
    assert project.run("--check") == 0


def test_everything_is_encrypted_with_the_key_of_its_environment(
    empty: None, aws: Session, project: BootstrapProject
) -> None:
    project.configure(envs=("dev", "prod"))
    project.run()
    for env in ("dev", "prod"):
        key = aws.client("kms").describe_key(KeyId=f"alias/acme-tf-{env}")["KeyMetadata"]["Arn"]
        for bucket in (f"acme-tf-{env}", f"acme-tf-releases-{env}"):
            answer = aws.client("s3").get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
            rule = answer["Rules"][0]
            assert rule.get("BucketKeyEnabled")
            assert rule.get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID") == key
        for table in (f"acme-tf-lock-{env}", f"acme-tf-ledger-{env}"):
            description = aws.client("dynamodb").describe_table(TableName=table)["Table"]
            assert description.get("SSEDescription", {}).get("KMSMasterKeyArn") == key


@pytest.mark.slow
def test_layout_regional_has_stores_in_every_region(
    empty: None, aws: Session, project: BootstrapProject, capsys: Printed
) -> None:
    project.configure(layout="regional", regions="us-east-1, eu-central-1, ap-southeast-1")
    assert project.run("--format", "json") == 0
    found = stores(capsys)
    assert {store["state"] for store in found} == {"created"}
    buckets = {store["name"]: store["region"] for store in found if store["kind"] == "state_bucket"}
    assert buckets == {
        "acme-tf-use1-dev": "us-east-1",
        "acme-tf-euc1-dev": "eu-central-1",
        "acme-tf-apse1-dev": "ap-southeast-1",
    }
    for name, region in buckets.items():
        assert aws.client("s3").head_bucket(Bucket=name)["BucketRegion"] == region
        assert aws.client("dynamodb", region).describe_table(TableName=name.replace("-dev", "-lock-dev"))
    assert project.run("--check") == 0


@pytest.mark.slow
def test_two_runs_at_once(empty: None, aws: Session, project: BootstrapProject, capsys: Printed) -> None:
    project.configure(envs=("dev", "prod"))
    runs = [RunningCommand(["bootstrap"], cwd=project.folder, env=os.environ) for _ in range(2)]
    ended = [run.answer(timeout=120) for run in runs]
    assert [answer.code for answer in ended] == [0, 0], ended
    assert project.run("--check") == 0
    kms = aws.client("kms")
    keys = [kms.describe_key(KeyId=entry["KeyId"])["KeyMetadata"] for entry in kms.list_keys()["Keys"]]
    assert [key["KeyState"] for key in keys].count("Enabled") == 2


@pytest.mark.slow
def test_what_another_run_mends_meanwhile_is_no_failure(
    proxy: Proxy, aws: Session, project: BootstrapProject, capsys: Printed
) -> None:
    project.run()
    aws.client("dynamodb").update_table(TableName="acme-tf-ledger-dev", DeletionProtectionEnabled=False)

    def done_by_another(request: SeenRequest, forward: Callable[[], Answer]) -> Answer | None:
        if request.operation != "UpdateTable":
            return None
        forward()
        return refusal(400, "ValidationException", json_service=True)

    proxy.fault = done_by_another
    assert project.run() == 0
    assert project.run("--check") == 0


@pytest.mark.slow
def test_what_cannot_be_mended_is_told(proxy: Proxy, aws: Session, project: BootstrapProject, capsys: Printed) -> None:
    project.run()
    aws.client("dynamodb").update_table(TableName="acme-tf-ledger-dev", DeletionProtectionEnabled=False)
    refused = refusal(400, "ValidationException", json_service=True)
    proxy.fault = lambda request, forward: refused if request.operation == "UpdateTable" else None
    assert project.run() == 6
    message = "cannot change the settings of the ledger table acme-tf-ledger-dev: AWS answered UpdateTable with"
    assert message in capsys.readouterr().err


BUSY: list[tuple[Callable[[SeenRequest], bool], Answer]] = [
    (lambda request: request.method == "PUT" and "?versioning" in request.path, refusal(409, "OperationAborted")),
    (lambda request: request.method == "PUT" and request.path == "/acme-tf-dev", refusal(409, "OperationAborted")),
    (lambda request: "?ownershipControls" in request.path, refusal(404, "NoSuchBucket")),
    (
        lambda request: request.operation == "UpdateContinuousBackups",
        refusal(400, "ContinuousBackupsUnavailableException", json_service=True),
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize(("wanted", "answer"), BUSY)
def test_what_passes_is_waited_for(
    proxy: Proxy, project: BootstrapProject, wanted: Callable[[SeenRequest], bool], answer: Answer
) -> None:
    proxy.fault = once(wanted, answer)
    assert project.run() == 0
    assert project.run("--check") == 0


@pytest.mark.slow
def test_a_table_that_aws_is_changing_is_waited_for(proxy: Proxy, project: BootstrapProject, capsys: Printed) -> None:
    project.run()

    def updating(request: SeenRequest, forward: Callable[[], Answer]) -> Answer | None:
        if request.operation != "DescribeTable" or proxy.fault is not updating:
            return None
        proxy.fault = Proxy.fault
        status, body = forward()
        return status, body.replace(b'"ACTIVE"', b'"UPDATING"')

    proxy.fault = updating
    assert project.run("--check") == 0


def test_access_denied(proxy: Proxy, project: BootstrapProject, capsys: Printed) -> None:
    proxy.fault = lambda request, forward: (
        refusal(403, "AccessDenied") if request.method == "PUT" and "?versioning" in request.path else None
    )
    assert project.run("--format", "json") == 6
    printed = capsys.readouterr()
    found = {store["kind"]: store for store in json.loads(printed.out)["stores"]}
    assert found["state_bucket"]["state"] == "failed"
    assert "AWS refused PutBucketVersioning to arn:aws:sts::000000000000:" in found["state_bucket"]["error"]
    assert found["ledger_table"]["state"] == "created"
    assert printed.err.endswith("A bucket of another account is refused alike.\n")


def test_no_permission_at_all(
    proxy: Proxy,
    aws: Session,
    sandbox: Sandbox,
    project: BootstrapProject,
    capsys: Printed,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    iam = aws.client("iam")
    iam.create_user(UserName="nobody")
    key = iam.create_access_key(UserName="nobody")["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    enforce_policies(sandbox, "0")
    try:
        code = project.run()
    finally:
        enforce_policies(sandbox, "inf")
    assert code == 6
    error = capsys.readouterr().err
    assert key["SecretAccessKey"] not in error
    assert "denied" in error
    assert not [line for line in proxy.writes() if line.startswith(("PUT", "Create"))]


def test_an_endpoint_that_does_not_answer(
    proxy: Proxy, project: BootstrapProject, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert project.run() == 6
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "http://127.0.0.1:9 cannot be reached" in printed.err
    assert len(printed.err.splitlines()) <= 3


@pytest.mark.slow
def test_throttled_tables_do_not_keep_the_buckets_from_being_made(
    proxy: Proxy, project: BootstrapProject, capsys: Printed
) -> None:
    throttled = refusal(400, "ThrottlingException", json_service=True)
    proxy.fault = lambda request, forward: throttled if request.operation == "CreateTable" else None
    assert project.run("--format", "json") == 6
    printed = capsys.readouterr()
    found = {store["kind"]: store["state"] for store in json.loads(printed.out)["stores"]}
    assert found == {
        "kms_key": "created",
        "state_bucket": "created",
        "lock_table": "failed",
        "release_bucket": "created",
        "ledger_table": "failed",
    }
    assert "2 of 5 stores failed" in printed.err
    assert "AWS throttles CreateTable or is overloaded (ThrottlingException, 2 times tried)" in printed.err
    proxy.fault = Proxy.fault
    assert project.run() == 0
    assert project.run("--check") == 0


@pytest.mark.slow
def test_s3_overloaded(proxy: Proxy, project: BootstrapProject, capsys: Printed) -> None:
    proxy.fault = lambda request, forward: refusal(503, "SlowDown") if "?lifecycle" in request.path else None
    assert project.run() == 6
    assert "(SlowDown, 2 times tried)" in capsys.readouterr().err


def test_a_key_that_fails_is_told_once_for_all_that_needs_it(
    proxy: Proxy, project: BootstrapProject, capsys: Printed
) -> None:
    refused = refusal(400, "AccessDeniedException", json_service=True)
    proxy.fault = lambda request, forward: refused if request.operation == "CreateKey" else None
    assert project.run() == 6
    error = capsys.readouterr().err
    assert "cannot create the KMS key alias/acme-tf-dev: access denied" in error
    assert error.count("not looked after, because the KMS key alias/acme-tf-dev failed") == 1
    assert not [write for write in proxy.writes() if write.startswith(("PUT", "CreateTable"))]


def test_a_key_that_aws_does_not_show(proxy: Proxy, project: BootstrapProject, capsys: Printed) -> None:
    hidden = refusal(400, "NotFoundException", json_service=True)
    proxy.fault = lambda request, forward: hidden if request.operation == "DescribeKey" else None
    assert project.run() == 6
    error = capsys.readouterr().err
    assert "AWS does not show the KMS key alias/acme-tf-dev that it has just made" in error


@pytest.mark.slow
def test_many_failures_are_summed_up(proxy: Proxy, project: BootstrapProject, capsys: Printed) -> None:
    project.configure(encryption="s3", envs=("dev", "prod"))
    broken = refusal(400, "InternalFailure", json_service=True)
    proxy.fault = lambda request, forward: (
        refusal(400, "Broken") if request.method == "PUT" else broken if request.operation == "CreateTable" else None
    )
    assert project.run() == 6
    error = capsys.readouterr().err
    assert "Error: 8 of 8 stores failed\n" in error
    assert "... and 3 more" in error


@pytest.mark.slow
def test_a_bucket_of_another_account_is_refused_and_the_others_are_made(
    proxy: Proxy,
    aws: Session,
    sandbox: Sandbox,
    project: BootstrapProject,
    capsys: Printed,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project.configure(envs=("dev", "prod"))
    role = f"arn:aws:iam::{STRANGER}:role/InfraBuildRole"
    found = aws.client("sts").assume_role(RoleArn=role, RoleSessionName="stranger")["Credentials"]
    keys = {
        "AWS_ACCESS_KEY_ID": found["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": found["SecretAccessKey"],
        "AWS_SESSION_TOKEN": found["SessionToken"],
    }
    with monkeypatch.context() as patch:
        lead_to({**sandbox.env, **keys}, patch)
        Session("us-east-1").client("s3").create_bucket(Bucket="acme-tf-dev")
    assert project.run("--format", "json") == 4
    printed = capsys.readouterr()
    result = {store["name"]: store["state"] for store in json.loads(printed.out)["stores"]}
    assert [name for name, state in result.items() if state != "created"] == ["acme-tf-dev"]
    assert "the bucket name acme-tf-dev is taken by another AWS account" in printed.err
    assert "state.prefix" in printed.err
    assert not [write for write in proxy.writes() if write.startswith(("PUT /acme-tf-dev?", "PUT /acme-tf-dev/"))]


@pytest.mark.slow
def test_a_bucket_in_another_region_is_refused(
    empty: None, aws: Session, project: BootstrapProject, capsys: Printed
) -> None:
    where: Any = {"LocationConstraint": "eu-central-1"}
    aws.client("s3", "eu-central-1").create_bucket(Bucket="acme-tf-dev", CreateBucketConfiguration=where)
    assert project.run() == 4
    assert "is in eu-central-1, but it belongs in us-east-1" in capsys.readouterr().err
    assert project.run("--check") == 4


def test_credentials_of_another_account_are_refused_before_anything_is_read(
    proxy: Proxy, project: BootstrapProject, capsys: Printed
) -> None:
    project.configure(account="999999999999")
    assert project.run() == 6
    assert "tooling.account in envs/orchestrate.yaml is 999999999999" in capsys.readouterr().err
    assert [request.method for request in proxy.seen] == ["POST"]  # only who we are


def test_a_folder_without_configuration(proxy: Proxy, tmp_path: Path, capsys: Printed) -> None:
    assert main(["bootstrap", "--repo", str(tmp_path)]) == 3
    assert "there is no envs/orchestrate.yaml" in capsys.readouterr().err
