"""Lint: is the code well formed, valid, and what tflint's rules want?"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from orchestrator.effects.checks.tflint_plugins import Plugins, identities
from orchestrator.effects.checks.tool import ScratchDir
from orchestrator.effects.system.cache import cache_folder
from orchestrator.effects.tools.find import find
from orchestrator.errors import DependencyError
from orchestrator.model.checks.check import CheckReport, FindingFilter, Observed
from orchestrator.model.checks.coverage import LOCK_FILE, Coverage
from orchestrator.model.checks.tflint_config import TflintConfig, default_config, nearest
from orchestrator.model.text.canonical import sha256
from orchestrator.model.tools.tool import Tool
from orchestrator.stages.checks.subject import CheckContext, CheckTarget, ResultKey, content_digests, source_digest

if TYPE_CHECKING:
    from orchestrator.effects.checks.terraform_lint import TerraformLint
    from orchestrator.effects.git.repository import Repository
    from orchestrator.model.release.release import Release


def lint(release: Release, repository: Repository, progress: Callable[[str], None]) -> CheckReport:
    """Lints a release: `terraform fmt` and `validate`, and tflint over its root and local modules.

    Raises DependencyError where a tool is missing or did not do its work.
    """
    return lint_subject(CheckTarget.of_release(release, repository), CheckContext.of_release(release, progress))


def lint_subject(subject: CheckTarget, ctx: CheckContext) -> CheckReport:
    terraform = find(subject.terraform.program, env=ctx.env)
    tflint = find("tflint", env=ctx.env)
    whole = subject.coverage(var_files=True)
    source = source_digest(subject, whole)
    linting = _Linting(subject, ctx, terraform, tflint)
    observed, cached = linting.observed(subject.coverage(var_files=False))
    variables, cached_too = linting.observed_variables(whole, source)
    judge = FindingFilter.of_lint(subject.settings.lint, subject.settings_file)
    findings = judge.verdict([*observed.findings, *variables.findings], subject.baseline, ctx.today)
    return CheckReport(
        check="lint",
        passed=not any(finding.state == "failing" for finding in findings),
        source=source,
        findings=findings,
        tools={terraform.name: terraform.version, tflint.name: tflint.version},
        cached=cached and cached_too,
        notes=observed.notes,
        root=subject.shown_root,
        settings=subject.settings_file,
    )


class _Linting:
    """One lint of one subject."""

    def __init__(self, subject: CheckTarget, ctx: CheckContext, terraform: Tool, tflint: Tool) -> None:
        self.subject, self.at = subject, ctx
        self.terraform, self.tflint = terraform, tflint
        self.plugins = Plugins(tflint, ctx.env)

    def observed(self, coverage: Coverage) -> tuple[Observed, bool]:
        """Of the root and its modules: what targets with other variable files share."""
        configs, notes = self._configs(coverage)
        folder = self.plugins.provide(configs.values())
        wanted = {plugin for config in configs.values() for plugin in config.plugins}
        settings = {
            "tflint": content_digests(
                {module: config.name.encode() + config.content for module, config in configs.items()}
            ),
            "plugins": identities(folder, wanted),
            "root": self.subject.root,
            "unlocked": self._unlocked(coverage),
        }
        key = ResultKey.of("lint", source_digest(self.subject, coverage), (self.terraform, self.tflint), settings)
        return self.at.observed(key, partial(self._observe, coverage, configs, notes))

    def _observe(self, coverage: Coverage, configs: Mapping[str, TflintConfig], notes: tuple[str, ...]) -> Observed:
        from orchestrator.effects.checks.tflint import Tflint

        self.at.progress(f"lint: {self.subject.shown_root or '.'} and {len(coverage.modules) - 1} local modules")
        with self.at.scratch_dir(self.subject, coverage) as scratch_dir:
            terraform = self._terraform(scratch_dir)
            unformatted = terraform.unformatted()
            invalid = terraform.invalid(self.subject.root)
            folder = self.plugins.provide(configs.values())
            issues = Tflint(self.tflint, scratch_dir, folder).findings(configs)
        known = {(finding.file, finding.rule) for finding in invalid if finding.severity == "error"}
        files = {file for file, _ in known}
        unformatted = [f for f in unformatted if f.rule != "terraform_syntax" or f.file not in files]
        return Observed((*unformatted, *invalid, *issues), notes)

    def observed_variables(self, whole: Coverage, source: str) -> tuple[Observed, bool]:
        """Of the target's variable files: their format."""
        files = {path: origin for path, origin in whole.files.items() if path in self.subject.var_files}
        if not files:
            return Observed(()), True
        coverage = Coverage(files, {}, ())
        key = ResultKey.of("lint variables", source_digest(self.subject, coverage), (self.terraform,), {})
        return self.at.observed(key, partial(self._observe_variables, coverage))

    def _observe_variables(self, coverage: Coverage) -> Observed:
        with self.at.scratch_dir(self.subject, coverage) as scratch_dir:
            return Observed(tuple(self._terraform(scratch_dir).unformatted()))

    def _terraform(self, scratch_dir: ScratchDir) -> TerraformLint:
        from orchestrator.effects.checks.terraform_lint import TerraformLint

        lock_file = scratch_dir.tree / self.subject.root / LOCK_FILE
        locked = lock_file.read_bytes() if lock_file.is_file() else b""
        name = sha256(locked + os.fsencode(f"{self.subject.root}\0{self.terraform.name}"))[:16]
        return TerraformLint(
            self.terraform, scratch_dir, self.subject.terraform, cache_folder(self.at.env) / "lint" / name
        )

    def _unlocked(self, coverage: Coverage) -> str:
        """Without a lock file the newest providers are taken, so what was found holds for a day at most."""
        path = f"{self.subject.root}/{LOCK_FILE}" if self.subject.root else LOCK_FILE
        return "" if path in coverage.files else self.at.today.isoformat()

    def _configs(self, coverage: Coverage) -> tuple[dict[str, TflintConfig], tuple[str, ...]]:
        """tflint's settings for each folder, and what there is to say about them."""
        configs: dict[str, TflintConfig] = {}
        notes: tuple[str, ...] = ()
        fallback: TflintConfig | None = None
        for module in coverage.modules:
            own = nearest(module, self.subject.rule_file)
            if own is not None:
                own.check()
            elif fallback is None:
                fallback, notes = self._default()
            configs[module] = own or fallback or default_config(None)
        return configs, notes

    def _default(self) -> tuple[TflintConfig, tuple[str, ...]]:
        plugin, reason = self.plugins.aws()
        if plugin is not None:
            return default_config(plugin), ()
        note = f"tflint's AWS ruleset cannot be had, so AWS-specific rules were not checked: {reason[:300]}"
        if self.subject.settings.lint.aws_ruleset == "required":
            raise DependencyError(
                note, hint="checks.lint.aws_ruleset requires it; docs/checks.md says how to install it."
            )
        return default_config(None), (note,)
