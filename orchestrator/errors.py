"""What can go wrong, one class per exit code (README.md, "Exit codes").

A message says what is wrong and where; the hint says what to do. Neither ever holds a secret.
"""

from __future__ import annotations

import errno


class OrchestrateError(Exception):
    """An error a person is told about; `exit_code` is what the command ends with."""

    exit_code = 1
    kind = "failed"

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\n{self.hint}"


class StageFailed(OrchestrateError):
    """A check or a stage failed: findings, policy, a plan or an apply that ended in an error."""

    exit_code = 1


class UsageError(OrchestrateError):
    """The command line is wrong."""

    exit_code = 2
    kind = "usage"


class InvalidInput(OrchestrateError):
    """A tag or the configuration is wrong."""

    exit_code = 3
    kind = "invalid input"


class Refused(OrchestrateError):
    """A rule forbids it: no approval, a stale or expired plan, a moved tag."""

    exit_code = 4
    kind = "refused"


class Locked(OrchestrateError):
    """Someone else holds the lock."""

    exit_code = 5
    kind = "locked"


class DependencyError(OrchestrateError):
    """A tool is missing, or AWS or git cannot be reached."""

    exit_code = 6
    kind = "dependency"


class NotThere(DependencyError):
    """AWS answered that what was asked for does not exist: a table, a bucket, an object."""


MAKE_ROOM = "`orchestrate doctor` shows which folders are written to, and how much room there is."


def of_system(error: OSError) -> DependencyError:
    """What the operating system refused: a full disk, a file that may not be read."""
    where = f": {error.filename}" if error.filename else ""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
    return DependencyError(f"{error.strerror or type(error).__name__}{where}", hint=MAKE_ROOM if full else None)


class WaitingForApproval(OrchestrateError):
    """The release stops here until somebody approves its plan."""

    exit_code = 7
    kind = "waiting for approval"


class Interrupted(OrchestrateError):
    """The person stopped it."""

    exit_code = 130
    kind = "interrupted"
