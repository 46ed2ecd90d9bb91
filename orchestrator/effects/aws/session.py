"""AWS: clients from the standard environment, who we are there, and its errors in words for people.

Everything that talks to AWS takes a `Session` and makes its calls inside `explained`; no botocore error leaves
`effects/` otherwise. boto3 is imported when the first client is made: `orchestrate show` must not wait for it.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Literal, overload
from urllib.parse import urlsplit

from orchestrator import __version__
from orchestrator.effects.aws.errors import Attempt, explain, settings_problem
from orchestrator.errors import DependencyError

if TYPE_CHECKING:
    import boto3
    import botocore.session
    from botocore.config import Config
    from botocore.loaders import Loader
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sts import STSClient
    from mypy_boto3_sts.type_defs import CredentialsTypeDef

_CONNECT_SECONDS = 5
_READ_SECONDS = 60
_ATTEMPTS = 5
_CONNECTIONS = 16
_WITHOUT_PROFILE = ("iam-role", "container-role", "assume-role-with-web-identity", "unknown")


@dataclass(frozen=True)
class CallerIdentity:
    """Whose credentials these are (STS, GetCallerIdentity)."""

    account: str
    arn: str
    user_id: str


class Session:
    """The credentials and settings of the surroundings (AWS_*, profiles), and one client per service and Region.

    `region` is the tooling Region; STS is asked there, which also fixes the partition. `attempts` is how often a
    request is tried. Clients may be used, and asked for, by several threads at once.
    """

    def __init__(self, region: str, *, attempts: int = _ATTEMPTS) -> None:
        self.region = region
        self._attempts = attempts
        self._clients: dict[tuple[str, str], Any] = {}
        self._identity: CallerIdentity | None = None
        self._lock = threading.RLock()

    @overload
    def client(self, service: Literal["s3"], region: str | None = None) -> S3Client: ...
    @overload
    def client(self, service: Literal["dynamodb"], region: str | None = None) -> DynamoDBClient: ...
    @overload
    def client(self, service: Literal["kms"], region: str | None = None) -> KMSClient: ...
    @overload
    def client(self, service: Literal["iam"], region: str | None = None) -> IAMClient: ...
    @overload
    def client(self, service: Literal["sts"], region: str | None = None) -> STSClient: ...

    def client(self, service: Any, region: str | None = None) -> Any:
        """The client of that service in `region`, by default the tooling Region; made once.

        Raises DependencyError where the AWS settings of the surroundings are not usable.
        """
        key = (service, region or self.region)
        with self._lock, settings_problem():
            if key not in self._clients:
                made = self._boto.client(service, region_name=key[1], config=self._config)
                # botocore makes these classes at first use: two threads at once would each catch its own, and miss.
                _ = made.exceptions
                self._clients[key] = made
            return self._clients[key]

    @property
    def host(self) -> str:
        """Where STS is asked: AWS, or what AWS_ENDPOINT_URL names."""
        return urlsplit(self.client("sts").meta.endpoint_url).netloc.rpartition("@")[2]

    def caller_identity(self) -> CallerIdentity:
        """Asked once per session; raises DependencyError where AWS does not know us or cannot be reached."""
        with self._lock:
            if self._identity is None:
                with self.explained("ask who we are", f"in {self.region}"):
                    self._identity = _identity(self.client("sts"))
            return self._identity

    def require_account(self, expected: str) -> CallerIdentity:
        """Before anything is read or changed: are these the credentials of the tooling account?"""
        identity = self.caller_identity()
        if identity.account != expected:
            raise DependencyError(
                f"the AWS credentials ({self._source()}) are for account {identity.account} ({identity.arn}), "
                f"but tooling.account in envs/orchestrate.yaml is {expected}",
                hint=f"Choose a profile or role of account {expected}, for example with AWS_PROFILE.",
            )
        return identity

    def identity_of(self, keys: CredentialsTypeDef) -> CallerIdentity:
        """Whose temporary credentials these are; botocore's errors are the caller's to explain."""
        with self._lock:
            sts = self._boto.client(
                "sts",
                region_name=self.region,
                config=self._config,
                aws_access_key_id=keys["AccessKeyId"],
                aws_secret_access_key=keys["SecretAccessKey"],
                aws_session_token=keys["SessionToken"],
            )
        return _identity(sts)

    @contextlib.contextmanager
    def explained(self, action: str, resource: str, *, env: str | None = None) -> Iterator[None]:
        """Turns what AWS answers into our errors; AWS being AWS, all of them are DependencyError.

        `action` and `resource` complete "cannot ...": ("read the plan", "s3://bucket/key"). `env` is the environment
        whose stores are used, for the hint when one of them is missing.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except (BotoCoreError, ClientError) as error:
            who = self._identity.arn if self._identity else None
            raise explain(error, Attempt(action, resource, env, who)) from error

    @cached_property
    def _boto(self) -> boto3.Session:
        import boto3

        return boto3.Session(botocore_session=self._botocore)

    @cached_property
    def _botocore(self) -> botocore.session.Session:
        import botocore.session

        session = botocore.session.get_session()
        session.register_component("data_loader", _descriptions(session.get_config_variable("data_path")))
        return session

    @cached_property
    def _config(self) -> Config:
        """A number of attempts that the person has set stands, for it is botocore that reads AWS_MAX_ATTEMPTS."""
        from botocore.config import Config

        attempts = self._botocore.get_config_variable("max_attempts") or self._attempts
        return Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": attempts},
            max_pool_connections=_CONNECTIONS,
            user_agent_extra=f"orchestrate/{__version__}",
        )

    def _source(self) -> str:
        """Where the credentials come from; else in botocore's words (`container-role`, `iam-role`, ...)."""
        credentials = self._boto.get_credentials()
        method = credentials.method if credentials else "unknown"
        if method == "env":
            return "environment variables"
        return method if method in _WITHOUT_PROFILE else f"profile {self._boto.profile_name}"


@cache
def _descriptions(data_path: str | None) -> Loader:
    """botocore's descriptions of the services, read once for all sessions: most of what a session's clients cost."""
    from botocore.loaders import create_loader

    return create_loader(data_path)


def _identity(sts: STSClient) -> CallerIdentity:
    answer = sts.get_caller_identity()
    return CallerIdentity(answer["Account"], answer["Arn"], answer["UserId"])
