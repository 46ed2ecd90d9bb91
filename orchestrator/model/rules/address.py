"""Addresses of resources and modules, and patterns of them (Terraform documentation, "Resource Addressing").

A pattern means objects: without an index, all instances of it, at every level; a module, with all that is in it.
"""

from __future__ import annotations

import functools
import re

_INDEX = r"\[(?:[0-9]+|\"(?:[^\"\\]|\\.)*\")\]"
_PARTS = re.compile(rf"(?P<index>{_INDEX})|(?P<any>\*)|(?P<dot>\.)|(?P<text>[^.*\[]+|\[)", re.DOTALL)
_MODULE = re.compile(rf"(?:.*\.)?module\.[^.\[]+(?:{_INDEX})?", re.DOTALL)


def matches(address: str, pattern: str) -> bool:
    """Whether the object is one that the pattern means; `*` stands for any characters.

    `module.a.aws_x.y` means `module.a[0].aws_x.y["k"]` too; `module.a` all of its resources, with or without `.*`.
    """
    return _compiled(pattern).fullmatch(address) is not None


@functools.lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    below = r"(?:\..*)?" if _MODULE.fullmatch(pattern) else ""
    return re.compile("".join(map(_part, _PARTS.finditer(pattern))) + f"(?:{_INDEX})?{below}", re.DOTALL)


def _part(part: re.Match[str]) -> str:
    if part["index"]:
        return ".*".join(map(re.escape, part["index"].split("*")))
    if part["any"]:
        return ".*"
    return rf"(?:{_INDEX})?\." if part["dot"] else re.escape(part["text"])
