"""Credentials for other programs: a session of a role that may do less than we may.

The program reads them from a file, by way of `credential_process` ("Process credential provider", AWS SDKs and Tools
Reference Guide), and reads it again when they expire: sessions of a session last an hour at most, applies do not.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.effects.aws.retry import code_of
from orchestrator.effects.aws.session import Session

if TYPE_CHECKING:
    from mypy_boto3_sts.type_defs import CredentialsTypeDef

_SECONDS = 3600
_RENEWED_AFTER = 1200.0
_NOT_TO_BE_HAD = ("AccessDenied", "AccessDeniedException", "NoSuchEntity")
_NO_KEYS = re.compile(
    "AWS_(?:ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|PROFILE|CONFIG_FILE|SHARED_CREDENTIALS_FILE|ROLE_ARN"
    "|ROLE_SESSION_NAME|WEB_IDENTITY_TOKEN_FILE|CONTAINER_.*)"
)


@dataclass(frozen=True)
class Narrowed:
    """One session to be made: of a role, under a session policy."""

    role: str
    name: str
    policy: str


def first_possible(aws: Session, roles: Iterable[str], name: str, policy: str) -> Narrowed | None:
    """Of the first role that lets itself be taken, None where none does."""
    from botocore.exceptions import ClientError

    for role in roles:
        wanted = Narrowed(role, name, policy)
        with aws.explained("assume the role", role):
            try:
                _assumed(aws, wanted)
            except ClientError as error:
                if code_of(error) not in _NOT_TO_BE_HAD:
                    raise
                continue
        return wanted
    return None


def without_keys(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if not _NO_KEYS.fullmatch(name)}


@contextmanager
def kept_in(folder: Path, aws: Session, wanted: Narrowed) -> Iterator[dict[str, str]]:
    """Keeps valid credentials in a file of the folder; gives the variables with which a program finds them there."""
    keys, config, ended = folder / "session.json", folder / "session.config", threading.Event()

    def renew() -> None:
        while not ended.wait(_RENEWED_AFTER):
            with aws.explained("assume the role", wanted.role):
                _write(keys, _process_output(_assumed(aws, wanted)))

    with aws.explained("assume the role", wanted.role):
        _write(keys, _process_output(_assumed(aws, wanted)))
    _write(config, f'[default]\ncredential_process = /bin/cat "{keys}"\n')
    threading.Thread(target=renew, name="renews Terraform's session", daemon=True).start()
    try:
        yield {"AWS_CONFIG_FILE": str(config), "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    finally:
        ended.set()
        for path in (keys, config):
            path.unlink(missing_ok=True)


def _assumed(aws: Session, wanted: Narrowed) -> CredentialsTypeDef:
    answer = aws.client("sts").assume_role(
        RoleArn=wanted.role, RoleSessionName=wanted.name, Policy=wanted.policy, DurationSeconds=_SECONDS
    )
    return answer["Credentials"]


def _process_output(keys: CredentialsTypeDef) -> str:
    return json.dumps(
        {
            "Version": 1,
            "AccessKeyId": keys["AccessKeyId"],
            "SecretAccessKey": keys["SecretAccessKey"],
            "SessionToken": keys["SessionToken"],
            "Expiration": keys["Expiration"].isoformat(),
        }
    )


def _write(path: Path, text: str) -> None:
    """Whole or not at all: a program may be reading it."""
    new = path.with_suffix(".new")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    new.replace(path)
