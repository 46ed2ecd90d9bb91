"""A finding: one thing that a check has to say about one place, whichever tool said it.

Texts of a finding come from tools and from the files they read, so an outsider may have written them: they are
made printable and secrets are masked when a finding is made, not when it is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal, TypeAlias

import msgspec

from orchestrator.model.rules.check_names import Check
from orchestrator.model.text.masking import MASK, Masker

CheckName: TypeAlias = Literal[Check, "policy"]
"""A check of code, or the one of plans."""
Severity: TypeAlias = Literal["critical", "error", "high", "warning", "medium", "notice", "low", "unrated"]
State: TypeAlias = Literal["failing", "minor", "skipped", "baseline"]

# tflint and Terraform say error, warning, notice; checkov says critical to low, or nothing at all. What nobody has
# rated counts as the worst, so that no threshold lets it pass unseen.
RANKS: dict[Severity, int] = {
    "unrated": 5,
    "critical": 4,
    "error": 3,
    "high": 3,
    "warning": 2,
    "medium": 2,
    "notice": 1,
    "low": 1,
}

_LONGEST_MESSAGE = 2000
_LONGEST_CODE = 240
LONGEST_NAME = 500
_MOST_LINES = 40


class Finding(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, rename={"remediation": "mend"}
):
    """`file` is relative to the top of the repository, `line` counts from 1; `state` says whether it counts."""

    check: CheckName
    tool: str
    rule: str
    severity: Severity
    message: str
    file: str | None = None
    line: int | None = None
    end_line: int | None = None
    resource: str | None = None
    code: str | None = None
    """The line of the file, or the difference that a formatter wants."""
    remediation: str | None = None
    link: str | None = None
    state: State = "failing"
    reason: str | None = None
    """Why it does not count: the reason of a skip, or who overrode it."""
    inline: bool = False
    """The skip stands in the code."""

    @property
    def place(self) -> str:
        """`file:line`, the resource's address, or nothing."""
        if self.file is None:
            return self.resource or ""
        return self.file if self.line is None else f"{self.file}:{self.line}"

    @property
    def rank(self) -> int:
        return RANKS[self.severity]


def is_variable_file(path: str) -> bool:
    """Whose values may be secret: its lines are never shown."""
    return path.endswith((".tfvars", ".tfvars.json"))


_LINE_NUMBERS = re.compile(r"lines [0-9, .-]{1,400}")


def clean(finding: Finding) -> Finding:
    """With every text printable, without secrets and of bounded length."""
    return msgspec.structs.replace(
        finding,
        rule=printable(finding.rule, LONGEST_NAME),
        message=_text(finding.message, _LONGEST_MESSAGE),
        file=None if finding.file is None else printable(finding.file, LONGEST_NAME),
        resource=None if finding.resource is None else printable(finding.resource, LONGEST_NAME),
        code=_code(finding),
        remediation=_optional(finding.remediation, _LONGEST_MESSAGE),
        link=link if (link := finding.link) and _LINK.fullmatch(link) else None,
        reason=_optional(finding.reason, _LONGEST_MESSAGE),
    )


_LINK = re.compile(r"https?://[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]{1,1000}")


def _text(text: str, limit: int) -> str:
    """Masked before it is cut to size: a part of a secret is still one. What is far too long is cut before."""
    return printable(masked(text[: 4 * limit]), limit)


def _optional(text: str | None, limit: int) -> str | None:
    return None if text is None else _text(text, limit)


def _code(finding: Finding) -> str | None:
    text = finding.code
    if text is None or (is_variable_file(finding.file or "") and not _LINE_NUMBERS.fullmatch(text)):
        return None
    lines = text.split("\n", _MOST_LINES)[:_MOST_LINES]
    together = "\n".join(line.expandtabs(4)[: 4 * _LONGEST_CODE] for line in lines)
    return "\n".join(printable(line, _LONGEST_CODE) for line in masked(together).split("\n"))


def printable(text: str, limit: int) -> str:
    """On one line, nothing in it able to move a terminal's cursor or turn its writing round; cut at `limit`.

    Letters of every script stay; control and format characters, surrogates and line breaks are shown as escapes.
    """
    shown = text if len(text) <= limit else text[:limit] + "..."
    if shown.isprintable():
        return shown
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in shown)


# Every repetition is bounded: what is searched is an outsider's text, and may be one long line.
_SECRETS = (
    # `password = "..."`, "db_token": "...", and the like; but not `password = var.password`.
    re.compile(
        r"""(?ix) ( (?:password|passwd|pwd|secret|token|credential|api_?key|access_?key|private_?key) [\w.-]{0,64}
            ["']? \s{0,16} (?:=>?|:) \s{0,16} ) (?: "(?!\$\{)[^"\n]{0,4000}"? | '[^'\n]{0,4000}'?
            | (?!var\.|local\.|data\.|module\.|[a-z_]{1,64}\.|null\b|true\b|false\b|["'$]) [^\s"',;]{4,4000} )"""
    ),
    re.compile(r"\b()(?:A3T[A-Z0-9]|AKIA|ASIA|AGPA|AIDA|AROA)[A-Z0-9]{16}\b"),
    re.compile(r"\b()(?:gh[pousr]_|glpat-|xox[abprs]-|sk-|hvs\.)[A-Za-z0-9_-]{16,255}"),
    re.compile(
        r"()(?<![A-Za-z0-9/+=])(?=[A-Za-z/+]{0,39}[0-9])(?=[a-z0-9/+]{0,39}[A-Z])(?=[A-Z0-9/+]{0,39}[a-z])"
        r"[A-Za-z0-9/+]{40}={0,2}(?![A-Za-z0-9/+=])"
    ),
    re.compile(r"()\beyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{0,4000}"),
)
_MASKER = Masker()


def masked(text: str) -> str:
    """With what looks like a secret replaced: values of names that say so, keys and tokens of known shapes."""
    text = _MASKER(text)  # first: control sequences, which it drops, could cut a secret in two
    for shape in _SECRETS:
        text = shape.sub(rf"\g<1>{MASK}", text)
    return text


def by_importance(findings: Iterable[Finding]) -> list[Finding]:
    """Those that count first, the worst first, then by place."""
    return sorted(
        findings,
        key=lambda f: (f.state != "failing", -f.rank, f.file or "", f.line or 0, f.rule, f.resource or "", f.message),
    )
