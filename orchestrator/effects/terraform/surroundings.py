"""Which variables of our own environment Terraform gets.

Whatever runs while Terraform runs (a provider, an external program) sees all of them. So it is a list of what may
pass, and not of what may not: the secrets of a build or of a person's shell have any name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from orchestrator.model.rules.config import TerraformSettings as Settings

# Percent by which memory may grow before Go collects garbage (its default is 100), where the surroundings do not say.
# Each command builds the schemas of its providers anew: a fifth less processor time for less than a tenth more memory.
_GOGC = "300"

_PLAIN = (
    "PATH|HOME|USER|LOGNAME|TMPDIR|TZ|LANG|LANGUAGE|LC_[A-Z]+|NO_COLOR|XDG_(?:DATA|CONFIG|CACHE|RUNTIME)_(?:HOME|DIRS?)"
    "|GOGC|GOMEMLIMIT|GOMAXPROCS|SSL_CERT_(?:FILE|DIR)"
    "|(?:HTTP|HTTPS|NO|ALL)_PROXY|(?:http|https|no|all)_proxy"
    "|TF_CLI_CONFIG_FILE|TF_PLUGIN_CACHE_DIR"
)
_CLOUD = (
    "AWS_(?:REGION|DEFAULT_REGION|ENDPOINT_URL(?:_[A-Z0-9_]+)?|IGNORE_CONFIGURED_ENDPOINT_URLS|CA_BUNDLE|MAX_ATTEMPTS"
    "|RETRY_MODE|USE_FIPS_ENDPOINT|USE_DUALSTACK_ENDPOINT|STS_REGIONAL_ENDPOINTS|DEFAULTS_MODE|SDK_LOAD_CONFIG"
    "|EC2_METADATA_DISABLED|EC2_METADATA_SERVICE_ENDPOINT(?:_MODE)?"
    "|ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|PROFILE|CONFIG_FILE|SHARED_CREDENTIALS_FILE|ROLE_ARN"
    "|ROLE_SESSION_NAME|WEB_IDENTITY_TOKEN_FILE|CONTAINER_CREDENTIALS_(?:RELATIVE|FULL)_URI"
    "|CONTAINER_AUTHORIZATION_TOKEN(?:_FILE)?)"
)
# With which modules and providers are fetched: `init` alone gets these, while none of the commit's code runs.
_FETCHING = "TF_TOKEN_.+|SSH_AUTH_SOCK|GIT_SSH(?:_COMMAND|_VARIANT)?|GIT_ASKPASS|GIT_CONFIG_.+|NETRC"
_FETCHES = re.compile(_FETCHING)


def environment(surroundings: Mapping[str, str], settings: Settings, extra: Mapping[str, str]) -> dict[str, str]:
    """What Terraform sees where it works with AWS: what is listed here and in `terraform.pass_env`, and `extra`."""
    return _of(re.compile(f"{_PLAIN}|{_CLOUD}"), surroundings, settings, extra)


def without_credentials(surroundings: Mapping[str, str], extra: Mapping[str, str]) -> dict[str, str]:
    """As `environment`, for commands that need nothing of AWS; what the rules pass on is left out too."""
    return _of(re.compile(_PLAIN), surroundings, Settings(), extra)


def for_fetching(surroundings: Mapping[str, str]) -> dict[str, str]:
    """What `init` gets besides."""
    return {name: value for name, value in surroundings.items() if _FETCHES.fullmatch(name)}


def _of(
    kept: re.Pattern[str], surroundings: Mapping[str, str], settings: Settings, extra: Mapping[str, str]
) -> dict[str, str]:
    found = {name: value for name, value in surroundings.items() if kept.fullmatch(name) or name in settings.pass_env}
    return {"GOGC": _GOGC, **found, "TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1", **extra}
