"""Keeps secrets out of everything a person or a log may see."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

MASK = "***"

_SECRET_NAME = re.compile(r"SECRET|TOKEN|PASSWORD|PASSWD|PRIVATE_KEY|CREDENTIAL|API_KEY", re.IGNORECASE)
# Shapes that are secret wherever they stand: user information in an address, private keys, AWS secret keys by name.
_SHAPES = (
    re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(r"(?i)(?<=aws_secret_access_key)(\s*[=:]\s*[\"']?)[A-Za-z0-9/+=]{40}"),
    re.compile(r"(?i)(?<=x-amz-security-token=)[^&\s\"']+"),
    re.compile(r"(?i)(?<=x-amz-signature=)[0-9a-f]+"),
)
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(\x07|\x1b\\)?|[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SHORTEST = 8  # a shorter "secret" such as `true` would mask half of the output


@dataclass(frozen=True)
class Masker:
    """Replaces known secret values and shapes of secrets, and drops terminal control sequences."""

    secrets: tuple[str, ...] = ()

    @staticmethod
    def of_environment(env: Mapping[str, str], extra: Iterable[str] = ()) -> Masker:
        """Knows the values of variables whose name says that they are secret."""
        values = {value for name, value in env.items() if _SECRET_NAME.search(name)} | set(extra)
        return Masker(tuple(sorted((v for v in values if len(v) >= _SHORTEST), key=len, reverse=True)))

    def __call__(self, text: str) -> str:
        for secret in self.secrets:
            text = text.replace(secret, MASK)
        for shape in _SHAPES:
            text = shape.sub(MASK, text)
        return _CONTROL.sub("", text)
