"""The tag grammar: `<env>_<scope>/<team>/<version>` (docs/tags.md)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import total_ordering

from orchestrator.errors import InvalidInput
from orchestrator.model.rules.region import REGIONS
from orchestrator.model.text.quoting import did_you_mean, quoted

GLOBAL = "global"
MAX_LENGTH = 128

ENV_PATTERN = "[a-z]([a-z0-9-]{0,14}[a-z0-9])?"
ENV_RULE = "at most 16 of a-z, 0-9 and -, a letter first, no - last"
TEAM_PATTERN = "[a-z]([a-z0-9-]{0,30}[a-z0-9])?"
TEAM_RULE = "at most 32 of a-z, 0-9 and -, a letter first, no - last"
REGION_PATTERN = "[a-z]{2,8}(-[a-z]{2,12}){1,3}-[1-9][0-9]?"
_NUMBER = "(0|[1-9][0-9]*)"
_VERSION = re.compile(rf"{_NUMBER}\.{_NUMBER}(?:\.{_NUMBER})?(?:-rc\.{_NUMBER})?")

_SHAPE = "A tag is <env>_<Region or global>/<team>/<version>, for example dev_us-east-1/research/1.0."


@total_ordering
@dataclass(frozen=True, eq=False)
class Version:
    """A version as written, ordered and compared by number: 1.10 after 1.9, 1.0-rc.1 before 1.0, 1.0 equal to 1.0.0."""

    text: str
    numbers: tuple[int, int, int] = field(repr=False)
    candidate: int | None = field(repr=False, default=None)

    @staticmethod
    def parse(text: str) -> Version:
        """Raises InvalidInput for anything but MAJOR.MINOR or MAJOR.MINOR.PATCH with an optional -rc.N."""
        match = _VERSION.fullmatch(text) if len(text) <= MAX_LENGTH else None
        if match is None:
            raise InvalidInput(f"{quoted(text)} is not a version", hint=_version_hint(text))
        major, minor, patch, candidate = match.groups()
        return Version(text, (int(major), int(minor), int(patch or 0)), None if candidate is None else int(candidate))

    @property
    def key(self) -> tuple[tuple[int, int, int], bool, int]:
        return self.numbers, self.candidate is None, self.candidate or 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self.key == other.key

    def __lt__(self, other: object) -> bool:
        return self.key < other.key if isinstance(other, Version) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.key)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Tag:
    """A tag name taken apart. That the rules know its environment, Region and team is `target.locate`'s to say."""

    env: str
    scope: str
    team: str
    version: Version

    @staticmethod
    def parse(text: str) -> Tag:
        """Raises InvalidInput, naming the part at fault, for a name outside the grammar."""
        _check_characters(text)
        place, slash, rest = text.partition("/")
        env, underscore, scope = place.partition("_")
        team, second_slash, version = rest.partition("/")
        if not (slash and underscore and second_slash):
            raise _bad_tag(text, _missing_part(underscore, slash), _likely_tag(text))
        _check_part(text, "environment", env, ENV_PATTERN, ENV_RULE)
        _check_scope(text, scope)
        _check_part(text, "team", team, TEAM_PATTERN, TEAM_RULE)
        return Tag(env, scope, team, _version_of(text, version))

    def __str__(self) -> str:
        return f"{self.env}_{self.scope}/{self.team}/{self.version}"

    @property
    def is_global(self) -> bool:
        return self.scope == GLOBAL


def _check_characters(text: str) -> None:
    if not text.isascii():
        raise _bad_tag(text, "it holds characters outside ASCII")
    if len(text) > MAX_LENGTH:
        raise _bad_tag(text, f"it has {len(text)} characters, {MAX_LENGTH} are allowed")
    bad = re.search(r"[^a-z0-9._/-]", text)
    if bad is not None:
        part = _part_at(text[: bad.start()])
        raise _bad_tag(text, f"the character {quoted(bad.group())} is not allowed in a tag ({part})", _likely_tag(text))


def _part_at(before: str) -> str:
    """What of a tag follows the characters `before`."""
    place, slash, rest = before.partition("/")
    if slash:
        return "version" if "/" in rest else "team"
    return "scope" if "_" in place else "environment"


def _likely_tag(text: str) -> str | None:
    """A hint where nothing but capitals, spaces around or git's own prefix keeps `text` from being a tag."""
    likely = text.strip().lower().removeprefix("refs/tags/")
    try:
        return f"Did you mean {Tag.parse(likely)}?" if likely != text else None
    except InvalidInput:
        return None


def _missing_part(underscore: str, slash: str) -> str:
    if not underscore:
        return "it has no _ between environment and scope"
    return "the version is missing" if slash else "team and version are missing"


def _check_part(text: str, name: str, part: str, pattern: str, rule: str) -> None:
    if not part:
        raise _bad_tag(text, f"the {name} is empty")
    if re.fullmatch(pattern, part) is None:
        raise _bad_tag(text, f"{quoted(part)} is not a name for the {name} ({rule})")


def _check_scope(text: str, scope: str) -> None:
    if scope != GLOBAL and re.fullmatch(REGION_PATTERN, scope) is None:
        hint = did_you_mean(scope, [*REGIONS, GLOBAL])
        raise _bad_tag(text, f"the scope {quoted(scope)} is neither an AWS Region nor `global`", hint)


def _version_of(text: str, version: str) -> Version:
    try:
        return Version.parse(version)
    except InvalidInput as error:
        raise _bad_tag(text, error.message, error.hint) from None


def _version_hint(text: str) -> str:
    numbers = re.fullmatch(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-?rc[.-]?(\d+))?", text)
    rule = "A version is MAJOR.MINOR or MAJOR.MINOR.PATCH without leading zeros, optionally followed by -rc.N."
    if numbers is None or len(text) > 20:
        return rule
    *found, candidate = (number and str(int(number)) for number in numbers.groups())
    parts = [part for part in found if part]
    likely = ".".join(parts if len(parts) > 1 else [*parts, "0"]) + (f"-rc.{candidate}" if candidate else "")
    return f"{rule} Did you mean {likely}?" if likely != text else rule


def _bad_tag(text: str, why: str, hint: str | None = None) -> InvalidInput:
    return InvalidInput(f"{quoted(text)} is not a release tag: {why}", hint=hint or _SHAPE)
