"""The sandbox is a server on a developer's machine: another user of it, or a page in the browser, gets nothing.

Each test here is an attempt that succeeded once.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from orchestrate_sandbox.clients import assumed, client
from orchestrate_sandbox.keys import SECRET_HEADER
from orchestrate_sandbox.layout import RoleSpec, SandboxLayout
from orchestrate_sandbox.process import Sandbox, start
from orchestrate_sandbox.remotes import remotes
from tests.support.raw_requests import RawAnswer, RawRequest

TOOLING, RESEARCH = "000000000000", "111111111111"
ROLE = {"account": RESEARCH, "name": "Role", "access": "read"}
IDENTITY = b"Action=GetCallerIdentity&Version=2011-06-15"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
CREATE = {"X-Amz-Target": "CodeCommit_20150413.CreateRepository", "Content-Type": "application/x-amz-json-1.1"}


def who_am_i(**headers: str) -> RawRequest:
    return RawRequest("POST", "/", IDENTITY, FORM | headers)


def boto(sandbox: Sandbox, service: str, keys: dict[str, str]) -> Any:
    make: Any = boto3.client
    config = Config(signature_version="s3v4" if service == "s3" else None, retries={"total_max_attempts": 1})
    return make(service, region_name="us-east-1", endpoint_url=sandbox.endpoint, config=config, **keys)


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(ClientError) as raised:
        call()
    return str(raised.value.response["Error"]["Code"])


class TestSignatures:
    @pytest.mark.slow
    def test_the_secret_is_drawn_for_each_sandbox_and_opens_no_other(self, emulated: Sandbox) -> None:
        with start(SandboxLayout(TOOLING, "us-east-1")) as other:
            assert len(other.secret) >= 32
            assert other.secret != emulated.secret
            assert client(other, "sts").get_caller_identity()["Account"] == TOOLING
            keys = {"aws_access_key_id": "sandbox", "aws_secret_access_key": emulated.secret}
            stranger = boto(other, "sts", keys)
            assert code_of(stranger.get_caller_identity) == "SignatureDoesNotMatch"
            session = assumed(emulated, f"arn:aws:iam::{RESEARCH}:role/OrganizationAccountAccessRole")
            stranger = boto(other, "sts", session)
            assert code_of(stranger.get_caller_identity) == "InvalidClientTokenId"

    @pytest.mark.parametrize("key", ["sandbox", "AKIAIOSFODNN7EXAMPLE", "sandbox-services"])
    @pytest.mark.parametrize("service", ["sts", "s3", "dynamodb", "ec2"])
    def test_a_key_alone_is_not_enough(self, emulated: Sandbox, service: str, key: str) -> None:
        calls = {"sts": "get_caller_identity", "s3": "list_buckets", "dynamodb": "list_tables", "ec2": "describe_vpcs"}
        keys = {"aws_access_key_id": key, "aws_secret_access_key": "sandbox"}
        stranger = boto(emulated, service, keys)
        with pytest.raises(ClientError) as raised:
            getattr(stranger, calls[service])()
        assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403

    @pytest.mark.parametrize(
        "request_",
        [
            who_am_i(),
            who_am_i(Authorization="AWS4-HMAC-SHA256 Credential=sandbox/20260101/us-east-1/sts/aws4_request"),
            who_am_i(Authorization="AWS sandbox:c2lnbmF0dXJl"),
            RawRequest("GET", "/"),
            RawRequest("PUT", "/a-bucket-of-nobody"),
            RawRequest("GET", "/?AWSAccessKeyId=sandbox&Signature=x&Expires=1"),
            RawRequest("GET", "/latest/meta-data/iam/security-credentials/"),
            RawRequest("POST", "/", b"Action=AssumeRoleWithWebIdentity&RoleArn=arn:aws:iam::111111111111:role/x", FORM),
        ],
    )
    def test_what_is_not_signed_is_not_answered(self, emulated: Sandbox, request_: RawRequest) -> None:
        assert request_.send(emulated.endpoint).status == 403

    def test_what_was_signed_cannot_be_changed(self, emulated: Sandbox) -> None:
        """Nor its key exchanged for another that is named later in the header."""
        signed = who_am_i().signed(emulated)
        assert signed.send(emulated.endpoint).status == 200
        session = assumed(emulated, f"arn:aws:iam::{RESEARCH}:role/InfraBuildRole", ExternalId="acme")
        as_other = signed.headers["Authorization"] + f", Credential={session['aws_access_key_id']}/x"
        changed = [
            RawRequest("POST", "/", IDENTITY.replace(b"Get", b"get"), signed.headers),
            RawRequest("POST", "/other", IDENTITY, signed.headers),
            RawRequest("POST", "/?a=b", IDENTITY, signed.headers),
            RawRequest("PUT", "/", IDENTITY, signed.headers),
            RawRequest("POST", "/", IDENTITY, {**signed.headers, "Authorization": as_other}),
        ]
        assert [one.send(emulated.endpoint).status for one in changed] == [403] * len(changed)
        put = RawRequest("PUT", "/bucket/key", b"content").signed(emulated, "s3")
        assert RawRequest("PUT", "/bucket/key", b"changed", put.headers).send(emulated.endpoint).status == 403

    def test_a_session_needs_its_own_token(self, emulated: Sandbox) -> None:
        session = assumed(emulated, f"arn:aws:iam::{RESEARCH}:role/InfraBuildRole", ExternalId="acme")
        answer = who_am_i().signed(emulated, **session).send(emulated.endpoint)
        assert (answer.status, ":assumed-role/InfraBuildRole/" in answer.text) == (200, True)
        for token in ({}, {"aws_session_token": "another"}):
            keys = {name: value for name, value in session.items() if name != "aws_session_token"}
            assert who_am_i().signed(emulated, **keys, **token).send(emulated.endpoint).status == 403

    def test_a_users_key_works_until_it_is_switched_off(self, emulated: Sandbox) -> None:
        iam, name = client(emulated, "iam"), f"user-{uuid4()}"
        iam.create_user(UserName=name)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        keys = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
        assert who_am_i().signed(emulated, **keys).send(emulated.endpoint).status == 200
        iam.update_access_key(UserName=name, AccessKeyId=key["AccessKeyId"], Status="Inactive")
        assert who_am_i().signed(emulated, **keys).send(emulated.endpoint).status == 403
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        assert who_am_i().signed(emulated, **keys).send(emulated.endpoint).status == 403

    @pytest.mark.parametrize("key", ["plain", "a b+c/ä/%41", "a//b/../c", "tilde~(x)*!'"])
    def test_presigned_addresses_and_unusual_keys_are_understood(self, emulated: Sandbox, key: str) -> None:
        keys = {"aws_access_key_id": "sandbox", "aws_secret_access_key": emulated.secret}
        s3 = boto(emulated, "s3", keys)
        bucket = f"bucket-{uuid4()}"
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key=key, Body=b"content", Metadata={"a_b": "x  y"})
        assert s3.list_objects_v2(Bucket=bucket, Prefix=key[:3], Delimiter="+&=")["KeyCount"] == 1
        address = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key})
        path = address.removeprefix(emulated.endpoint)
        assert RawRequest("GET", path).send(emulated.endpoint).text == "content"
        assert RawRequest("DELETE", path).send(emulated.endpoint).status == 403
        assert RawRequest("GET", path.replace("Signature=", "Signature=0")).send(emulated.endpoint).status == 403


class TestPages:
    """Of a browser: it sends an origin, asks by OPTIONS first, and may come under a name that leads here by DNS."""

    def test_no_answer_lets_another_origin_read_it(self, emulated: Sandbox) -> None:
        answer = who_am_i().signed(emulated).send(emulated.endpoint)
        assert [name for name in answer.headers if name.lower().startswith("access-control-")] == []

    @pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:{port}"])
    def test_a_request_of_a_page_is_refused_even_if_it_is_signed(self, emulated: Sandbox, origin: str) -> None:
        told = {"Origin": origin.format(port=urlsplit(emulated.endpoint).port)}
        answer = who_am_i(**told).signed(emulated).send(emulated.endpoint)
        assert (answer.status, "no page in a browser" in answer.text) == (403, True)
        assert_no_permission(answer)

    def test_its_preflight_is_refused(self, emulated: Sandbox) -> None:
        told = {"Origin": "https://evil.example", "Access-Control-Request-Method": "PUT"}
        for path in ("/", "/bucket/key", "/sandbox-api/settings", "/moto-api/reset"):
            answer = RawRequest("OPTIONS", path, headers=told).send(emulated.endpoint)
            assert answer.status == 403
            assert_no_permission(answer)

    @pytest.mark.parametrize(
        "host", ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example", "x@127.0.0.1", ""]
    )
    def test_another_name_is_refused(self, emulated: Sandbox, host: str) -> None:
        name = host.format(port=urlsplit(emulated.endpoint).port) or "s3.amazonaws.com"
        assert RawRequest("POST", "/", IDENTITY, FORM, name).signed(emulated).send(emulated.endpoint).status == 403

    def test_localhost_is_this_machine_too(self, emulated: Sandbox) -> None:
        host = f"localhost:{urlsplit(emulated.endpoint).port}"
        assert RawRequest("POST", "/", IDENTITY, FORM, host).signed(emulated).send(emulated.endpoint).status == 200

    def test_the_proxy_lists_nothing_under_another_name_and_lets_nobody_read(self, emulated: Sandbox) -> None:
        assert RawRequest("GET", "/", host="evil.example").send(emulated.proxy).status == 502
        answer = RawRequest("GET", "/", headers={"Origin": "https://evil.example"}).send(emulated.proxy)
        assert_no_permission(answer)
        assert RawRequest("GET", "/", headers={"Content-Length": "-1"}).send(emulated.proxy).status == 400


def assert_no_permission(answer: RawAnswer) -> None:
    assert [name for name in answer.headers if name.lower().startswith("access-control-")] == []


class TestPrivatePaths:
    PATHS = (
        "/sandbox-api/settings",
        "/sandbox-api/remotes",
        "/sandbox-api/received",
        "/moto-api/reset-auth",
        "/moto-api/data.json",
    )

    @pytest.mark.parametrize("path", [*PATHS, "/moto-api/reset", "/moto-api/", "/moto-api/seed"])
    @pytest.mark.parametrize("secret", ["", "sandbox"])
    def test_they_need_the_secret(self, emulated: Sandbox, path: str, secret: str) -> None:
        request = RawRequest("POST", path, b"", {SECRET_HEADER: secret} if secret else {})
        assert request.send(emulated.endpoint).status in (400, 403)
        assert RawRequest("GET", path).send(emulated.endpoint).status in (400, 403)

    def test_a_session_does_not_open_them(self, emulated: Sandbox) -> None:
        session = assumed(emulated, f"arn:aws:iam::{RESEARCH}:role/InfraBuildRole", ExternalId="acme")
        request = RawRequest("POST", "/sandbox-api/settings", b"{}")
        assert request.signed(emulated, **session).send(emulated.endpoint).status == 403
        assert request.signed(emulated).send(emulated.endpoint).status == 200

    def test_they_answer_to_no_other_port(self, emulated: Sandbox) -> None:
        request = RawRequest("POST", "/sandbox-api/settings", b"{}", {SECRET_HEADER: emulated.secret}, "127.0.0.1:1")
        assert request.send(emulated.endpoint).status == 403


class TestFolders:
    """Account, Region and name of a repository become a folder, which is emptied first."""

    @pytest.fixture
    def chosen(self, tmp_path: Path) -> Path:
        (tmp_path / "chosen").mkdir()
        (tmp_path / "chosen/precious").touch()
        return tmp_path / "chosen"

    def create(self, sandbox: Sandbox, name: str, **headers: str) -> RawAnswer:
        body = json.dumps({"repositoryName": name}).encode()
        return RawRequest("POST", "/", body, CREATE | headers).signed(sandbox, "codecommit").send(sandbox.endpoint)

    @pytest.mark.parametrize("account", ["{up}{folder}", "{folder}", "111111111111/../..", "111111111111", "1"])
    def test_a_header_chooses_no_account(self, emulated: Sandbox, chosen: Path, account: str) -> None:
        told = account.format(up="../" * 12, folder=chosen.parent)
        answer = self.create(emulated, "chosen", **{"x-moto-account-id": told})
        assert (chosen / "precious").exists()
        assert answer.status == 403

    @pytest.mark.parametrize("name", ["..", ".", "...", "a/../../..", "/tmp/x"])
    def test_a_name_leads_nowhere_else(self, emulated: Sandbox, name: str) -> None:
        kept = f"kept-{uuid4()}"
        assert self.create(emulated, kept).status == 200
        assert self.create(emulated, name).status == 400
        assert kept in {
            one["repositoryName"] for one in client(emulated, "codecommit").list_repositories()["repositories"]
        }

    def test_a_region_leads_nowhere_else(self, emulated: Sandbox, chosen: Path) -> None:
        """moto takes it from the address, where it finds one there."""
        body = json.dumps({"repositoryName": "precious"}).encode()
        for path in (f"/.{chosen}.amazonaws.com", "/...amazonaws.com"):
            answer = RawRequest("POST", path, body, CREATE).signed(emulated, "codecommit").send(emulated.endpoint)
            assert answer.status in (400, 403)
        assert (chosen / "precious").exists()

    def test_a_link_leads_nowhere_else(self, emulated: Sandbox, chosen: Path) -> None:
        """What a build has put where a repository would be."""
        name = f"kept-{uuid4()}"
        assert self.create(emulated, name).status == 200
        beside = next(Path(remote.url) for remote in remotes(emulated) if remote.name == name).parent
        (beside / "linked").symlink_to(chosen)
        try:
            assert self.create(emulated, "linked").status != 200
            assert (chosen / "precious").exists()
        finally:
            (beside / "linked").unlink()

    @pytest.mark.parametrize(
        "layout",
        [
            {"tooling_account": "../..", "region": "us-east-1"},
            {"tooling_account": TOOLING, "region": "../../us-east-1"},
            {"tooling_account": TOOLING, "region": "us-east-1", "accounts": ["1"]},
            {
                "tooling_account": TOOLING,
                "region": "us-east-1",
                "roles": [{"account": "x", "name": "r", "access": "read"}],
            },
        ],
    )
    def test_a_layout_has_accounts_and_regions(self, emulated: Sandbox, layout: dict[str, object]) -> None:
        told = {SECRET_HEADER: emulated.secret}
        answer = RawRequest("POST", "/moto-api/reset", json.dumps(layout).encode(), told).send(emulated.endpoint)
        assert answer.status >= 400
        assert client(emulated, "sts").get_caller_identity()["Account"] == TOOLING


@pytest.mark.slow
def test_the_documented_call_makes_policies_count(tmp_path: Path) -> None:
    """docs/sandbox.md; its secret is in no program's arguments, where all users of the machine can read them."""
    page = (Path(__file__).parents[2] / "docs/sandbox.md").read_text()
    (call,) = [line for line in page.splitlines() if line.endswith('reset-auth"')]
    roles = (RoleSpec(RESEARCH, "Reader", "read"),)
    with start(SandboxLayout(TOOLING, "us-east-1", roles)) as sandbox:
        session = assumed(sandbox, f"arn:aws:iam::{RESEARCH}:role/Reader")
        boto(sandbox, "s3", session).create_bucket(Bucket="before")
        done = subprocess.run(
            ["sh", "-c", call], env={**os.environ, **sandbox.env}, capture_output=True, text=True, check=True
        )
        assert json.loads(done.stdout)["status"] == "ok"
        assert boto(sandbox, "s3", session).list_buckets()["Buckets"]
        assert code_of(lambda: boto(sandbox, "s3", session).create_bucket(Bucket="after")) == "AccessDenied"
