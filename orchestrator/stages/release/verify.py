"""The verify stage: does what was released answer?"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

from orchestrator.effects.system import web
from orchestrator.effects.system.web import Answer
from orchestrator.errors import Refused, StageFailed
from orchestrator.model.ledger.ledger import Draft, Entry
from orchestrator.stages.context.context import Surroundings

_PAUSE = 2.0
_ONE_TRY = 10.0


@dataclass(frozen=True)
class Verified:
    """`url` and `page` are None where the root has no output verify_url."""

    tag: str
    result: Literal["verified", "nothing to verify"]
    url: str | None
    page: str | None


def verify(at: Surroundings, seconds: float) -> Verified:
    """Asks the output `verify_url` until it answers 200 with the text of `verify_text`, for at most `seconds`."""
    tag = str(at.release.tag)
    applied = at.ledger.history(at.release.target.id).newest("applied")
    if applied is None or applied.tag != tag:
        what = "nothing has been applied" if applied is None else f"the target runs {applied.tag}"
        raise Refused(f"{tag} cannot be verified: {what}", hint=f"Run `orchestrate apply --tag {tag}` first.")
    outputs = applied.detail.get("outputs", {})
    url, text = outputs.get("verify_url"), str(outputs.get("verify_text", ""))
    if url is None:
        return Verified(tag, "nothing to verify", None, None)
    if not str(url).startswith(("http://", "https://")):
        raise StageFailed(f"the output verify_url is {url!r}, which is no http or https address")
    page = _ask_until(at, str(url), text, seconds)
    _record(at, applied, str(url))
    return Verified(tag, "verified", str(url), page)


def _ask_until(at: Surroundings, url: str, text: str, seconds: float) -> str:
    deadline = time.monotonic() + seconds
    at.progress(f"Asking {url} for the text {text!r}")
    while True:
        answer = web.ask(url, _ONE_TRY)
        if answer.status == 200 and text in answer.body:
            return answer.body
        if time.monotonic() + _PAUSE > deadline:
            raise StageFailed(
                f"{url} does not answer as it should: {_shortfall(answer, text)}",
                hint=f"It was asked for {seconds:g} s. `orchestrate verify --tag {at.release.tag}` asks again.",
            )
        time.sleep(_PAUSE)


def _shortfall(answer: Answer, text: str) -> str:
    if answer.status is None:
        return f"it cannot be reached ({answer.body})"
    if answer.status != 200:
        return f"it answers {answer.status}"
    return f"its page does not hold the text {text!r}"


def _record(at: Surroundings, applied: Entry, url: str) -> None:
    draft = Draft("verified", applied.tag, applied.commit, at.identify(), applied.digest, {"url": url})
    at.ledger.append(at.release.target.id, lambda history: draft)
