"""The configuration's types as JSON Schemas for editors and as a reference page for people; the receipt's schema."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from orchestrator.model.audit.bundle import RecordManifest
from orchestrator.model.ledger.ledger import Entry
from orchestrator.model.release.receipt import PlanReceipt
from orchestrator.model.rules.config import KNOWN_REGION, Environment, Project
from orchestrator.model.text import decoding

FILES: dict[str, type[msgspec.Struct]] = {"project": Project, "environment": Environment}
RECORDS: dict[str, type[msgspec.Struct]] = {"receipt": PlanReceipt, "entry": Entry, "evidence": RecordManifest}
_PLACES = {"project": "envs/orchestrate.yaml", "environment": "envs/<env>.yaml"}

_INTRODUCTION = """\
<!-- Made by `orchestrate schema --markdown`; change orchestrator/model/ instead. -->
# Configuration

The rules of all releases stand in `envs/`: `envs/orchestrate.yaml` holds the project's settings, `envs/<env>.yaml` one
environment each, named by its file. Rules come from the protected branch, never from the tagged commit.

Unknown and duplicate keys are errors, and so are values that YAML readers take for different things: write `"10:30"`,
`"012"` and `"yes"` in quotes. Anchors, merge keys and explicit tags are not supported. All errors of all files are
reported at once. Account numbers are quoted strings of twelve digits.

Editors complete and check the files with the JSON Schemas in `docs/schemas/`:

```yaml
# yaml-language-server: $schema=../docs/schemas/environment.json
```
"""


def as_json(name: str) -> str:
    """The JSON Schema of `project`, `environment`, `receipt`, `entry` or `evidence`."""
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **_schema(name)}, indent=2)


def as_markdown() -> str:
    """One page for all keys of all files."""
    return "\n".join([_INTRODUCTION, *(line for name in FILES for line in _file(name))]).rstrip()


def _schema(name: str) -> Any:
    """msgspec's schema, with the defaults that are lists, which it leaves out, and without the indentation of texts."""
    kind = (FILES | RECORDS)[name]
    schema: Any = decoding.schema(kind)
    for struct in _structs(decoding.type_info(kind)):
        definition = schema["$defs"][struct.cls.__name__]
        if "description" in definition:
            definition["description"] = inspect.cleandoc(definition["description"])  # Python 3.13 does it by itself
        properties = definition["properties"]
        for field in struct.fields:
            made = [] if field.default_factory is msgspec.NODEFAULT else field.default_factory()
            if made and isinstance(made, list):
                properties[field.encode_name].setdefault("default", made)
    return schema


def _structs(info: msgspec.inspect.Type) -> Iterator[msgspec.inspect.StructType]:
    """The mappings with fixed keys within a type, itself included."""
    inner: list[msgspec.inspect.Type] = []
    if isinstance(info, msgspec.inspect.StructType):
        yield info
        inner = [field.type for field in info.fields]
    elif isinstance(info, msgspec.inspect.UnionType):
        inner = list(info.types)
    elif isinstance(info, msgspec.inspect.ListType):
        inner = [info.item_type]
    elif isinstance(info, msgspec.inspect.DictType):
        inner = [info.value_type]
    elif isinstance(info, msgspec.inspect.Metadata):
        inner = [info.type]
    for each in inner:
        yield from _structs(each)


def _file(name: str) -> Iterator[str]:
    schema = _schema(name)
    definitions = schema["$defs"]
    yield f"## {_PLACES[name]}\n"
    first_path: dict[str, str] = {}
    for path, title in _sections(definitions, schema["$ref"], ""):
        if path != first_path.setdefault(title, path):
            yield f"### `{path}`\n\nAs `{first_path[title]}`.\n"
        else:
            yield from _section(definitions, path, definitions[title])


def _sections(definitions: Any, ref: str, path: str) -> Iterator[tuple[str, str]]:
    """The dotted path and the definition of each mapping, outer before inner."""
    title = ref.rpartition("/")[2]
    yield path, title
    for key, value in definitions[title]["properties"].items():
        for inner_ref, place in _refs(value, f"{path}.{key}".removeprefix(".")):
            yield from _sections(definitions, inner_ref, place)


def _refs(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if "$ref" in value:
        yield value["$ref"], path
    for choice in value.get("anyOf", []):
        yield from _refs(choice, path)
    if "items" in value:
        yield from _refs(value["items"], f"{path}[]")
    if isinstance(value.get("additionalProperties"), dict):
        yield from _refs(value["additionalProperties"], f"{path}.<name>")


def _section(definitions: Any, path: str, definition: Any) -> Iterator[str]:
    if path:
        yield f"### `{path}`\n"
    yield f"{definition['description']}\n"
    yield "| key | value | default | meaning |\n| --- | --- | --- | --- |"
    for key, value in definition["properties"].items():
        default = "required" if key in definition["required"] else _default(value)
        yield f"| `{key}` | {_kind(value)} | {default} | {_meaning(definitions, value)} |"
    yield ""


def _default(value: Any) -> str:
    default = value.get("default")
    return "" if default in (None, {}, []) else f"`{json.dumps(default)}`"


def _kind(value: Any) -> str:
    """What may stand there, in a few words."""
    if "anyOf" in value:
        return " or ".join(_kind(choice) for choice in value["anyOf"] if choice.get("type") != "null")
    if value.get("enum") == KNOWN_REGION["enum"]:
        return "a Region"
    if "enum" in value:
        return ", ".join(f"`{choice}`" for choice in value["enum"])
    if value.get("type") == "array":
        return f"list of {_kind(value['items'])}".replace("a Region", "Regions").replace("mapping", "mappings")
    if value.get("type") == "integer":
        return "number" + (f", {value['minimum']} to {value['maximum']}" if "maximum" in value else "")
    return {"string": "text", "boolean": "`true` or `false`"}.get(value.get("type", ""), "mapping")


def _meaning(definitions: Any, value: Any) -> str:
    ref = value.get("$ref", "").rpartition("/")[2]
    text = value.get("description") or definitions.get(ref, {}).get("description", "")
    return re.sub(r"<(?=[a-z])", r"\\<", str(text)).replace("|", "\\|").replace("\n", " ")
