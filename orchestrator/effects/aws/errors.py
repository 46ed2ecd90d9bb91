"""What AWS and its client library say when something goes wrong, in words for people.

Only codes, messages, request ids and host names are shown: never a query string, a user name in an address, or a
part of a credential. What an endpoint answers is an outsider's text, so it is escaped and cut.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from orchestrator.errors import DependencyError, NotThere
from orchestrator.model.text.quoting import quoted

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError

_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AllAccessDisabled", "403"})
_NOT_VALID = frozenset(
    "ExpiredToken ExpiredTokenException RequestExpired InvalidClientTokenId UnrecognizedClientException InvalidToken "
    "InvalidAccessKeyId SignatureDoesNotMatch InvalidSignatureException AuthFailure TokenRefreshRequired "
    "MissingAuthenticationToken IncompleteSignature".split()
)
_CLOCK = frozenset({"RequestTimeTooSkewed"})
_THROTTLED = frozenset(
    "Throttling ThrottlingException ThrottledException RequestThrottledException RequestThrottled SlowDown "
    "TooManyRequestsException ProvisionedThroughputExceededException RequestLimitExceeded "
    "BandwidthLimitExceeded PriorRequestNotComplete ServiceUnavailable 503 429".split()
)
_MISSING = frozenset(
    "NoSuchBucket ResourceNotFoundException TableNotFoundException NotFoundException NoSuchKey 404".split()
)

# botocore's classes by name: some are younger than the oldest boto3 that we accept.
_LOG_IN = frozenset(
    "NoCredentialsError PartialCredentialsError CredentialRetrievalError TokenRetrievalError NoAuthTokenError "
    "SSOError LoginError RefreshWithMFAUnsupportedError MetadataRetrievalError UnknownCredentialError".split()
)
_UNREACHABLE = frozenset({"ConnectionError", "HTTPClientError"})

_LONGEST_TEXT = 400

_HOW_TO_LOG_IN = (
    "Log in (`aws sso login` or `aws login`) or choose a profile with AWS_PROFILE; AWS_ACCESS_KEY_ID, "
    "AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN work as well."
)


@dataclass(frozen=True)
class Attempt:
    """What was tried: `action` and `resource` complete "cannot ...", `env` owns the stores, `who` is our ARN."""

    action: str
    resource: str
    env: str | None = None
    who: str | None = None

    def __str__(self) -> str:
        return f"cannot {self.action} {self.resource}"


def explain(error: BotoCoreError | ClientError, attempt: Attempt) -> DependencyError:
    """The error for a person; the order of the questions goes from the surroundings to the single request."""
    from botocore.exceptions import ClientError

    if isinstance(error, ClientError):
        return _answered(error, attempt)
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if kinds & _LOG_IN:
        return DependencyError(f"{attempt}: no usable AWS credentials. {_shown(error)}", hint=_HOW_TO_LOG_IN)
    if kinds & _UNREACHABLE:
        return _unreachable(error, attempt, "" if "EndpointConnectionError" in kinds else f": {_shown(error)}")
    return DependencyError(f"{attempt}: {_shown(error)}")


@contextlib.contextmanager
def settings_problem() -> Iterator[None]:
    """For making clients: a profile that does not exist, an endpoint that is not an address, a number that is none."""
    from botocore.exceptions import BotoCoreError

    try:
        yield
    except (BotoCoreError, ValueError) as error:
        raise DependencyError(
            f"the AWS settings cannot be used: {_shown(error)}",
            hint="Check AWS_PROFILE, the other AWS_* variables and ~/.aws/config.",
        ) from error


def _answered(error: ClientError, attempt: Attempt) -> DependencyError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    if code in _DENIED:
        return _denied(error, attempt)
    if code in _NOT_VALID:
        return DependencyError(
            f"{attempt}: the AWS credentials have expired or are not valid ({code})", hint=_HOW_TO_LOG_IN
        )
    if code in _CLOCK:
        return DependencyError(f"{attempt}: the clock of this machine is wrong ({code})", hint="Set the clock.")
    if code in _THROTTLED:
        tries = int(error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0)) + 1
        return DependencyError(
            f"{attempt}: AWS throttles {error.operation_name} or is overloaded ({code}, {_times(tries)} tried)",
            hint="Try again later; AWS_MAX_ATTEMPTS sets how often a request is tried.",
        )
    if code in _MISSING:
        return NotThere(f"{attempt}: it does not exist ({_said(error)})", hint=_make_stores(attempt))
    return DependencyError(f"{attempt}: AWS answered {error.operation_name} with {_said(error)}")


def _denied(error: ClientError, attempt: Attempt) -> DependencyError:
    who = f" to {attempt.who}" if attempt.who else ""
    in_s3 = "bucket" in attempt.resource or attempt.resource.startswith("s3://")
    return DependencyError(
        f"{attempt}: access denied. AWS refused {error.operation_name}{who}: {_said(error)}",
        hint="Grant that identity the permission (in its policies and, for encrypted stores, on the KMS key), or "
        "choose another profile or role." + (" A bucket of another account is refused alike." if in_s3 else ""),
    )


def _unreachable(error: BotoCoreError, attempt: Attempt, why: str) -> DependencyError:
    details: Mapping[str, Any] = getattr(error, "kwargs", {})
    address = details.get("endpoint_url") or details.get("proxy_url")
    where = f"{_host(str(address))} cannot be reached" if address else "the connection failed"
    via = " (a proxy)" if "proxy_url" in details else ""
    return DependencyError(
        f"{attempt}: {where}{via}{why}",
        hint="Check the network, the proxy settings and AWS_ENDPOINT_URL; in the sandbox, `orchestrate sandbox up`.",
    )


def _make_stores(attempt: Attempt) -> str:
    return f"`orchestrate bootstrap{f' --env {attempt.env}' if attempt.env else ''}` makes the stores."


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _said(error: ClientError) -> str:
    """AWS's code, message and request id; an answer to a HEAD request has no message."""
    told = error.response.get("Error", {})
    code, message = str(told.get("Code", "?")), str(told.get("Message", ""))
    request = str(error.response.get("ResponseMetadata", {}).get("RequestId", ""))
    parts = [code, message if message != code else "", f"(request {request})" if request else ""]
    return " ".join(_clean(part) for part in parts if part)


def _shown(error: Exception) -> str:
    return _clean(str(error))


def _clean(text: str) -> str:
    """On one line, without user names, passwords and query strings in addresses, fit for a terminal."""
    text = re.sub(r"(?<=://)[^/\s\"']*@", "", text)
    text = re.sub(r"(://[^\s\"'?]*)\?[^\s\"']*", r"\1", text)
    return quoted(" ".join(text.split()), _LONGEST_TEXT)[1:-1]


def _host(address: str) -> str:
    """Scheme, host and port of an address."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else _clean(address)
