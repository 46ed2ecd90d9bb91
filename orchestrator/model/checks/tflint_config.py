"""Settings of tflint: which ones apply to a folder, and which plugins they ask for.

Source: tflint's documentation, "Configuring TFLint" and "Configuring Plugins".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from orchestrator.errors import InvalidInput
from orchestrator.model.text.quoting import quoted

NAMES = (".tflint.hcl", ".tflint.json")

_DEFAULT = """\
plugin "terraform" {
  enabled = true
  preset  = "recommended"
}
"""


@dataclass(frozen=True)
class Plugin:
    """A plugin that settings ask for; without source and version somebody puts it in place by hand."""

    name: str
    source: str | None
    version: str | None

    @property
    def path(self) -> str:
        """Where tflint looks for it, below its plugin folder."""
        if self.source is None or self.version is None:
            return f"tflint-ruleset-{self.name}"
        return f"{self.source}/{self.version}/tflint-ruleset-{self.name}"


@dataclass(frozen=True)
class TflintConfig:
    """One settings file: its name (which decides the syntax), its content, and where it stands; None: our default."""

    name: str
    content: bytes
    place: str | None

    @property
    def plugins(self) -> tuple[Plugin, ...]:
        """Plugins other than the bundled one."""
        found = _plugins_json(self.content) if self.name.endswith(".json") else _plugins_hcl(self.content)
        return tuple(plugin for plugin in found if plugin.name != "terraform" or plugin.source is not None)

    def check(self) -> None:
        """Raises InvalidInput for settings that would load programs from the repository itself."""
        if _PLUGIN_DIR.search(self.content):
            raise InvalidInput(
                f"{quoted(self.place or self.name)} sets plugin_dir: plugins come from tflint's own folder alone",
                hint="Remove it; TFLINT_PLUGIN_DIR in the environment names another folder.",
            )


_PLUGIN_DIR = re.compile(rb'^[^#\n]*\bplugin_dir"?\s*[=:]', re.MULTILINE)
_BLOCK = re.compile(rb'^[ \t]*plugin\s+"([^"\n]+)"\s*\{', re.MULTILINE)
_ATTRIBUTE = re.compile(rb'\b(source|version)\s*=\s*"([^"\n]*)"')


# Where a repository has no settings of its own: this release of the AWS ruleset, or one that somebody has put in place.
AWS_RULESET = Plugin("aws", "github.com/terraform-linters/tflint-ruleset-aws", "0.44.0")
AWS_BY_HAND = Plugin("aws", None, None)


def default_config(aws: Plugin | None) -> TflintConfig:
    """Where a repository has no settings: Terraform's recommended rules, and the AWS ruleset's where it can be had."""
    return TflintConfig(NAMES[0], (_DEFAULT + (block(aws) if aws else "")).encode(), None)


def block(plugin: Plugin) -> str:
    """Settings that ask for the plugin."""
    origin = f'  version = "{plugin.version}"\n  source  = "{plugin.source}"\n' if plugin.source else ""
    return f'\nplugin "{plugin.name}" {{\n  enabled = true\n{origin}}}\n'


def nearest(folder: str, read: Callable[[str], bytes | None]) -> TflintConfig | None:
    """The settings in the folder itself or in the nearest one above it; `read` answers None for a missing file."""
    parts = folder.split("/") if folder else []
    for depth in range(len(parts), -1, -1):
        for name in NAMES:
            path = "/".join([*parts[:depth], name])
            content = read(path)
            if content is not None:
                return TflintConfig(name, content, path)
    return None


def _plugins_hcl(content: bytes) -> Iterator[Plugin]:
    for match in _BLOCK.finditer(content):
        body = content[match.end() :].partition(b"}")[0]
        values = {key.decode(): text.decode(errors="replace") for key, text in _ATTRIBUTE.findall(body)}
        yield _plugin(match[1].decode(errors="replace"), values)


def _plugins_json(content: bytes) -> Iterator[Plugin]:
    import json

    try:
        plugins = json.loads(content).get("plugin", {})
        for entry in plugins if isinstance(plugins, list) else [plugins]:
            for name, values in entry.items():
                for value in values if isinstance(values, list) else [values]:
                    yield _plugin(name, value)
    except (ValueError, AttributeError, TypeError):
        return  # tflint itself says what is wrong


def _plugin(name: str, values: dict[str, str]) -> Plugin:
    source, version = values.get("source"), values.get("version")
    if source is not None and version is not None and not (_SOURCE.fullmatch(source) and _VERSION.fullmatch(version)):
        raise InvalidInput(
            f"tflint's settings ask for plugin {quoted(name)} from {quoted(source)}, version {quoted(version)}"
        )
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
        raise InvalidInput(f"tflint's settings name a plugin {quoted(name)}, which is not a plugin's name")
    return Plugin(name, source, version)


_SOURCE = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*){2,4}")
_VERSION = re.compile(r"[0-9][0-9A-Za-z.+-]{0,40}")
