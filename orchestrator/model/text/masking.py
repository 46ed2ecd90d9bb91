"""Keeps secrets out of everything a person or a log may see."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

MASK = "***"

_SECRET_NAME = re.compile(
    "SECRET|TOKEN|PASSWORD|PASSWD|PASSPHRASE|PRIVATE_KEY|CREDENTIAL|API_?KEY|_KEY$|_PWD$", re.IGNORECASE
)
_WHERE_IT_IS = re.compile("_(FILE|PATH|DIR|URI|EXPIRATION)$", re.IGNORECASE)
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
# Escape sequences of terminals, control characters, and characters that turn the direction of text.
_CONTROL = re.compile(
    "\x1b\\[[0-9;?]*[ -/]*[@-~]|\x1b\\][^\x07\x1b]*(?:\x07|\x1b\\\\)|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
    "|[\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)
_SHORTEST = 8  # a shorter "secret" such as `true` would mask half of the output


@dataclass(frozen=True)
class Masker:
    """Replaces known secret values and shapes of secrets, and drops what steers a terminal."""

    secrets: tuple[str, ...] = ()

    @staticmethod
    def of_environment(env: Mapping[str, str], extra: Iterable[str] = ()) -> Masker:
        """Knows the values of variables whose name says that they are secret."""
        named = [value for name, value in env.items() if _SECRET_NAME.search(name) and not _WHERE_IT_IS.search(name)]
        found = {form for value in [*named, *extra] for form in _forms(value) if len(form) >= _SHORTEST}
        return Masker(tuple(sorted(found, key=len, reverse=True)))

    def __call__(self, text: str) -> str:
        text = _CONTROL.sub("", text)  # first, so that none of it divides a secret
        for secret in self.secrets:
            text = text.replace(secret, MASK)
        for shape, mask in _SHAPES:
            text = shape.sub(mask, text)
        return text


def _forms(secret: str) -> Iterator[str]:
    """How a secret may stand in a text: as it is, line by line, and as JSON of Python or Go (Terraform) has it."""
    secret = _CONTROL.sub("", secret)
    for part in (secret, *(line.strip() for line in secret.splitlines())):
        quoted = json.dumps(part, ensure_ascii=False)[1:-1]
        escaped = quoted.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
        yield from (part, quoted, escaped, json.dumps(part)[1:-1])
