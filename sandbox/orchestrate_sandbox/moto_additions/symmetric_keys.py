"""A symmetric key has no public key. moto makes an RSA key for each one, which takes a tenth of a second."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import moto.kms.models
from moto.core.exceptions import JsonRESTError

_SYMMETRIC = "SYMMETRIC_DEFAULT"


def apply() -> None:
    moto.kms.models.generate_private_key = _of_asymmetric_keys(moto.kms.models.generate_private_key)


def _of_asymmetric_keys(generate: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda spec: _NoKey() if spec == _SYMMETRIC else generate(spec)


class _NoKey:
    def public_key(self) -> NoReturn:
        raise JsonRESTError("UnsupportedOperationException", "A symmetric key has no public key.")
