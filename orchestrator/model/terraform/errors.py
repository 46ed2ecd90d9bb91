"""What an error of Terraform means: the class that decides the exit code, and what to do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator.errors import DependencyError, InvalidInput, Locked, OrchestrateError, Refused, StageFailed
from orchestrator.model.terraform.events import CommandOutput, Diagnostic
from orchestrator.model.tools.dialect import DIALECTS


@dataclass(frozen=True)
class _Meaning:
    """An error text of Terraform, and the class of error and hint it stands for.

    `{program}` and `{title}` in a hint are the command and the name of what was run.
    """

    text: re.Pattern[str]
    error: type[OrchestrateError]
    hint: str


_LOCK_FILE = (
    "Run `{program} init` and `{program} providers lock -platform=linux_amd64 -platform=linux_arm64 "
    "-platform=darwin_arm64` in the root configuration, and commit .terraform.lock.hcl."
)


def _meaning(text: str, error: type[OrchestrateError], hint: str) -> _Meaning:
    return _Meaning(re.compile(text, re.IGNORECASE), error, hint)


# Of any error, those of single resources too.
_MEANINGS: tuple[_Meaning, ...] = (
    _meaning(
        "saved plan is stale|plan.{0,40}does not match the given state",
        Refused,
        "The state has changed since the plan was made: run `orchestrate plan` again and review that.",
    ),
    _meaning(
        "AWS account ID not allowed",
        Refused,
        "The provider reached an account that is not the target's: see the account in envs/ and the role it trusts.",
    ),
    _meaning(
        "dependency lock file|provider dependency changes|match any of the checksums|locked provider",
        InvalidInput,
        _LOCK_FILE,
    ),
    _meaning(
        "cannot assume IAM role|AssumeRole.*AccessDenied",
        DependencyError,
        "Does the role exist in the workload account, and does it trust these credentials (and the external id)?",
    ),
    _meaning(
        "no valid credential|ExpiredToken|InvalidClientTokenId|failed to refresh cached credentials",
        DependencyError,
        "Log in to the tooling account again; `orchestrate doctor` shows who you are.",
    ),
)
# Of errors of the backend, the registry and the providers' logins: the same words from a resource mean the resource.
_SURROUNDINGS: tuple[_Meaning, ...] = (
    _meaning(
        "failed to (save|persist) state|errored.tfstate",
        DependencyError,
        "What was done is not in the stored state, but in errored.tfstate of the workspace. When AWS answers again, "
        "`orchestrate recover` stores it; until then nothing can be planned there.",
    ),
    _meaning(
        "S3 bucket .* does not exist|NoSuchBucket|Requested resource not found",
        DependencyError,
        "`orchestrate bootstrap` makes the state stores.",
    ),
    _meaning(
        "failed to (query|install) .*provider|could not retrieve the list|registry service is unreachable",
        DependencyError,
        "{title} could not get a provider: is its registry or mirror reachable?",
    ),
    _meaning(
        "SlowDown|throttl|ThroughputExceeded|TooManyRequests|RequestLimitExceeded",
        DependencyError,
        "AWS asked to slow down: try again in a minute.",
    ),
    _meaning(
        "AccessDenied|not authorized|status ?code: 403",
        DependencyError,
        "AWS refused it: `orchestrate doctor` shows who you are and what these credentials may do.",
    ),
    _meaning(
        "error (loading|refreshing|saving|acquiring the) state|failed to (load|get) .*(state|workspaces)"
        "|connection refused|connection reset|no such host|dial tcp|i/o timeout|request send failed",
        DependencyError,
        "AWS could not be reached, or failed: try again; `orchestrate doctor` checks credentials and stores.",
    ),
)


@dataclass(frozen=True)
class TerraformCommand:
    """A command of ours: when it began, and how Terraform calls us (user@host) in locks."""

    began: datetime
    who: str


def failure(
    what: str, output: CommandOutput, returncode: int, run: TerraformCommand | None = None, *, program: str
) -> OrchestrateError:
    """The error that a failed command of `program` stands for; `what` names it, as in "the plan"."""
    errors = output.errors
    lock = next((found for error in errors if (found := _held_lock(error)) is not None), None)
    if lock is not None:
        return _locked(lock, run)
    if not errors:
        return StageFailed(f"{what} failed: {DIALECTS[program].title} {_crash(output, returncode)}")
    message, meaning = f"{what} failed: {output.first_errors}", _first_meaning(errors)
    if meaning is None:
        return StageFailed(message)
    return meaning.error(message, hint=meaning.hint.format(program=program, title=DIALECTS[program].title))


def _first_meaning(errors: Sequence[Diagnostic]) -> _Meaning | None:
    own = [error.text for error in errors if not error.is_of_a_resource]
    pairs = ((_MEANINGS, [error.text for error in errors]), (_SURROUNDINGS, own))
    return next((m for meanings, texts in pairs for m in meanings if any(map(m.text.search, texts))), None)


def _crash(output: CommandOutput, returncode: int) -> str:
    if returncode < 0:
        return f"was killed by signal {-returncode}"
    last = next((line for line in reversed(output.other) if line.strip()), "it gave no reason")
    return f"ended with exit code {returncode}: {(output.panic or last)[:300]}"


_UNKNOWN = "unknown"
_LOCK_LINE = re.compile(r"^\s*(ID|Path|Operation|Who|Created):[ \t]*(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class LockInfo:
    """Who holds a state lock, as Terraform tells."""

    id: str
    path: str
    operation: str
    who: str
    created: str

    @staticmethod
    def of(text: str) -> LockInfo:
        found = {name: value.strip() for name, value in _LOCK_LINE.findall(text)}
        names = ("ID", "Path", "Operation", "Who", "Created")
        return LockInfo(*(found.get(name) or _UNKNOWN for name in names))


def _held_lock(error: Diagnostic) -> LockInfo | None:
    """The lock that somebody holds; a lock may also fail because its store does."""
    if "acquiring the state lock" not in error.summary.lower():
        return None
    if "Lock Info:" in error.detail or re.search("ConditionalCheckFailed|PreconditionFailed", error.detail):
        return LockInfo.of(error.detail)
    return None


def _locked(lock: LockInfo, run: TerraformCommand | None) -> Locked:
    if lock.id == _UNKNOWN:
        return Locked("somebody else locked the state at the same moment", hint="Try again.")
    wait = "Wait until that run ends."
    if run is not None and lock.who == run.who and lock.created >= f"{run.began:%Y-%m-%d %H:%M:%S}":
        wait = "You made that lock, after this command began: perhaps AWS carried out one request of it twice."
    return Locked(
        f"the state {lock.path} is locked by {lock.who} since {lock.created} ({lock.operation}, lock {lock.id})",
        hint=f"{wait} `orchestrate recover --tag TAG` shows whether it is still alive, and finishes it when it was "
        f"killed. A lock of nobody's: `orchestrate unlock --tag TAG --lock-id {lock.id}`.",
    )
