"""AWS needs a moment: a change is under way, or what was just made is not seen everywhere yet."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

_Answer = TypeVar("_Answer")

_PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)


def retry_on(call: Callable[[], _Answer], codes: Collection[str]) -> _Answer:
    """Asks again, for about 16 seconds, while AWS answers with one of these error codes; then lets the error pass."""
    from botocore.exceptions import ClientError

    for pause in _PAUSES:
        try:
            return call()
        except ClientError as error:
            if code_of(error) not in codes:
                raise
        time.sleep(pause)
    return call()


def ignoring(call: Callable[[], _Answer], codes: Collection[str]) -> _Answer | None:
    """The answer, None where AWS answers with one of these error codes."""
    from botocore.exceptions import ClientError

    try:
        return call()
    except ClientError as error:
        if code_of(error) not in codes:
            raise
        return None


def code_of(error: ClientError) -> str:
    """`NoSuchBucket`; for an answer without a body, as to HEAD, the HTTP status (`404`)."""
    return str(error.response.get("Error", {}).get("Code", ""))
