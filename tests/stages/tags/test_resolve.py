"""From a tag's name to a release, with real git."""

from __future__ import annotations

import pytest

from orchestrator.errors import DependencyError, InvalidInput, Refused
from orchestrator.model.rules.tag import Tag
from orchestrator.stages.context.tag_names import parsed, released
from orchestrator.stages.tags.resolve import resolve
from tests.support.git_project import RULES, GitProject

TAG = "dev_us-east-1/research/1.0"


def test_a_release_pins_tag_commit_and_rules(git_project: GitProject) -> None:
    commit = git_project.commit({"envs/dev.tfvars": "", "envs/dev/research.tfvars": ""})
    made = git_project.tag(TAG)
    rules_commit = git_project.commit({"later": "x"})
    release = resolve(git_project.open(), TAG, None)
    assert (str(release.tag), release.tag_object, release.commit) == (TAG, made, commit)
    assert release.rules_commit == rules_commit
    assert release.target.id == "research/dev-us-east-1"
    assert release.var_files == ("envs/dev.tfvars", "envs/dev/research.tfvars")


def test_the_tag_is_read_before_git_is_asked(git_project: GitProject) -> None:
    with pytest.raises(InvalidInput, match="is not a release tag"):
        resolve(git_project.open(), "--exec=touch x", None)


def test_a_missing_tag(git_project: GitProject) -> None:
    with pytest.raises(InvalidInput, match="there is no tag"):
        resolve(git_project.open(), TAG, None)


def test_a_tag_object_under_another_name_is_refused(git_project: GitProject) -> None:
    """A signed tag re-pointed at another ref still passes `git verify-tag`."""
    made = git_project.tag("dev_us-east-1/risk/1.0")
    git_project.git("update-ref", f"refs/tags/{TAG}", made)
    with pytest.raises(Refused, match=r"points to a tag object that calls itself dev_us-east-1/risk/1.0"):
        resolve(git_project.open(), TAG, None)


def test_the_inner_name_is_shown_safely(git_project: GitProject) -> None:
    text = (
        f"object {git_project.git('rev-parse', 'HEAD')}\ntype commit\ntag \x1b[31mevil\ntagger A <a@b> 1 +0000\n\nx\n"
    )
    made = git_project.git("hash-object", "-t", "tag", "-w", "--stdin", "--literally", input=text.encode())
    git_project.git("update-ref", f"refs/tags/{TAG}", made)
    with pytest.raises(Refused) as error:
        resolve(git_project.open(), TAG, None)
    assert error.value.message.isprintable()


def test_a_lightweight_tag_is_refused_unless_allowed(git_project: GitProject) -> None:
    git_project.git("tag", TAG)
    with pytest.raises(Refused, match="is a lightweight tag"):
        resolve(git_project.open(), TAG, None)
    git_project.commit({"envs/dev.yaml": RULES["envs/dev.yaml"] + "allow_lightweight_tags: true\n"})
    assert resolve(git_project.open(), TAG, None).tag_object == git_project.git("rev-parse", TAG)


@pytest.mark.parametrize(("name", "twin"), [(TAG, f"{TAG}.0"), (f"{TAG}.0", TAG), (f"{TAG}-rc.1", f"{TAG}.0-rc.1")])
def test_twins_are_refused(git_project: GitProject, name: str, twin: str) -> None:
    git_project.tag(name)
    assert resolve(git_project.open(), name, None)
    git_project.git("tag", twin)
    with pytest.raises(Refused, match="are the same version of one target"):
        resolve(git_project.open(), name, None)


def test_other_tags_are_no_twins(git_project: GitProject) -> None:
    for name in (TAG, "dev_us-east-1/risk/1.0", "dev_global/research/1.0", f"{TAG}-rc.1", "dev_us-east-1/research/x"):
        git_project.tag(name)
    assert resolve(git_project.open(), TAG, None)


def test_an_unmerged_commit_is_refused_unless_allowed(git_project: GitProject) -> None:
    git_project.git("checkout", "--quiet", "-b", "feature")
    git_project.commit({"new": "x"})
    git_project.tag(TAG)
    with pytest.raises(Refused, match="is not on the protected branch"):
        resolve(git_project.open(), TAG, None)
    assert resolve(git_project.open(), TAG, "feature")
    git_project.git("checkout", "--quiet", "main")
    git_project.commit({"envs/dev.yaml": RULES["envs/dev.yaml"] + "allow_unmerged_commits: true\n"})
    assert resolve(git_project.open(), TAG, None)


def test_rules_come_from_the_protected_branch_never_from_the_tagged_commit(git_project: GitProject) -> None:
    git_project.commit({"envs/dev.yaml": RULES["envs/dev.yaml"].replace("111111111111", "999999999999")})
    git_project.tag(TAG)
    git_project.commit({"envs/dev.yaml": RULES["envs/dev.yaml"]})
    assert resolve(git_project.open(), TAG, None).target.account == "111111111111"


def test_wrong_rules_of_the_tagged_commit_do_not_matter(git_project: GitProject) -> None:
    git_project.commit({"envs/dev.yaml": "rubbish", "envs/orchestrate.yaml": "more"})
    git_project.tag(TAG)
    git_project.commit(RULES)
    assert resolve(git_project.open(), TAG, None)


def test_a_commit_without_configuration_is_released_by_the_rules_of_the_protected_branch(
    git_project: GitProject,
) -> None:
    git_project.git("rm", "-r", "--quiet", "envs")
    git_project.commit()
    git_project.tag(TAG)
    with pytest.raises(InvalidInput, match=r"envs/orchestrate.yaml is not in commit .* \(the protected branch\)"):
        resolve(git_project.open(), TAG, None)
    git_project.commit(RULES)
    assert resolve(git_project.open(), TAG, None).var_files == ()


def test_a_commit_without_the_root(git_project: GitProject) -> None:
    git_project.git("rm", "-r", "--quiet", "modules")
    git_project.commit()
    git_project.tag(TAG)
    with pytest.raises(InvalidInput, match="has no folder modules/workload, the root configuration of team research"):
        resolve(git_project.open(), TAG, None)


def test_a_root_that_is_a_file(git_project: GitProject) -> None:
    git_project.git("rm", "-r", "--quiet", "modules")
    git_project.commit({"modules/workload": "x"})
    git_project.tag(TAG)
    with pytest.raises(InvalidInput, match="has no folder modules/workload"):
        resolve(git_project.open(), TAG, None)


def test_a_variable_file_that_is_a_symbolic_link_is_refused(git_project: GitProject) -> None:
    (git_project.folder / "envs/dev.tfvars").symlink_to("/etc/passwd")
    git_project.commit()
    git_project.tag(TAG)
    with pytest.raises(InvalidInput, match="is a symbolic link; write the variables out"):
        resolve(git_project.open(), TAG, None)


def test_a_shallow_clone_that_cannot_tell_is_an_error(git_project: GitProject) -> None:
    git_project.tag(TAG)
    git_project.commit({"new": "x"})
    clone = GitProject(git_project.folder.parent / "clone")
    git_project.git("clone", "--quiet", "--depth", "1", git_project.folder.as_uri(), str(clone.folder))
    clone.git("fetch", "--quiet", "--depth", "1", "origin", f"refs/tags/{TAG}:refs/tags/{TAG}")
    with pytest.raises(DependencyError, match="git fetch --unshallow --tags"):
        resolve(clone.open(), TAG, None)


def test_release_tags_of_a_target(git_project: GitProject) -> None:
    for name in (TAG, "dev_us-east-1/research/1.10", "dev_us-east-1/research/latest", "dev_us-east-1/risk/1.0"):
        git_project.tag(name)
    found = released(git_project.open(), Tag.parse(TAG))
    assert sorted(name for name, _ in found) == [TAG, "dev_us-east-1/research/1.10"]
    assert parsed("latest") is None
