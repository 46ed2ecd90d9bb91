"""The verify stage: does what was released answer?"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

from orchestrator.effects.system import web
from orchestrator.effects.system.web import WebAnswer
from orchestrator.errors import Refused, StageFailed
from orchestrator.model.ledger.ledger import Draft, Entry
from orchestrator.model.text.masking import MASK
from orchestrator.stages.context.context import ReleaseContext

_PAUSE = 2.0
_ONE_TRY = 10.0
_SHORTEST_TRY = 1.0


@dataclass(frozen=True)
class Verified:
    """`url` and `page` are None where the root has no output verify_url."""

    tag: str
    result: Literal["verified", "nothing to verify"]
    url: str | None
    page: str | None


def verify(ctx: ReleaseContext, seconds: float) -> Verified:
    """Asks the output `verify_url` until it answers 200 with the text of `verify_text`, for at most `seconds`."""
    tag = str(ctx.release.tag)
    applied = ctx.chain.history.newest("applied")
    if applied is None or applied.tag != tag:
        what = "nothing has been applied" if applied is None else f"the target runs {applied.tag}"
        raise Refused(f"{tag} cannot be verified: {what}", hint=f"Run `orchestrate apply --tag {tag}` first.")
    outputs = applied.detail.get("outputs", {})
    url, text = outputs.get("verify_url"), str(outputs.get("verify_text", ""))
    if url is None:
        return Verified(tag, "nothing to verify", None, None)
    if MASK in f"{url} {text}":
        raise StageFailed(
            f"{tag} cannot be verified: its output verify_url or verify_text holds a secret, which is never recorded",
            hint="Let both do without: whoever reads the record sees that address.",
        )
    if not str(url).startswith(("http://", "https://")):
        raise StageFailed(f"the output verify_url is {url!r}, which is not an http or https address")
    page = _ask_until(ctx, str(url), text, seconds)
    _record(ctx, applied, str(url))
    return Verified(tag, "verified", str(url), page)


def _ask_until(ctx: ReleaseContext, url: str, text: str, seconds: float) -> str:
    deadline = time.monotonic() + seconds
    ctx.progress(f"Asking {url} for the text {text!r}")
    while True:
        answer = web.ask(url, min(_ONE_TRY, max(_SHORTEST_TRY, deadline - time.monotonic())))
        if answer.status == 200 and text in answer.body:
            return answer.body
        if time.monotonic() + _PAUSE > deadline:
            raise StageFailed(
                f"{url} does not answer as it should: {_shortfall(answer, text)}",
                hint=f"It was asked for {seconds:g} s. `orchestrate verify --tag {ctx.release.tag}` asks again.",
            )
        time.sleep(_PAUSE)


def _shortfall(answer: WebAnswer, text: str) -> str:
    if answer.status is None:
        return f"it cannot be reached ({answer.body})"
    if answer.status != 200:
        return f"it answers {answer.status}"
    return f"its page does not hold the text {text!r}"


def _record(ctx: ReleaseContext, applied: Entry, url: str) -> None:
    draft = Draft("verified", applied.tag, applied.commit, ctx.identify(), applied.digest, {"url": url})
    ctx.chain.append(lambda history: draft)
