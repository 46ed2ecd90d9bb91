"""What moto lacks is a clear error which no client tries again."""

from __future__ import annotations

import http.client
import io
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from orchestrate_sandbox import failures
from orchestrate_sandbox.clients import client
from orchestrate_sandbox.process import Sandbox
from tests.support.raw_requests import RawRequest


@pytest.mark.slow
@pytest.mark.parametrize(
    ("service", "action", "arguments"),
    [
        ("dynamodb", "list_imports", {}),  # JSON by target
        ("ec2", "describe_trunk_interface_associations", {}),  # EC2's own XML
        ("iam", "get_organizations_access_report", {"JobId": "1" * 36}),  # query
        ("lambda", "get_runtime_management_config", {"FunctionName": "f"}),  # a path that moto does not route
        ("bcm-data-exports", "list_exports", {}),  # a service that moto does not have
        ("route53", "list_traffic_policies", {}),  # XML
    ],
)
def test_a_missing_action(emulated: Sandbox, service: str, action: str, arguments: dict[str, Any]) -> None:
    call = getattr(client(emulated, service), action)
    with pytest.raises(ClientError) as raised:
        call(**arguments)
    response = raised.value.response
    assert response["Error"]["Code"] == "NotImplemented"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert "not in the sandbox" in response["Error"]["Message"]


def test_s3_has_a_form_of_its_own() -> None:
    scope = "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/s3/aws4_request, SignedHeaders=h"
    environ = {"HTTP_AUTHORIZATION": scope, "REQUEST_METHOD": "GET", "PATH_INFO": "/bucket"}
    answer = failures.answer(failures.ApiRequest.of(environ), NotImplementedError())
    message = "s3 GET /bucket: not in the sandbox"
    assert answer.body.decode() == f"<Error><Code>NotImplemented</Code><Message>{message}</Message></Error>"


def test_a_form_without_an_action_is_named_by_its_path() -> None:
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "wsgi.input": io.BytesIO(b"Version=1"),
    }
    assert failures.answer(failures.ApiRequest.of(environ), NotImplementedError()).message.startswith(
        "this service POST /"
    )


def test_a_fault_of_motos_is_told_in_awss_form(emulated: Sandbox) -> None:
    headers = {
        "X-Amz-Target": "DynamoDB_20120810.PutItem",
        "Content-Type": "application/x-amz-json-1.0",
    }
    answer = RawRequest("POST", "/", b"{}", headers).signed(emulated, "dynamodb").send(emulated.endpoint)
    assert answer.status == 500
    assert '"__type": "InternalFailure"' in answer.text
    assert "dynamodb PutItem: failed in the sandbox: KeyError('TableName')" in answer.text


def test_a_chunked_upload_is_read_whole(emulated: Sandbox) -> None:
    s3 = client(emulated, "s3")
    s3.create_bucket(Bucket="chunked")
    connection = http.client.HTTPConnection(urlsplit(emulated.endpoint).netloc, timeout=10)
    headers = {**RawRequest("PUT", "/chunked/k", b"one two").signed(emulated, "s3").headers}
    headers["Transfer-Encoding"] = "chunked"
    connection.request("PUT", "/chunked/k", body=iter([b"one ", b"two"]), encode_chunked=True, headers=headers)
    assert connection.getresponse().status == 200
    connection.close()
    assert s3.get_object(Bucket="chunked", Key="k")["Body"].read() == b"one two"
