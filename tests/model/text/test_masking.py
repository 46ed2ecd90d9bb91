"""No secret is shown, and nothing else is hidden."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.text.masking import MASK, Masker

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
    ],
)
def test_variables_with_secret_names_are_masked(name: str) -> None:
    assert Masker.of_environment({name: "hunter2-hunter2"})("a hunter2-hunter2 b") == f"a {MASK} b"


@pytest.mark.parametrize(
    "name", ["PWD", "OLDPWD", "HOME", "AWS_SHARED_CREDENTIALS_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ACCESS_KEY_ID"]
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
