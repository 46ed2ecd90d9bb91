"""Plugins of tflint: found where people keep them, else fetched by `tflint --init`, which checks their signatures."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.effects.system import process
from orchestrator.effects.system.cache import cache_folder
from orchestrator.effects.tools.private import private_folder
from orchestrator.errors import DependencyError
from orchestrator.model.checks.finding import masked, printable
from orchestrator.model.checks.tflint_config import (
    AWS_BY_HAND,
    AWS_RULESET,
    GENERATED,
    Plugin,
    TflintConfig,
    init_config,
)
from orchestrator.model.tools.tool import Tool

_INIT_SECONDS = 300
_ASK_AGAIN_SECONDS = 24 * 3600
_FORWARDED = ("PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


@dataclass(frozen=True)
class Plugins:
    """Looks for plugins, and installs them into the cache folder."""

    tool: Tool
    env: Mapping[str, str]

    @property
    def own(self) -> Path:
        return cache_folder(self.env) / "tflint-plugins"

    def folders(self) -> Iterator[Path]:
        """tflint's own places, but never one in the checked repository; then ours."""
        if self.env.get("TFLINT_PLUGIN_DIR"):
            yield Path(self.env["TFLINT_PLUGIN_DIR"]).absolute()
        if self.env.get("HOME"):
            yield Path(self.env["HOME"]) / ".tflint.d" / "plugins"
        yield self.own

    def holding(self, plugins: Iterable[Plugin]) -> Path | None:
        """The first folder that holds them all."""
        wanted = list(plugins)
        return next((f for f in self.folders() if all(os.access(f / p.path, os.X_OK) for p in wanted)), None)

    def provide(self, configs: Iterable[TflintConfig]) -> Path:
        """The folder with all plugins that these settings ask for; raises DependencyError where there is none."""
        configs = list(configs)
        wanted = {plugin for config in configs for plugin in config.plugins}
        held = self.holding(wanted)
        if held is not None:
            return held
        self._init([plugin for plugin in wanted if self.holding([plugin]) is None])
        held = self.holding(wanted)
        if held is None:
            names = ", ".join(sorted(f"{plugin.name} {plugin.version or ''}".strip() for plugin in wanted))
            raise DependencyError(
                f"no one folder of tflint's plugins holds all that the settings ask for: {names}",
                hint="Put them into one folder and name it with TFLINT_PLUGIN_DIR.",
            )
        return held

    def aws(self) -> tuple[Plugin | None, str]:
        """The AWS ruleset to use where the repository has no settings; else None, and why it cannot be had.

        A failure is remembered for a day: a network that cannot reach the releases would slow every check.
        """
        for plugin in (AWS_RULESET, AWS_BY_HAND):
            if self.holding([plugin]) is not None:
                return plugin, ""
        mark = self.own / ".aws-unavailable"
        if mark.is_file() and time.time() - mark.stat().st_mtime < _ASK_AGAIN_SECONDS:
            return None, mark.read_text("utf-8", errors="replace")
        try:
            self._init([AWS_RULESET])
        except DependencyError as failure:
            mark.write_text(failure.message, "utf-8", errors="replace")
            return None, failure.message
        return (AWS_RULESET, "") if self.holding([AWS_RULESET]) else (None, "tflint --init did not install it")

    def _init(self, plugins: Iterable[Plugin]) -> None:
        """Installs plugins of tflint's own project; a repository cannot make us fetch and run anybody else's."""
        plugins = sorted(plugins, key=lambda plugin: plugin.name)
        strange = [plugin.name for plugin in plugins if not (plugin.source or "").startswith(_OFFICIAL)]
        if strange:
            raise DependencyError(f"tflint's plugin {strange[0]} is not installed", hint=_BY_HAND)
        private_folder(self.own)
        tokens = {name: value for name, value in self.env.items() if name.startswith("GITHUB_TOKEN")}
        kept = {name: self.env[name] for name in self.env if name.upper() in _FORWARDED}
        with tempfile.TemporaryDirectory(prefix="orchestrate-") as folder:
            Path(folder, GENERATED).write_bytes(init_config(tuple(plugins)))
            env = {**kept, **tokens, "HOME": folder, "TFLINT_PLUGIN_DIR": str(self.own), "NO_COLOR": "1"}
            done = process.run([self.tool.path, "--init"], cwd=Path(folder), env=env, timeout=_INIT_SECONDS)
        if done.returncode != 0:
            reason = printable(masked(" ".join((done.stderr or done.stdout).split())), 400)
            names = ", ".join(f"{plugin.name} {plugin.version}" for plugin in plugins)
            raise DependencyError(f"`tflint --init` cannot install {names}: {reason}", hint=_BY_HAND)


_OFFICIAL = "github.com/terraform-linters/tflint-ruleset-"
_BY_HAND = (
    "Install it with `tflint --init` on a machine that reaches its releases and copy the folder ~/.tflint.d/plugins "
    "here, or name one with TFLINT_PLUGIN_DIR."
)


def identities(folder: Path, plugins: Iterable[Plugin]) -> dict[str, str]:
    """SHA-256 of each plugin's program: what was found depends on it."""
    return {plugin.path: _digest(folder / plugin.path) for plugin in plugins}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
