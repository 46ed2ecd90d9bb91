"""Writes the tables of the modules' READMEs, and `docs/checks-skipped.md`, from the modules themselves.

`python tests/support/modules/tables.py` writes them; with `--check` it only says which are out of date, and exits 1.
Reads files in the form that `terraform fmt` gives them.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hcl2
import yaml

REPOSITORY = Path(__file__).parents[3]
BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"
# Every way to tell checkov or tflint to look away, and the one that is used here.
_LOOKS_AWAY = re.compile(r"(checkov|bridgecrew|cortex):skip|tflint-ignore")
_SKIP = re.compile(r"#\s*checkov:skip=(?P<check>[A-Z0-9_]+):\s*(?P<reason>\S.*)$")
_BLOCK = re.compile(r'^(?P<kind>resource|data|module) "(?P<first>[^"]+)"(?: "(?P<second>[^"]+)")? \{')

SKIPS_INTRODUCTION = """# Checks that are skipped

Every inline skip in `modules/`, with its reason. There are no skips for the whole repository.
Written by `python tests/support/modules/tables.py`; do not edit.
"""
WAIVERS_INTRODUCTION = """## Findings of plans that an environment accepts

A scan of a plan finds what only values show. These lie in `checks.scan.skips` of `envs/<env>.yaml`, on the protected
branch, each for one resource and until a day; [checks.md](checks.md) tells how they work.
"""


@dataclass(frozen=True)
class ModuleVariable:
    """`type` and `default` as written in the module, on one line; no default means that a value is required."""

    name: str
    description: str
    type: str
    default: str | None


def readme_with_tables(module: Path) -> str:
    """The module's README with its tables as they must be; ValueError where it has no place for them."""
    text = (module / "README.md").read_text()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{module / 'README.md'}: put {BEGIN} and {END} where the tables belong")
    return f"{before}{BEGIN}\n\n{_tables(module)}\n{END}{after}"


def _tables(module: Path) -> str:
    blocks = _blocks(module)
    sections = (
        ("Requirements", ("Name", "Version"), list(_requirements(blocks))),
        ("Modules", ("Name", "Source"), [(f"`{n}`", _unquoted(b["source"])) for n, b in _named(blocks, "module")]),
        ("Resources", ("Type", "Name"), list(_resources(blocks))),
        ("Inputs", ("Name", "Description", "Type", "Default"), [_input(v) for v in _variables(module, blocks)]),
        ("Outputs", ("Name", "Description"), [(f"`{n}`", _described(b)) for n, b in _named(blocks, "output")]),
    )
    return "\n".join(f"### {title}\n\n{_table(head, rows)}" for title, head, rows in sections if rows)


def _blocks(module: Path) -> list[tuple[str, dict[str, Any]]]:
    files = sorted(module.glob("*.tf"))
    return [(kind, block) for file in files for kind, found in _parsed(file) for block in found]


def _parsed(file: Path) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    yield from ((kind, found) for kind, found in hcl2.loads(file.read_text()).items() if isinstance(found, list))


def _named(blocks: list[tuple[str, dict[str, Any]]], wanted: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for kind, block in blocks:
        if kind == wanted:
            yield from ((_unquoted(name), body) for name, body in block.items() if isinstance(body, dict))


def _requirements(blocks: list[tuple[str, dict[str, Any]]]) -> Iterator[tuple[str, str]]:
    for _, block in (found for found in blocks if found[0] == "terraform"):
        yield "terraform", f"`{_unquoted(block['required_version'])}`"
        for providers in block.get("required_providers", []):
            for name, provider in providers.items():
                if isinstance(provider, dict):
                    version = {_unquoted(key): value for key, value in provider.items()}["version"]
                    yield _unquoted(name), f"`{_unquoted(version)}`"


def _resources(blocks: list[tuple[str, dict[str, Any]]]) -> Iterator[tuple[str, str]]:
    for kind, prefix in (("resource", ""), ("data", "data.")):
        for type_, named in _named(blocks, kind):
            yield from ((f"`{prefix}{type_}`", f"`{_unquoted(name)}`") for name in named if not name.startswith("__"))


def _variables(module: Path, blocks: list[tuple[str, dict[str, Any]]]) -> Iterator[ModuleVariable]:
    source = "\n".join(file.read_text() for file in sorted(module.glob("*.tf")))
    for name, body in _named(blocks, "variable"):
        text = re.search(rf'^variable "{name}" \{{$(.*?)^\}}$', source, re.MULTILINE | re.DOTALL)
        assert text is not None, name
        written = {key: _expression(text[1], key) for key in ("type", "default")}
        yield ModuleVariable(name, _described(body), written["type"] or "any", written["default"])


def _expression(body: str, name: str) -> str | None:
    """What an attribute of a formatted block is set to, on one line: it ends where a line stands two spaces in."""
    found = re.search(rf"^  {name} +?= (.*?)(?=^  \S(?<![\]}})])|^\Z|^$|\Z)", body, re.MULTILINE | re.DOTALL)
    return None if found is None else _one_line(found[1])


def _one_line(expression: str) -> str:
    joined = re.sub(r"(?<![{(\[,])\n\s*+(?![}\])])", ", ", expression.strip())
    spaced = re.sub(r"\s+", " ", joined)
    return re.sub(r"([(\[]) (?=\S)|(?<=\S) (?=[)\]])", r"\1", spaced)


def _input(variable: ModuleVariable) -> tuple[str, str, str, str]:
    default = "required" if variable.default is None else f"`{variable.default}`"
    return f"`{variable.name}`", variable.description, f"`{variable.type}`", default


def _described(body: dict[str, Any]) -> str:
    return _unquoted(body["description"]).replace('\\"', '"')


def _unquoted(text: object) -> str:
    return str(text).removeprefix('"').removesuffix('"')


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = (head, ["---"] * len(head), *rows)
    return "".join(f"| {' | '.join(_cell(text) for text in line)} |\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def skips() -> str:
    """The page of all inline skips; ValueError for a skip without a reason."""
    folders = sorted(readme.parent for readme in (REPOSITORY / "modules").glob("*/README.md"))
    rows = [row for folder in folders for file in sorted(folder.rglob("*.tf")) for row in _skips(file)]
    return (
        f"{SKIPS_INTRODUCTION}\n{_table(('Module', 'Resource', 'Check', 'Reason'), rows)}\n"
        f"{WAIVERS_INTRODUCTION}\n{_table(('Environment', 'Resource', 'Check', 'Until', 'Reason'), list(_waivers()))}"
    )


def _waivers() -> Iterator[tuple[str, str, str, str, str]]:
    for file in sorted((REPOSITORY / "envs").glob("*.yaml")):
        for skip in yaml.safe_load(file.read_text()).get("checks", {}).get("scan", {}).get("skips", []):
            yield f"`{file.stem}`", f"`{skip['resource']}`", f"`{skip['rule']}`", str(skip["expires"]), skip["reason"]


def _skips(file: Path) -> Iterator[tuple[str, str, str, str]]:
    owner = "?"
    for number, line in enumerate(file.read_text().splitlines(), 1):
        if block := _BLOCK.match(line):
            owner = ".".join(part for part in block.groups()[1:] if part)
        if _LOOKS_AWAY.search(line):
            found = _SKIP.search(line)
            if found is None:
                raise ValueError(f"{file}:{number}: a skip needs a reason: #checkov:skip=CHECK: reason")
            module = file.relative_to(REPOSITORY / "modules").parts[0]
            yield f"`{module}`", f"`{owner}`", f"`{found['check']}`", found["reason"]


def pages() -> dict[Path, str]:
    """Every generated page with the text that it must have."""
    readmes = sorted((REPOSITORY / "modules").glob("*/README.md"))
    return {file: readme_with_tables(file.parent) for file in readmes} | {
        REPOSITORY / "docs/checks-skipped.md": skips()
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a page is out of date")
    check = parser.parse_args(arguments).check
    stale = {file: text for file, text in pages().items() if not file.exists() or file.read_text() != text}
    for file, text in stale.items():
        sys.stdout.write(f"{'out of date' if check else 'written'}: {file.relative_to(REPOSITORY)}\n")
        if not check:
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
