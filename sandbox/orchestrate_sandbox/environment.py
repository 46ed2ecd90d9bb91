"""The environment in which programs find the sandbox, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

# Those that steer an AWS client whether or not the surroundings have them now: a shell gets an `unset` for each.
_AWS_NAMES = (
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_DEFAULT_PROFILE",
    "AWS_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_SECURITY_TOKEN",
    "AWS_SESSION_TOKEN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def environment(endpoint: str, proxy: str, region: str, keys: Mapping[str, str]) -> dict[str, str]:
    """What leads every AWS client to the sandbox; the same for Terraform, boto3, the AWS CLI and curl.

    `keys` are credentials by the names of boto3's parameters.

    HTTPS_PROXY is not ours: what a program fetches by HTTPS is not in the sandbox. Few attempts, because an emulator
    on loopback that fails once fails always.
    """
    return {
        "AWS_ENDPOINT_URL": endpoint,
        **{name.upper(): value for name, value in keys.items()},
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_MAX_ATTEMPTS": "2",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "http_proxy": proxy,
        "HTTP_PROXY": proxy,
        "no_proxy": ",".join(_LOOPBACK),
        "NO_PROXY": ",".join(_LOOPBACK),
    }


def names_to_unset(surroundings: Mapping[str, str], sandbox: Mapping[str, str]) -> list[str]:
    """Every `AWS_*` name, set now or known to steer clients, that the sandbox does not set itself."""
    theirs = {name for name in surroundings if name.startswith("AWS_") and name.isidentifier()}
    return sorted((theirs | set(_AWS_NAMES)) - set(sandbox))


def within(surroundings: Mapping[str, str], sandbox: Mapping[str, str]) -> dict[str, str]:
    """The surroundings with the sandbox in them and nothing of another AWS."""
    dropped = set(names_to_unset(surroundings, sandbox))
    kept = {name: value for name, value in surroundings.items() if name not in dropped}
    return {**kept, **beside_proxies(surroundings, sandbox)}


def beside_proxies(surroundings: Mapping[str, str], sandbox: Mapping[str, str]) -> dict[str, str]:
    """The sandbox's environment with `no_proxy` also naming the hosts that the surroundings name.

    A machine behind a proxy for HTTPS needs its own entries to reach its package index. Those that would take load
    balancers past the sandbox's proxy are left out.
    """
    listed = surroundings.get("no_proxy") or surroundings.get("NO_PROXY") or ""
    entries = [entry.strip() for entry in listed.split(",")]
    kept = [entry for entry in entries if entry and entry not in _LOOPBACK and not _covers_aws(entry)]
    value = ",".join((*_LOOPBACK, *kept))
    return {**sandbox, "no_proxy": value, "NO_PROXY": value}


def _covers_aws(entry: str) -> bool:
    domain = entry.lstrip("*").lstrip(".").lower()
    return not domain or domain.endswith(("amazonaws.com", "amazonaws.com.cn")) or domain in ("com", "cn", "com.cn")


def shell_lines(sandbox: Mapping[str, str], unset: Sequence[str] = ()) -> list[str]:
    """Lines for `eval` in any POSIX shell."""
    exports = [f"export {name}={_quoted(value)}" for name, value in sandbox.items()]
    return [*(f"unset {name}" for name in unset), *exports]


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "'\\''") + "'"
