"""Settings of tflint: which ones apply to a folder, and which of their values are taken over.

A repository's settings file is never tflint's own: what is known to be harmless in it is written into a file of ours,
so that nothing in it (a folder of plugins, credentials, a forced success) means more than we have read.
Source: tflint's documentation, "Configuring TFLint" and "Configuring Plugins".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from orchestrator.errors import InvalidInput
from orchestrator.model.text.quoting import quoted

NAMES = (".tflint.hcl", ".tflint.json")
GENERATED = ".tflint.json"
BLOCKS = ("tflint", "config", "plugin", "rule")

Parsed: TypeAlias = Mapping[str, Any]


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


# Where a repository has no settings of its own: this release of the AWS ruleset, or one that somebody has put in place.
AWS_RULESET = Plugin("aws", "github.com/terraform-linters/tflint-ruleset-aws", "0.44.0")
AWS_BY_HAND = Plugin("aws", None, None)


@dataclass(frozen=True)
class TflintConfig:
    """Generated settings: the content of the file `GENERATED`, and the plugins beside the bundled one."""

    content: bytes
    plugins: tuple[Plugin, ...] = ()


def default_config(aws: Plugin | None) -> TflintConfig:
    """Where a repository has no settings: Terraform's recommended rules, and the AWS ruleset's where it can be had."""
    asked = {"terraform": {"enabled": True, "preset": "recommended"}}
    return _generated(asked | ({aws.name: asking(aws)} if aws else {}), {}, {}, (aws,) if aws else ())


def asking(plugin: Plugin) -> dict[str, Any]:
    """What settings say to have the plugin."""
    origin = {"version": plugin.version, "source": plugin.source} if plugin.source else {}
    return {"enabled": True, **origin}


def init_config(plugins: tuple[Plugin, ...]) -> bytes:
    """Settings for `tflint --init` alone."""
    return _generated({plugin.name: asking(plugin) for plugin in plugins}, {}, {}, plugins).content


def nearest(folder: str, read: Callable[[str], bytes | None]) -> tuple[str, bytes] | None:
    """Path and content of the settings in the folder itself or in the nearest one above it.

    `read` answers None for a missing file.
    """
    parts = folder.split("/") if folder else []
    for depth in range(len(parts), -1, -1):
        for name in NAMES:
            path = "/".join([*parts[:depth], name])
            content = read(path)
            if content is not None:
                return path, content
    return None


def taken_over(parsed: Parsed, place: str) -> TflintConfig:
    """The settings of a repository, as a file of ours; `parsed` holds the blocks of the file at `place`.

    Raises InvalidInput for what cannot be taken over but would change what tflint finds, or where it looks.
    """
    plugins = {name: _plugin(name, values, place) for name, values in _labelled(parsed, "plugin", place)}
    asked = {name: values for name, (values, _) in plugins.items()}
    rules = {name: _rule(name, values, place) for name, values in _labelled(parsed, "rule", place)}
    wanted = (plugin for values, plugin in plugins.values() if values["enabled"])
    config = dict(_config(parsed, place))
    return _generated(asked, rules, config, tuple(p for p in wanted if p.name != "terraform" or p.source))


def _generated(asked: Parsed, rules: Parsed, config: Parsed, plugins: tuple[Plugin, ...]) -> TflintConfig:
    blocks = {"config": config, "plugin": asked, "rule": rules}
    written = {name: block for name, block in blocks.items() if block}
    return TflintConfig(json.dumps(written, sort_keys=True).encode(), plugins)


_CONFIG: Mapping[str, Callable[[Any], bool]] = {
    "call_module_type": lambda value: value in ("local", "none"),
    "disabled_by_default": lambda value: isinstance(value, bool),
}
# How tflint is called is ours to say; more values of variables would only let it look closer.
_PASSED_OVER = frozenset({"format", "force", "variables", "varfile", "ignore_module", "module"})


def _config(parsed: Parsed, place: str) -> Iterator[tuple[str, Any]]:
    for block in _blocks(parsed.get("config"), place):
        for name, value in block.items():
            if name in _CONFIG and _CONFIG[name](value):
                yield name, value
            elif name == "plugin_dir":
                raise InvalidInput(
                    f"{quoted(place)} sets plugin_dir: plugins come from tflint's own folder alone",
                    hint="Remove it; TFLINT_PLUGIN_DIR in the environment names another folder.",
                )
            elif name not in _PASSED_OVER:
                raise InvalidInput(
                    f"{quoted(place)} sets {quoted(name)} in its block config to a value that is not taken over",
                    hint=f"Remove it; known are {', '.join(sorted(_CONFIG))}.",
                )


def _plugin(name: str, values: Parsed, place: str) -> tuple[dict[str, Any], Plugin]:
    """Its known settings; what else it may have (a signing key, credentials) is not for us to pass on."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
        raise InvalidInput(f"{quoted(place)} names a plugin {quoted(name)}, which is not a plugin's name")
    enabled, source, version = values.get("enabled", True), values.get("source"), values.get("version")
    if not isinstance(enabled, bool):
        raise InvalidInput(f"{quoted(place)}: `enabled` of plugin {quoted(name)} must be true or false")
    if source is not None and not (_matches(_SOURCE, source) and _matches(_VERSION, version)):
        raise InvalidInput(
            f"{quoted(place)} asks for plugin {quoted(name)} from {quoted(str(source))}, version {quoted(str(version))}"
        )
    plugin = Plugin(name, source, version if source is not None else None)
    preset = {"preset": values["preset"]} if values.get("preset") in ("all", "recommended") else {}
    return {**asking(plugin), "enabled": enabled, **preset}, plugin


def _rule(name: str, values: Parsed, place: str) -> dict[str, Any]:
    if not re.fullmatch(r"[A-Za-z0-9_]{1,128}", name) or not isinstance(values.get("enabled"), bool):
        raise InvalidInput(f"{quoted(place)}: the rule {quoted(name)} must say `enabled = true` or `enabled = false`")
    if not _is_plain(values):
        raise InvalidInput(f"{quoted(place)}: the options of the rule {quoted(name)} must be plain values")
    return dict(values)


def _is_plain(value: Any, depth: int = 0) -> bool:
    """Values alone: a template would be worked out by tflint."""
    if isinstance(value, Mapping):
        pairs = [*value.keys(), *value.values()]
        return depth < 8 and all(_is_plain(item, depth + 1) for item in pairs)
    if isinstance(value, list):
        return depth < 8 and all(_is_plain(item, depth + 1) for item in value)
    return not (isinstance(value, str) and ("${" in value or "%{" in value))


def _labelled(parsed: Parsed, kind: str, place: str) -> Iterator[tuple[str, Parsed]]:
    for block in _blocks(parsed.get(kind), place):
        for name, bodies in block.items():
            for body in _blocks(bodies, place):
                yield name, body


def _blocks(value: Any, place: str) -> list[Mapping[str, Any]]:
    found = value if isinstance(value, list) else [] if value is None else [value]
    if not all(isinstance(block, Mapping) for block in found):
        raise InvalidInput(f"{quoted(place)} does not hold settings of tflint as it should")
    return found


def _matches(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


_SOURCE = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*){2,4}")
_VERSION = re.compile(r"[0-9][0-9A-Za-z.+-]{0,40}")
