"""A workspace on a machine that others use as well."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.effects.terraform.workspace import opened, workspaces
from orchestrator.errors import DependencyError


@pytest.mark.parametrize("name", ["project", "project/env/team/scope", "project/env/team/scope/run"])
def test_a_link_on_the_way_to_it_deletes_nothing(tmp_path: Path, name: str) -> None:
    """As a planner leaves it who wants the deployer to delete a folder of the deployer's own."""
    mine = tmp_path / "mine"
    (mine / "env/team/scope/source").mkdir(parents=True)
    (mine / "source").mkdir()
    link = tmp_path / "workspaces" / name
    link.parent.mkdir(parents=True)
    link.symlink_to(mine)

    with pytest.raises(DependencyError, match="is a link"), opened(tmp_path / "workspaces/project/env/team/scope"):
        pytest.fail("it was opened")

    assert (mine / "source").is_dir()
    assert (mine / "env/team/scope/source").is_dir()


@pytest.mark.parametrize("name", ["source", "data"])
def test_a_link_in_it_is_not_taken_for_a_folder_of_ours(tmp_path: Path, name: str) -> None:
    mine = tmp_path / "mine"
    (mine / "modules").mkdir(parents=True)
    with opened(tmp_path / "w/p/e/t/s") as workspace:
        (workspace.path / name).symlink_to(mine)

    with pytest.raises(DependencyError, match="is not a folder of yours"), opened(tmp_path / "w/p/e/t/s"):
        pytest.fail("it was opened")
    assert (mine / "modules").is_dir()


def test_the_lock_is_not_written_through_a_link(tmp_path: Path) -> None:
    with opened(tmp_path / "w/p/e/t/s") as workspace:
        (workspace.path / "lock").unlink()
        (workspace.path / "lock").symlink_to(tmp_path / "victim")
    (tmp_path / "victim").write_text("mine")

    with pytest.raises(OSError, match=r"symbolic link|Too many levels"), opened(tmp_path / "w/p/e/t/s"):
        pytest.fail("it was opened")
    assert (tmp_path / "victim").read_text() == "mine"


def test_links_of_our_own_setting_are_resolved_before(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")

    assert workspaces({"ORCHESTRATE_WORKSPACES": str(tmp_path / "link")}) == tmp_path / "real"
    assert workspaces({"ORCHESTRATE_CACHE": str(tmp_path / "link")}) == tmp_path / "real/workspaces"
