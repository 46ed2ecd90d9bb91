"""How a secret may stand in a text: as it is, and in every encoding that tools and people put it into."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

SHORTEST = 8
"""Characters. A shorter "secret" such as `true` or a team's name would mask half of the output."""


def forms(secret: str) -> Iterator[str]:
    """Of the whole and of each of its lines; those that are shorter than SHORTEST are left out."""
    for part in dict.fromkeys((secret, *(line.strip() for line in secret.splitlines()))):
        if len(part) >= SHORTEST:
            yield part
            yield from (form for form in _encoded(part) if len(form) >= SHORTEST)


def plain_forms(secret: str) -> Iterator[str]:
    """As it is and as JSON has it, of the whole and of each of its lines."""
    for part in dict.fromkeys((secret, *(line.strip() for line in secret.splitlines()))):
        if len(part) >= SHORTEST:
            yield from (part, *_escaped(part))


def _encoded(text: str) -> Iterator[str]:
    yield from _escaped(text)
    yield from _for_addresses(text)
    yield from _for_pages(text)
    content = text.encode("utf-8", "surrogatepass")
    yield from _base64(content)
    yield from (content.hex(), content.hex().upper())


def _escaped(text: str) -> Iterator[str]:
    """As JSON (of Python, of Go, and within JSON once more), HCL and Python write it between quotes."""
    quoted = json.dumps(text, ensure_ascii=False)[1:-1]
    ascii_only = json.dumps(text)[1:-1]
    yield from (quoted, ascii_only, json.dumps(quoted)[1:-1], json.dumps(ascii_only)[1:-1])
    yield from (quoted.replace("/", "\\/"), ascii_only.replace("/", "\\/"))
    yield quoted.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    yield quoted.replace("${", "$${").replace("%{", "%%{")
    yield repr(text)[1:-1]
    yield text.encode("unicode_escape", "surrogatepass").decode("ascii")


def _for_addresses(text: str) -> Iterator[str]:
    """URL-encoded: all of it, as a path, as a form; escapes in capitals and not."""
    content = text.encode("utf-8", "surrogatepass")
    for encoded in (quote(content, safe=""), quote(content), quote_plus(content), quote(content, safe="-_.!~*'()")):
        yield from (encoded, _small_escapes(encoded))


def _small_escapes(encoded: str) -> str:
    first, *others = encoded.split("%")
    return "%".join([first, *(other[:2].lower() + other[2:] for other in others)])


def _for_pages(text: str) -> Iterator[str]:
    """As Python, Go and others escape it for HTML and XML."""
    yield html.escape(text, quote=False)
    quotes = (("&quot;", "&#x27;"), ("&#34;", "&#39;"), ("&quot;", "&#39;"), ("&quot;", "&apos;"))
    for double, single in quotes:
        yield html.escape(text, quote=False).replace('"', double).replace("'", single)


def _base64(content: bytes) -> Iterator[str]:
    """Both alphabets. What stands before the secret moves it by one or two bytes against the groups of three."""
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + content).decode()
        first, last = -(-before * 8 // 6), (before + len(content)) * 8 // 6  # only characters that it alone decides
        core = whole[first:last]
        yield from (core, core.translate(_URLSAFE))


_URLSAFE = str.maketrans("+/", "-_")
