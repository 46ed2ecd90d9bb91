"""The one exit of the program: all text that leaves it, for people, logs and stores, is masked and escaped here.

What is secret is learned for the whole process, from the environment before anything is read, and from the files of a
release before anything of them is parsed: what is secret in one release must not be told by another.
"""

from __future__ import annotations

import contextlib
import json
import re
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TextIO, cast

from orchestrator.model.text.escaping import inert, inert_json, is_inert
from orchestrator.model.text.masking import Masker, secrets_of_environment, without_controls

# Colours, which the view of a plan has on a terminal; they move nothing and hide nothing.
_COLOUR = re.compile(r"\\x1b\[(0|1|1;31|3[0-7])m")
_lock = threading.Lock()
_secrets: set[str] = set()
_public: set[str] = set()
_masker = Masker()


def begin(env: Mapping[str, str]) -> None:
    """Forgets what an earlier command has taught, and learns the secrets of the environment."""
    global _masker
    with _lock:
        _secrets.clear()
        _public.clear()
        _masker = Masker()
    learn(secrets_of_environment(env))


def learn(secrets: Iterable[str]) -> None:
    """Values that no text may hold from now on."""
    _update(_secrets, secrets)


def publish(facts: Iterable[str]) -> None:
    """Values that are no secrets, whatever else has them: the names of a target, its account, its tag."""
    _update(_public, facts)


def _update(known: set[str], values: Iterable[str]) -> None:
    global _masker
    new = {*values}
    with _lock:
        if not new <= known:
            known |= new
            _masker = Masker.of(_secrets - _public)


def masker() -> Masker:
    """Of all that is known by now."""
    return _masker


def shown(text: str) -> str:
    """For people. Where an escape sequence divides a secret, the sequence is dropped instead of shown."""
    cleaned = without_controls(text)
    if cleaned != text and _masker.count(cleaned) > _masker.count(text):
        text = cleaned
    return inert(_masker.values(text))


def kept(value: Any) -> Any:
    """A value for a store, each text in it masked before it is encoded; what steers a terminal is dropped."""
    return _each_text(value, lambda key, text: _masker.of_key(key, without_controls(text)))


def rendered(text: str) -> str:
    """What a command prints: JSON stays JSON, all else is as `shown`."""
    if text.lstrip()[:1] not in ("{", "["):
        return shown(text)
    if is_inert(text) and _masker.values(text) == text:
        return text
    try:
        value = json.loads(text)
        masked = _each_text(value, lambda key, found: _masker.of_key(key, found))
    except (ValueError, RecursionError):
        return shown(text)
    body = text if masked == value else json.dumps(masked, indent=2 if "\n" in text.strip() else None)
    return inert_json(body.rstrip("\n")) + ("\n" if text.endswith("\n") else "")


def _each_text(value: Any, change: Any, key: object = None) -> Any:
    if isinstance(value, str):
        return change(key, value)
    if isinstance(value, Mapping):
        return {_key(name, change): _each_text(inner, change, name) for name, inner in value.items()}
    return [_each_text(inner, change, key) for inner in value] if isinstance(value, list | tuple) else value


def _key(name: Any, change: Any) -> Any:
    """The names of fields stay, whatever a secret is; names that an outsider chose may hold one."""
    plain = isinstance(name, str) and not name.replace("_", "").isalpha()
    return change(None, name) if plain else name


class _GuardedStream:
    """A text stream on which nothing is written but through the exit."""

    def __init__(self, stream: TextIO) -> None:
        self.undisguised = stream

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError("text is written here")
        told = rendered(text)
        self.undisguised.write(_COLOUR.sub("\x1b[\\1m", told) if self.undisguised.isatty() else told)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        self.write("".join(lines))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.undisguised, name)


@contextlib.contextmanager
def guarded() -> Iterator[None]:
    """Standard output and standard error go through the exit: results, progress, errors and tracebacks alike."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast(TextIO, _GuardedStream(stream)) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = (_behind(now, was) for now, was in zip((sys.stdout, sys.stderr), before, strict=True))


def _behind(now: TextIO, was: TextIO) -> TextIO:
    """Where something put another stream there, as after a broken pipe, that one stays."""
    return was if isinstance(now, _GuardedStream) else now


def undisguised() -> TextIO:
    """Standard output itself, for commands whose very purpose it is to print credentials (`sandbox env`)."""
    stream: TextIO = getattr(sys.stdout, "undisguised", sys.stdout)
    return stream
