"""No secret is shown, and nothing else is hidden."""

from __future__ import annotations

import base64
import html
import json
import re
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.text.masking import MASK, Masker, texts_of

KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAKC\n-----END RSA PRIVATE KEY-----"


def knowing(*secrets: str) -> Masker:
    return Masker.of_environment({}, secrets)


@pytest.mark.parametrize(
    "name",
    [
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "TF_TOKEN_app_terraform_io",
        "TF_VAR_db_password",
        "DATADOG_APP_KEY",
        "SSH_PASSPHRASE",
        "DB_PWD",
        "AWS_ACCESS_KEY_ID",
        "GITHUB_TOKEN",
        "MYSQL_PASS",
        "AZURE_DEVOPS_PAT",
        "SENTRY_DSN",
        "DOCKER_AUTH_CONFIG",
        "RAILS_SECRET_KEY_BASE",
        "SLACK_WEBHOOK_URL",
    ],
)
def test_variables_with_secret_names_are_masked(name: str) -> None:
    assert Masker.of_environment({name: "hunter2-hunter2"})("a hunter2-hunter2 b") == f"a {MASK} b"


@pytest.mark.parametrize(
    "name", ["PWD", "OLDPWD", "HOME", "AWS_SHARED_CREDENTIALS_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE"]
)
def test_places_and_names_are_not(name: str) -> None:
    assert Masker.of_environment({name: "/home/someone"})("in /home/someone") == "in /home/someone"


def test_short_values_are_not_masked() -> None:
    assert knowing("true", "1234567")("true 1234567") == "true 1234567"


def test_the_longer_secret_wins() -> None:
    assert knowing("hunter2-hunter2", "hunter2-hunter2-long")("hunter2-hunter2-long") == MASK


@pytest.mark.parametrize(
    "inserted", ["\x1b[0m", "\x1b[38;5;1m", "\x1b]8;;http://x\x07", "\x00", "\x08", "\r", "\u202e"]
)
def test_a_secret_cannot_be_divided_by_what_a_terminal_does_not_show(inserted: str) -> None:
    assert knowing("hunter2-hunter2")(f"hunter2{inserted}-hunter2") == MASK


def test_secrets_of_several_lines_are_masked_line_by_line() -> None:
    masker = knowing("first-line-1\r\n  second-line-2\n\nx")
    assert masker("> second-line-2 <") == f"> {MASK} <"
    assert masker("first-line-1\n  second-line-2\n\nx") == MASK


@given(st.text(min_size=8, max_size=30), st.booleans())
def test_a_secret_in_json_is_masked(secret: str, ascii_only: bool) -> None:
    if len(knowing(secret).secrets) == 0:
        return  # only blanks or control characters
    text = json.dumps({"@message": f"it is {secret}."}, ensure_ascii=ascii_only)
    shown = Masker.of_environment({}, [secret])(text)
    cleaned = Masker()(secret)
    assert cleaned not in shown or len(cleaned) < 8 or cleaned in '{"@message": "it is ***."}'


ENCODINGS: dict[str, Callable[[str], str]] = {
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "urlsafe": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "moved by one": lambda text: base64.b64encode(f"u{text}p".encode()).decode(),
    "moved by two": lambda text: base64.b64encode(f"u:{text}".encode()).decode(),
    "wrapped": lambda text: base64.encodebytes(f"{'x' * 60}{text}{'y' * 60}".encode()).decode(),
    "url": lambda text: quote(text, safe=""),
    "url, small": lambda text: re.sub("%..", lambda found: found[0].lower(), quote(text, safe="")),
    "path": quote,
    "form": quote_plus,
    "json": lambda text: json.dumps(text)[1:-1],
    "json in json": lambda text: json.dumps(json.dumps(text))[1:-1],
    "slashes": lambda text: json.dumps(text).replace("/", "\\/")[1:-1],
    "html": html.escape,
    "html of Go": lambda text: html.escape(text, quote=False).replace('"', "&#34;").replace("'", "&#39;"),
    "hex": lambda text: text.encode().hex(),
    "HEX": lambda text: text.encode().hex().upper(),
    "repr": lambda text: repr(text)[1:-1],
}


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS.keys())
@given(st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=8, max_size=40))
def test_a_secret_is_masked_in_every_encoding(encode: Callable[[str], str], secret: str) -> None:
    """Of base64 the first and last character may belong to what stands beside the secret."""
    encoded = encode(secret)
    shown = knowing(secret)(f"it is {encoded} there")
    assert MASK in shown
    assert encoded[3:-6] not in shown or len(encoded) < 16


@pytest.mark.parametrize(
    "value",
    ['["hunter2-hunter2", 7]', '{a = ["hunter2-hunter2"]}', '{"a": {"b": "hunter2-hunter2"}}', "hunter2-hunter2"],
)
@pytest.mark.parametrize("name", ["TF_VAR_passwords_token", "DB_CREDENTIALS"])
def test_each_value_in_a_list_or_map_is_masked(name: str, value: str) -> None:
    assert Masker.of_environment({name: value})("a hunter2-hunter2 b") == f"a {MASK} b"


def test_of_other_objects_the_values_under_secret_names_are_masked() -> None:
    masker = Masker.of_environment({"TF_VAR_db": '{"user": "somebody-known", "password": ["hunter2-hunter2"]}'})
    assert masker("somebody-known hunter2-hunter2") == f"somebody-known {MASK}"


def test_the_password_of_an_address_is_masked_without_the_address() -> None:
    masker = Masker.of_environment({"DATABASE_URL": "postgres://app:hunter2%2Dhunter2@db/x"})
    assert masker("hunter2%2Dhunter2 or hunter2-hunter2") == f"{MASK} or {MASK}"


def test_a_secret_as_terraform_escapes_it_is_masked() -> None:
    assert knowing('a<b>c&d"e\\f')('x a\\u003cb\\u003ec\\u0026d\\"e\\\\f') == f"x {MASK}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("git::https://user:token@host/x", f"git::https://{MASK}@host/x"),
        ("https://host/a:b@c", "https://host/a:b@c"),
        ("see https://user@host", "see https://user@host"),
        (f"key: {KEY} end", f"key: {MASK} end"),
        ("-----BEGIN PRIVATE KEY-----\nMII", MASK),
        ("aws_secret_access_key = abcd/efgh+ijkl=", f"aws_secret_access_key = {MASK}"),
        ('"SecretAccessKey": "abcd/efgh",', f'"SecretAccessKey": "{MASK}",'),
        ('\\"SessionToken\\":\\"abcd/efgh\\"', f'\\"SessionToken\\":\\"{MASK}\\"'),
        ("?X-Amz-Signature=0123abcd&a=b", f"?X-Amz-Signature={MASK}&a=b"),
        ("X-Amz-Security-Token: abcdefgh ij", f"X-Amz-Security-Token: {MASK} ij"),
        ("aws_session_token is unset", "aws_session_token is unset"),
    ],
)
def test_shapes_of_secrets_are_masked(text: str, shown: str) -> None:
    assert Masker()(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[1;31mred\x1b[0m \x1b]0;title\x07x \x1b]8;;u\x1b\\y", "red x y"),
        ("an\x1b] open one hides nothing", "an] open one hides nothing"),
        ("a\x9b31mb\x7f\x85c\td\ne", "a31mbc\td\ne"),
        ("\u202ereversed\u2066", "reversed"),
        ("kept: äß漢\u200d🙂", "kept: äß漢\u200d🙂"),
    ],
)
def test_what_steers_a_terminal_is_dropped(text: str, shown: str) -> None:
    assert Masker()(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "://" + "a" * 1_000_000,
        "://" * 300_000,
        "://a:" + "b" * 1_000_000,
        "://a:b" * 160_000,
        "-----BEGIN " * 80_000,
        "-----BEGIN " + "A " * 400_000,
        "-----BEGIN PRIVATE KEY-----" + "-----END " * 100_000,
        "aws_secret_access_key" * 40_000,
        "aws_secret_access_key" + " " * 1_000_000,
        "session_token=" * 60_000,
        "\x1b[" + "0" * 1_000_000,
        "\x1b]" * 500_000,
        "\x1b[0;" * 200_000,
        "hunter2-hunter" * 70_000,
    ],
    ids=lambda text: text[:24],
)
def test_a_megabyte_does_not_take_long(text: str) -> None:
    begun = time.process_time()  # other programs' time does not count
    knowing("hunter2-hunter2", KEY)(text)
    assert time.process_time() - begun < 1


def test_values_of_a_map_that_are_no_text_are_no_secrets() -> None:
    masker = Masker.of(texts_of('{"a": null, "b": true, "c": ["hidden-here"], "d": 123456789}'))
    assert masker("hidden-here 123456789 true null") == f"{MASK} {MASK} true null"


def test_of_very_many_secrets_the_plain_forms_alone_are_looked_for() -> None:
    many = [f"secret-number-{number}" for number in range(600)]
    masker = Masker.of([*many, "tiny"])
    assert masker("tiny secret-number-7 y").startswith(f"tiny {MASK}")
