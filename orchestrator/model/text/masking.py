"""Keeps secrets out of everything a person or a log may see."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from orchestrator.model.text.encodings import SHORTEST, forms, plain_forms

MASK = "***"

_SECRET_NAME = re.compile(
    "SECRET|TOKEN|PASSWORD|PASSWD|PASSPHRASE|PRIVATE_?KEY|CREDENTIAL|API_?KEY|ACCESS_?KEY|CONNECTION_?STRING|WEBHOOK"
    "|COOKIE|BEARER|AUTH_CONFIG|_KEY$|_KEY_BASE$|_PWD$|_?PASS$|_AUTH$|_PAT$|_DSN$|_JWT$|_SAS$",
    re.IGNORECASE,
)
_WHERE_IT_IS = re.compile("_(FILE|PATH|DIR|URI|EXPIRATION|ARN|NAME)$", re.IGNORECASE)
_QUOTED_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
_PASSWORD_IN_ADDRESS = re.compile(r"://[^/\s:@]*:([^/\s@]+)@")
_MOST_VALUES = 1000  # of one variable
_MOST_ENCODED = 500  # values; of more, each text would be searched for tens of thousands
# Shapes that are secret wherever they stand: user information in an address, private keys, AWS keys by name.
_SHAPES = (
    (re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"), MASK),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), MASK),
    (
        re.compile(
            r"(?i)(\b(?:aws_?)?(?:secret_?access_?key|session_?token)\b|x-amz-(?:security-token|signature))"
            r"((?:\\?[\"'])?\s*[=:]\s*(?:\\?[\"'])?)[^\s\"'&\\]{8,}"
        ),
        rf"\1\2{MASK}",
    ),
)
_NAMED_SHAPE = re.compile(r"(?i)(?:aws_?)?(?:secret_?access_?key|session_?token)|x-amz-(?:security-token|signature)")
_WRAPPED = re.compile(r"(?<=[A-Za-z0-9+/_-]{60})\r?\n[ \t]*(?=[A-Za-z0-9+/_-])")
# Escape sequences of terminals, control characters, and characters that turn the direction of text.
_CONTROL = re.compile(
    "\x1b\\[[0-9;?]*[ -/]*[@-~]|\x1b\\][^\x07\x1b]*(?:\x07|\x1b\\\\)|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
    "|[\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]"
)


def says_secret(name: str) -> bool:
    """Whether a variable's name tells that its value is secret, and not where the secret is."""
    return bool(_SECRET_NAME.search(name)) and not _WHERE_IT_IS.search(name)


@dataclass(frozen=True)
class Masker:
    """Replaces known secret values, in every encoding, and shapes of secrets; drops what steers a terminal."""

    secrets: tuple[str, ...] = ()

    @staticmethod
    def of_environment(env: Mapping[str, str], extra: Iterable[str] = ()) -> Masker:
        """Knows the values of variables whose name says that they are secret."""
        return Masker.of([*secrets_of_environment(env), *extra])

    @staticmethod
    def of(values: Iterable[str]) -> Masker:
        """Values shorter than SHORTEST are not masked (docs/threat-model.md, "Secrets")."""
        distinct = {without_controls(value) for value in values}
        encoded = forms if len(distinct) <= _MOST_ENCODED else plain_forms
        found = {form for value in distinct for form in encoded(value)}
        return Masker(tuple(sorted(found, key=len, reverse=True)))

    def __call__(self, text: str) -> str:
        text = without_controls(text)  # first, so that none of it divides a secret
        joined = _WRAPPED.sub("", text)
        if joined != text and self.count(joined) > self.count(text):
            text = joined
        return self.values(text)

    def values(self, text: str) -> str:
        """Masks alone: nothing else of the text changes."""
        for secret in self.secrets:
            text = text.replace(secret, MASK)
        for shape, mask in _SHAPES:
            text = shape.sub(mask, text)
        return text

    def count(self, text: str) -> int:
        """How often a known secret stands there."""
        return sum(text.count(secret) for secret in self.secrets)

    def of_key(self, key: object, text: str) -> str:
        """The text that stands under a key of a mapping: the key may say what shape alone cannot."""
        if isinstance(key, str) and _NAMED_SHAPE.fullmatch(key) and len(text) >= SHORTEST:
            return MASK
        return self.values(text)


def without_controls(text: str) -> str:
    return _CONTROL.sub("", text)


def secrets_of_environment(env: Mapping[str, str]) -> Iterator[str]:
    """Of variables whose name says it; of TF_VAR_* also the values inside lists, maps and objects."""
    for name, value in env.items():
        if says_secret(name) and not (name == "AWS_ACCESS_KEY_ID" and value.isdigit()):
            yield from texts_of(value)
        elif name.startswith("TF_VAR_"):
            yield from _under_secret_names(_json(value))
        yield from (form for found in _PASSWORD_IN_ADDRESS.findall(value) for form in (found, unquote(found)))


def texts_of(value: str) -> Iterator[str]:
    """A variable's value as it was given, and every text in it where it is a list, a map or an object."""
    yield value
    parsed = _json(value)
    if isinstance(parsed, dict | list):
        yield from leaves(parsed)
    elif value.lstrip()[:1] in ("[", "{"):  # HCL
        yield from (
            _unescaped(found[1]) for found, _ in zip(_QUOTED_TEXT.finditer(value), range(_MOST_VALUES), strict=False)
        )


def leaves(value: Any) -> Iterator[str]:
    """The texts and numbers in a value, not the keys of its maps; walked without recursion, however deep it is."""
    left = [value]
    while left:
        inner = left.pop()
        if isinstance(inner, Mapping):
            left.extend(inner.values())
        elif isinstance(inner, list | tuple):
            left.extend(inner)
        elif inner is not None and not isinstance(inner, bool):
            yield str(inner)


def _under_secret_names(value: Any) -> Iterator[str]:
    left = [value]
    while left:
        inner = left.pop()
        if isinstance(inner, Mapping):
            for key, found in inner.items():
                if says_secret(str(key)):
                    yield from leaves(found)
            left.extend(inner.values())
        elif isinstance(inner, list):
            left.extend(inner)


def _json(value: str) -> Any:
    try:
        return json.loads(value) if value.lstrip()[:1] in ("[", "{", '"') else None
    except (ValueError, RecursionError):
        return None


def _unescaped(quoted: str) -> str:
    found = _json(f'"{quoted}"')
    return found if isinstance(found, str) else quoted
