"""tflint as a scanner: its rules, with the repository's own settings or the default ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from orchestrator.effects.checks.tflint_plugins import Plugins, identities
from orchestrator.effects.checks.tool import ScratchDir
from orchestrator.effects.tools.find import find
from orchestrator.errors import DependencyError
from orchestrator.model.checks.check import Observed
from orchestrator.model.checks.coverage import Coverage
from orchestrator.model.checks.tflint_config import BLOCKS, TflintConfig, default_config, nearest, taken_over
from orchestrator.model.tools.tool import Tool
from orchestrator.stages.checks.subject import CheckContext, CheckTarget, content_digests


@dataclass(frozen=True)
class TflintScanner:
    """Every module is linted with the settings that are nearest to it."""

    subject: CheckTarget
    ctx: CheckContext
    name = "tflint"

    @cached_property
    def tool(self) -> Tool:
        return find(self.name, env=self.ctx.env)

    @cached_property
    def coverage(self) -> Coverage:
        return self.subject.coverage(var_files=False)

    @property
    def depends_on(self) -> Mapping[str, Any]:
        configs, _ = self._configs
        wanted = {plugin for config in configs.values() for plugin in config.plugins}
        return {
            "tflint": content_digests({module: config.content for module, config in configs.items()}),
            "plugins": identities(self._folder, wanted),
        }

    def look(self, scratch_dir: ScratchDir) -> Observed:
        from orchestrator.effects.checks.tflint import Tflint

        configs, notes = self._configs
        return Observed(tuple(Tflint(self.tool, scratch_dir, self._folder).findings(configs)), notes)

    @cached_property
    def _plugins(self) -> Plugins:
        return Plugins(self.tool, self.ctx.env)

    @cached_property
    def _folder(self) -> Path:
        return self._plugins.provide(self._configs[0].values())

    @cached_property
    def _configs(self) -> tuple[dict[str, TflintConfig], tuple[str, ...]]:
        """tflint's settings for each folder, and what there is to say about them."""
        configs: dict[str, TflintConfig] = {}
        notes: tuple[str, ...] = ()
        fallback: TflintConfig | None = None
        for module in self.coverage.modules:
            own = self._own_config(module)
            if own is None and fallback is None:
                fallback, notes = self._default()
            configs[module] = own or fallback or default_config(None)
        return configs, notes

    def _own_config(self, module: str) -> TflintConfig | None:
        """Generated from the repository's own settings, where it has any."""
        from orchestrator.effects.terraform.hcl import parse

        found = nearest(module, self.subject.rule_file)
        if found is None:
            return None
        place, content = found
        return taken_over(parse(content, BLOCKS, told=place), place)

    def _default(self) -> tuple[TflintConfig, tuple[str, ...]]:
        plugin, reason = self._plugins.aws()
        if plugin is not None:
            return default_config(plugin), ()
        note = f"tflint's AWS ruleset cannot be had, so AWS-specific rules were not checked: {reason[:300]}"
        if self.subject.settings.lint.aws_ruleset == "required":
            raise DependencyError(
                note, hint="checks.lint.aws_ruleset requires it; docs/checks.md says how to install it."
            )
        return default_config(None), (note,)
