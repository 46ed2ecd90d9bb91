"""Teaches the exit what a commit's files call secret, before anything reads them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from orchestrator.effects.system import outlet
from orchestrator.model.terraform import declared_secrets
from orchestrator.model.text.masking import texts_of

_CONFIGURATION = (".tf", ".tf.json", ".tofu", ".tofu.json")
_VARIABLES = (".tfvars", ".tfvars.json")
_LARGEST = 1 << 22  # bytes of one file


def learn(folder: Path, env: Mapping[str, str]) -> None:
    """Of all roots and modules below `folder` together: which of them a variable file is for, nobody knows yet."""
    texts = [*_texts(folder, _CONFIGURATION)]
    names = {name for text in texts for name in declared_secrets.sensitive_names(text)}
    found = {value for text in texts for value in declared_secrets.defaults(text, names)}
    found |= {value for text in _texts(folder, _VARIABLES) for value in declared_secrets.values(text, names)}
    found |= {text for name in names if (given := env.get(f"TF_VAR_{name}")) for text in texts_of(given)}
    outlet.learn(found)


def _texts(folder: Path, suffixes: tuple[str, ...]) -> Iterator[str]:
    for base, _, names in os.walk(folder):
        for name in names:
            path = Path(base, name)
            if name.endswith(suffixes) and path.is_file() and path.stat().st_size <= _LARGEST:
                yield path.read_text("utf-8", errors="replace")
