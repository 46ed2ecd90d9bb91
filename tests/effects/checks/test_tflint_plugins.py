"""Plugins of tflint: found where people keep them, installed by `tflint --init`, and never out of a repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestrator.effects.checks.tflint_plugins import Plugins, identities
from orchestrator.errors import DependencyError
from orchestrator.model.checks.tflint_config import AWS_BY_HAND, AWS_RULESET, Plugin, TflintConfig
from orchestrator.model.tools.tool import Tool

GOOGLE = Plugin("google", "github.com/terraform-linters/tflint-ruleset-google", "0.30.0")
STRANGE = Plugin("acme", "github.com/acme/tflint-ruleset-acme", "1.0.0")


def lay(folder: Path, plugin: Plugin) -> None:
    (folder / plugin.path).parent.mkdir(parents=True, exist_ok=True)
    (folder / plugin.path).write_text(plugin.name)
    (folder / plugin.path).chmod(0o755)


def asking(*plugins: Plugin) -> list[TflintConfig]:
    return [TflintConfig(b"{}", plugins)]


@pytest.fixture
def plugins(tmp_path: Path) -> Plugins:
    """With a tflint whose --init notes that it was called, and fails unless `init` holds what it is to do."""
    program = tmp_path / "tflint"
    program.write_text(
        f'#!/bin/sh\necho "$*" >> {tmp_path}/called\ncat .tflint.json >> {tmp_path}/asked\n. {tmp_path}/init\n'
    )
    program.chmod(0o755)
    (tmp_path / "init").write_text("echo 'no route to host' >&2; exit 1\n")
    env = {"HOME": str(tmp_path / "home"), "ORCHESTRATE_CACHE": str(tmp_path / "cache"), "PATH": os.environ["PATH"]}
    return Plugins(Tool("tflint", "0.64.0", program, "PATH"), env)


def installs(tmp_path: Path, plugin: Plugin) -> None:
    place = f'"$TFLINT_PLUGIN_DIR/{plugin.path}"'
    (tmp_path / "init").write_text(f"mkdir -p $(dirname {place}); echo x > {place}; chmod 755 {place}\n")


def test_plugins_are_found_in_tflints_own_folders(plugins: Plugins, tmp_path: Path) -> None:
    lay(tmp_path / "home/.tflint.d/plugins", GOOGLE)

    assert plugins.provide(asking(GOOGLE)) == tmp_path / "home/.tflint.d/plugins"
    assert not (tmp_path / "called").exists()


def test_a_folder_that_the_environment_names_goes_first(plugins: Plugins, tmp_path: Path) -> None:
    lay(tmp_path / "named", GOOGLE)
    named = Plugins(plugins.tool, {**plugins.env, "TFLINT_PLUGIN_DIR": str(tmp_path / "named")})

    assert named.provide(asking(GOOGLE)) == tmp_path / "named"


def test_a_missing_plugin_of_tflints_own_project_is_installed(plugins: Plugins, tmp_path: Path) -> None:
    installs(tmp_path, GOOGLE)

    assert plugins.provide(asking(GOOGLE)) == tmp_path / "cache/tflint-plugins"
    assert (tmp_path / "called").read_text() == "--init\n"
    assert "signature" not in (tmp_path / "asked").read_text()


def test_a_plugin_of_anybody_else_is_never_fetched(plugins: Plugins, tmp_path: Path) -> None:
    with pytest.raises(DependencyError, match="plugin acme is not installed"):
        plugins.provide(asking(STRANGE))

    assert not (tmp_path / "called").exists()


def test_a_failed_installation_is_an_error(plugins: Plugins) -> None:
    with pytest.raises(DependencyError, match=r"cannot install google 0\.30\.0: no route to host"):
        plugins.provide(asking(GOOGLE))


def test_an_installation_that_installs_nothing_is_an_error(plugins: Plugins, tmp_path: Path) -> None:
    (tmp_path / "init").write_text("exit 0\n")

    with pytest.raises(DependencyError, match="no one folder"):
        plugins.provide(asking(GOOGLE))


def test_all_plugins_must_stand_in_one_folder(plugins: Plugins, tmp_path: Path) -> None:
    lay(tmp_path / "home/.tflint.d/plugins", STRANGE)
    installs(tmp_path, GOOGLE)

    with pytest.raises(DependencyError, match="no one folder"):
        plugins.provide(asking(GOOGLE, STRANGE))


def test_the_aws_ruleset_is_used_where_it_is_installed_or_can_be(plugins: Plugins, tmp_path: Path) -> None:
    installs(tmp_path, AWS_RULESET)
    assert plugins.aws() == (AWS_RULESET, "")

    lay(tmp_path / "home/.tflint.d/plugins", AWS_BY_HAND)
    (tmp_path / "cache/tflint-plugins" / AWS_RULESET.path).unlink()
    assert plugins.aws() == (AWS_BY_HAND, "")


def test_that_the_aws_ruleset_cannot_be_had_is_remembered_for_a_day(plugins: Plugins, tmp_path: Path) -> None:
    plugin, reason = plugins.aws()
    assert plugin is None
    assert "no route to host" in reason

    assert plugins.aws() == (None, reason)
    assert (tmp_path / "called").read_text() == "--init\n"

    mark = tmp_path / "cache/tflint-plugins/.aws-unavailable"
    os.utime(mark, (0, 0))
    installs(tmp_path, AWS_RULESET)
    assert plugins.aws() == (AWS_RULESET, "")


def test_what_was_found_depends_on_the_very_program(plugins: Plugins, tmp_path: Path) -> None:
    lay(tmp_path, GOOGLE)
    before = identities(tmp_path, [GOOGLE])
    (tmp_path / GOOGLE.path).write_text("another")

    assert identities(tmp_path, [GOOGLE]) != before
