"""What of a working tree is checked, before any tool is started."""

from __future__ import annotations

import pytest

from orchestrator.errors import InvalidInput
from orchestrator.stages.checks.check import Worktree
from orchestrator.stages.tags.resolve import resolve
from tests.support.git_project import GitProject


def test_a_variable_file_that_is_a_link_is_refused_as_it_is_at_a_tag(git_project: GitProject) -> None:
    """Git keeps where it leads, and a release holds no more than that."""
    git_project.write({"shared.tfvars": "x = 1\n"})
    (git_project.folder / "envs/dev.tfvars").symlink_to("../shared.tfvars")
    with pytest.raises(InvalidInput, match=r"envs/dev\.tfvars is a symbolic link; write the variables out"):
        Worktree.around(git_project.folder).everything()
    git_project.commit()
    git_project.tag("dev_us-east-1/research/1.0")
    with pytest.raises(InvalidInput, match=r"envs/dev\.tfvars of commit \w+ is a symbolic link; write the"):
        resolve(git_project.open(), "dev_us-east-1/research/1.0", None)
