"""The repository, with real git."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.effects.git.command import GitCommand
from orchestrator.effects.git.repository import Repository, find_project, project_folder, read_worktree_rules
from orchestrator.errors import DependencyError, InvalidInput
from tests.support.git_project import RULES, GitProject

TAG = "dev_us-east-1/research/1.0"


def raw_tag(project: GitProject, *, object_id: str, kind: str = "commit", name: str = TAG, ref: str = TAG) -> str:
    """A tag object written by hand, and a ref of any name to it; git's porcelain refuses some of these."""
    text = f"object {object_id}\ntype {kind}\ntag {name}\ntagger A <a@example.com> 1700000000 +0000\n\nmessage\n"
    made = project.git("hash-object", "-t", "tag", "-w", "--stdin", "--literally", input=text.encode())
    project.git("update-ref", f"refs/tags/{ref}", made)
    return made


# Tags -----------------------------------------------------------------------------------------------------------------


def test_an_annotated_tag(git_project: GitProject) -> None:
    made = git_project.tag(TAG)
    found = git_project.open().tag(TAG)
    assert (found.name, found.object, found.commit) == (TAG, made, git_project.git("rev-parse", "HEAD"))
    assert (found.annotated, found.inner_name) == (True, TAG)
    assert (found.tagger or "").startswith("A Person <person@example.com>")


def test_a_lightweight_tag(git_project: GitProject) -> None:
    git_project.git("tag", TAG)
    found = git_project.open().tag(TAG)
    assert (found.annotated, found.inner_name, found.tagger) == (False, None, None)
    assert found.object == found.commit == git_project.git("rev-parse", "HEAD")


def test_a_branch_of_the_same_name_does_not_shadow_the_tag(git_project: GitProject) -> None:
    first = git_project.git("rev-parse", "HEAD")
    git_project.tag(TAG)
    git_project.commit({"new": "x"})
    git_project.git("branch", TAG)
    assert git_project.open().tag(TAG).commit == first


@pytest.mark.parametrize("prefix", ["refs/heads/", "refs/", "refs/tags/", "refs/heads/refs/tags/", "refs/remotes/"])
def test_no_other_ref_stands_in_for_a_missing_tag(git_project: GitProject, prefix: str) -> None:
    """`git rev-parse refs/tags/x` also finds refs/heads/refs/tags/x, refs/refs/tags/x and more."""
    for shadow in (f"{prefix}{TAG}", f"{prefix}refs/tags/{TAG}"):
        if shadow != f"refs/tags/{TAG}":
            git_project.git("update-ref", shadow, "HEAD")
    with pytest.raises(InvalidInput, match=f"there is no tag '{TAG}'"):
        git_project.open().tag(TAG)


def test_a_missing_tag_of_which_only_a_branch_exists_says_so(git_project: GitProject) -> None:
    git_project.git("branch", TAG)
    with pytest.raises(InvalidInput, match="only a branch of that name"):
        git_project.open().tag(TAG)


def test_a_missing_tag_names_the_nearest(git_project: GitProject) -> None:
    git_project.tag(TAG)
    with pytest.raises(InvalidInput) as error:
        git_project.open().tag("dev_us-east-1/research/1.1")
    assert f"Did you mean {TAG}? `git fetch --tags` brings new ones" in str(error.value)


def test_a_tag_named_like_a_branch_is_not_the_branch(git_project: GitProject) -> None:
    first = git_project.git("rev-parse", "HEAD")
    git_project.git("tag", "main")
    second = git_project.commit({"new": "x"})
    repository = git_project.open()
    assert repository.commit("main") == second
    assert repository.rules_commit(None) == second
    assert repository.tag("main").commit == first


def test_a_moved_tag_is_seen_by_the_next_look(git_project: GitProject) -> None:
    first = git_project.tag(TAG)
    repository = git_project.open()
    assert repository.tag(TAG).object == first
    second = git_project.commit({"new": "x"})
    git_project.git("tag", "--force", "--annotate", "--message", "moved", TAG)
    assert repository.tag(TAG).commit == second
    assert repository.tag(TAG).object != first


def test_a_tag_object_under_another_name_keeps_its_own_name(git_project: GitProject) -> None:
    made = git_project.tag("dev_us-east-1/research/0.9")
    git_project.git("update-ref", f"refs/tags/{TAG}", made)
    assert git_project.open().tag(TAG).inner_name == "dev_us-east-1/research/0.9"


def test_the_first_of_two_names_in_a_tag_object_counts_as_it_does_to_git(git_project: GitProject) -> None:
    raw_tag(git_project, object_id=git_project.git("rev-parse", "HEAD"), name=f"other\ntag {TAG}")
    assert git_project.open().tag(TAG).inner_name == "other"


def test_a_tag_of_a_tag_leads_to_the_commit(git_project: GitProject) -> None:
    inner = git_project.tag("inner")
    outer = raw_tag(git_project, object_id=inner, kind="tag")
    found = git_project.open().tag(TAG)
    assert (found.object, found.commit) == (outer, git_project.git("rev-parse", "HEAD"))
    assert found.inner_name == TAG


@pytest.mark.parametrize("what", ["HEAD:modules/workload/main.tf", "HEAD^{tree}"])
@pytest.mark.parametrize("annotated", [True, False])
def test_a_tag_on_something_else_than_a_commit_is_refused(git_project: GitProject, what: str, annotated: bool) -> None:
    git_project.git("tag", *(["--annotate", "--message", "x"] if annotated else []), TAG, what)
    with pytest.raises(InvalidInput, match="does not point to a commit"):
        git_project.open().tag(TAG)


def test_a_tag_on_a_missing_object_is_refused(git_project: GitProject) -> None:
    raw_tag(git_project, object_id="1" * 40)
    with pytest.raises(InvalidInput, match="does not point to a commit"):
        git_project.open().tag(TAG)


@pytest.mark.parametrize(
    "name", ["x\0y", "x\ny", "", "*", "dev_*", "--all", "a b", "x^{commit}", "main~1", "@{-1}", "x" * 9000]
)
def test_strange_names_are_missing_tags(git_project: GitProject, name: str) -> None:
    git_project.git("tag", "x")
    with pytest.raises(InvalidInput, match="there is no tag"):
        git_project.open().tag(name)


def test_names_that_git_tag_refuses_and_update_ref_makes(git_project: GitProject) -> None:
    """`git tag` refuses `-x`; `git update-ref` makes it."""
    git_project.git("update-ref", "refs/tags/-x", "HEAD")
    git_project.git("update-ref", "refs/tags/dev_us-east-1/\u2028/é", "HEAD")
    repository = git_project.open()
    assert repository.tag("-x").commit == git_project.git("rev-parse", "HEAD")
    assert repository.tag_names("dev_us-east-1") == ["dev_us-east-1/\u2028/é"]
    with pytest.raises(InvalidInput) as error:
        repository.tag(TAG)
    assert error.value.message.isprintable()
    assert (error.value.hint or "").isascii()


def test_tag_names_match_patterns(git_project: GitProject) -> None:
    for name in (TAG, "dev_us-east-1/research/1.1", "dev_us-east-1/risk/1.0", "dev_global/research/1.0"):
        git_project.git("tag", name)
    git_project.git("pack-refs", "--all")
    repository = git_project.open()
    assert repository.tag_names("dev_us-east-1/research/*") == [TAG, "dev_us-east-1/research/1.1"]
    assert len(repository.tag_names("dev_us-east-1", "dev_global")) == 4
    assert repository.tag_names("qa_global/*") == []


@pytest.mark.parametrize("blocking", ["dev_us-east-1", "dev_us-east-1/research", f"{TAG}/x"])
def test_tags_that_stand_in_the_way(git_project: GitProject, blocking: str) -> None:
    git_project.git("tag", "dev_us-east-10")
    git_project.git("tag", blocking)
    assert git_project.open().blocking_tags(TAG) == [blocking]


def test_created_tags_are_annotated(git_project: GitProject) -> None:
    repository, commit = git_project.open(), git_project.git("rev-parse", "HEAD")
    repository.create_tag(TAG, commit, "# a heading\nand -m more", sign=False)
    assert repository.tag(TAG).annotated
    assert repository.tag(TAG).commit == commit
    with pytest.raises(DependencyError, match=r"reference already exists"):
        repository.create_tag(TAG, commit, "again", sign=False)


def test_a_tag_without_an_author_says_what_to_set(git_project: GitProject, monkeypatch: pytest.MonkeyPatch) -> None:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.delenv(f"GIT_{role}_NAME")
        monkeypatch.delenv(f"GIT_{role}_EMAIL")
    git_project.git("config", "user.useConfigOnly", "true")
    with pytest.raises(DependencyError, match=r"git config user.name"):
        git_project.open().create_tag(TAG, git_project.git("rev-parse", "HEAD"), "x", sign=False)


def test_a_tag_is_deleted_only_while_it_is_the_same(git_project: GitProject) -> None:
    made = git_project.tag(TAG)
    git_project.commit({"new": "x"})
    git_project.git("tag", "--force", "--annotate", "--message", "moved", TAG)
    with pytest.raises(DependencyError):
        git_project.open().delete_tag(TAG, made)
    git_project.open().delete_tag(TAG, git_project.git("rev-parse", f"refs/tags/{TAG}"))
    assert git_project.open().tag_names("dev_us-east-1") == []


# Where the repository is ----------------------------------------------------------------------------------------------


def test_no_repository(tmp_path: Path) -> None:
    with pytest.raises(DependencyError, match="is not in a git repository") as error:
        Repository.open(tmp_path)
    assert "--repo" in (error.value.hint or "")


@pytest.mark.parametrize("start", ["file", "missing/folder", "x" * 5000])
def test_a_start_that_is_no_folder(tmp_path: Path, start: str) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(DependencyError):
        Repository.open(tmp_path / start)


def test_a_broken_git_folder(git_project: GitProject) -> None:
    (git_project.folder / ".git" / "HEAD").write_text("rubbish")
    with pytest.raises(DependencyError):
        git_project.open().rules_commit(None)


def test_a_detached_head(git_project: GitProject) -> None:
    first = git_project.git("rev-parse", "HEAD")
    second = git_project.commit({"new": "x"})
    git_project.git("checkout", "--quiet", "--detach", first)
    repository = git_project.open()
    assert repository.commit("HEAD") == first
    assert repository.rules_commit(None) == second


def test_a_tag_called_head_is_not_head(git_project: GitProject) -> None:
    git_project.git("update-ref", "refs/tags/HEAD", "HEAD")
    git_project.git("checkout", "--quiet", "--orphan", "unborn")
    with pytest.raises(InvalidInput, match="there is no branch or commit 'HEAD'"):
        git_project.open().commit("HEAD")


def test_a_bare_repository(git_project: GitProject, tmp_path: Path) -> None:
    git_project.tag(TAG)
    bare = tmp_path / "bare.git"
    git_project.git("clone", "--quiet", "--bare", ".", str(bare))
    repository = Repository.open(bare)
    commit = repository.tag(TAG).commit
    assert repository.rules(repository.rules_commit(None)).environments["dev"]
    assert repository.ignored_or_untracked(commit, ["new"]) == []
    assert not repository.has_uncommitted_changes
    assert repository.folder == bare
    repository.export(commit, tmp_path / "out")
    assert (tmp_path / "out" / "modules/workload/main.tf").is_file()


def test_a_bare_repository_inside_a_project_is_meant_itself(git_project: GitProject) -> None:
    bare = git_project.folder / ".demo" / "origin.git"
    git_project.git("clone", "--quiet", "--bare", ".", str(bare))
    git_project.tag(TAG)
    with pytest.raises(InvalidInput, match="there is no tag"):
        Repository.open(bare).tag(TAG)


def nested(project: GitProject, *folders: str) -> None:
    """Moves the project into each of the folders of the repository."""
    for folder in folders:
        project.write({f"{folder}/{name}": text for name, text in RULES.items()})
    project.git("rm", "-r", "--quiet", "envs", "modules")
    project.commit({"README": "x"})


def test_a_project_in_a_folder_of_a_larger_repository(git_project: GitProject, tmp_path: Path) -> None:
    nested(git_project, "infra/aws")
    git_project.tag(TAG)
    for start in ("infra/aws", "infra/aws/modules/workload"):
        repository = Repository.open(git_project.folder / start)
        commit = repository.rules_commit(None)
        assert repository.folder == git_project.folder / "infra/aws"
        assert repository.in_project("modules/workload") == "infra/aws/modules/workload"
        assert repository.rules(commit).environments["dev"]
        assert repository.has_folder(commit, "modules/workload")
        assert repository.read(commit, "modules/workload/main.tf") == b"# the root\n"
    repository.export(commit, tmp_path / "out")
    assert (tmp_path / "out/infra/aws/modules/workload/main.tf").is_file()


def test_outside_its_folder_such_a_project_is_not_found(git_project: GitProject) -> None:
    nested(git_project, "infra/aws")
    repository = git_project.open()
    with pytest.raises(InvalidInput, match=r"envs/orchestrate.yaml is not in commit"):
        repository.rules(repository.rules_commit(None))


def test_a_bare_clone_of_such_a_repository_finds_the_project(git_project: GitProject, tmp_path: Path) -> None:
    nested(git_project, "infra/aws")
    git_project.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare.git"))
    repository = Repository.open(tmp_path / "bare.git")
    assert repository.rules(repository.rules_commit(None)).environments["dev"]
    assert repository.in_project("envs") == "infra/aws/envs"


def test_a_bare_clone_with_two_projects_is_refused(git_project: GitProject, tmp_path: Path) -> None:
    nested(git_project, "one", "two")
    git_project.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare.git"))
    repository = Repository.open(tmp_path / "bare.git")
    with pytest.raises(InvalidInput, match=r"several projects \(one, two\)"):
        repository.rules(repository.rules_commit(None))


def test_a_bare_clone_without_a_project(git_project: GitProject, tmp_path: Path) -> None:
    git_project.git("rm", "-r", "--quiet", "envs")
    git_project.commit()
    git_project.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare.git"))
    repository = Repository.open(tmp_path / "bare.git")
    with pytest.raises(InvalidInput, match=r"envs/orchestrate.yaml is not in commit"):
        repository.rules(repository.rules_commit(None))


def test_a_repository_in_a_repository_is_not_the_outer_project(git_project: GitProject) -> None:
    inner = GitProject(git_project.folder / "inner")
    inner.folder.mkdir()
    inner.git("init", "--quiet", "--initial-branch", "main")
    inner.commit({"file": "x"})
    assert find_project(inner.folder) is None
    assert Repository.open(inner.folder).folder == inner.folder
    with pytest.raises(InvalidInput, match=r"there is no envs/orchestrate.yaml in"):
        project_folder(inner.folder)


def test_a_linked_worktree(git_project: GitProject, tmp_path: Path) -> None:
    git_project.tag(TAG)
    git_project.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"))
    repository = Repository.open(tmp_path / "linked")
    assert repository.folder == tmp_path / "linked"
    commit = repository.tag(TAG).commit
    repository.export(commit, tmp_path / "out")
    assert (tmp_path / "out" / "envs/dev.yaml").read_text() == RULES["envs/dev.yaml"]


def test_a_path_through_a_symbolic_link(git_project: GitProject, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(git_project.folder / "modules")
    assert Repository.open(tmp_path / "link" / "workload").folder == git_project.folder


def test_a_folder_name_with_shell_characters(
    tmp_path: Path, git_identity: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "elsewhere")
    project = GitProject(tmp_path / "a $SECRET;b '\"\n%d é")
    project.folder.mkdir()
    project.git("init", "--quiet", "--initial-branch", "main")
    commit = project.commit(RULES)
    assert project.open().commit("main") == commit
    project.open().export(commit, tmp_path / "out $SECRET \n x")
    assert (tmp_path / "out $SECRET \n x" / "envs/dev.yaml").is_file()


def test_variables_that_a_hook_sets_do_not_lead_elsewhere(
    git_project: GitProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    git_project.git("init", "--quiet", str(other))
    git_project.tag(TAG)
    variables = {
        "GIT_DIR": str(other / ".git"),
        "GIT_WORK_TREE": str(other),
        "GIT_INDEX_FILE": str(other / "index"),
        "GIT_OBJECT_DIRECTORY": str(other / ".git/objects"),
        "GIT_COMMON_DIR": str(other / ".git"),
        "GIT_NAMESPACE": "other",
        "GIT_PREFIX": "x/",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.worktree",
        "GIT_CONFIG_VALUE_0": str(other),
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    repository = Repository.open(git_project.folder)
    repository.export(repository.tag(TAG).commit, tmp_path / "out")
    assert (tmp_path / "out" / "envs/dev.yaml").is_file()


def test_from_a_real_hook(git_project: GitProject, tmp_path: Path) -> None:
    """A post-receive hook of the bare origin asks for the tag that has just been pushed."""
    origin = tmp_path / "origin.git"
    git_project.git("clone", "--quiet", "--bare", ".", str(origin))
    hook = origin / "hooks" / "post-receive"
    code = (
        "from pathlib import Path\nfrom orchestrator.effects.git.repository import Repository\n"
        f"print(Repository.open(Path.cwd()).tag({TAG!r}).commit, file=open({str(tmp_path / 'seen')!r}, 'w'))\n"
    )
    (tmp_path / "hook.py").write_text(code)
    hook.write_text(f"#!/bin/sh\nexec {sys.executable} {tmp_path / 'hook.py'}\n")
    hook.chmod(0o755)
    git_project.tag(TAG)
    git_project.git("push", "--quiet", str(origin), f"refs/tags/{TAG}")
    assert (tmp_path / "seen").read_text().strip() == git_project.git("rev-parse", "HEAD")


# Commits --------------------------------------------------------------------------------------------------------------


def test_names_of_commits(git_project: GitProject) -> None:
    commit = git_project.git("rev-parse", "HEAD")
    git_project.git("update-ref", "refs/remotes/origin/trunk", "HEAD")
    repository = git_project.open()
    for name in ("main", "HEAD", commit, "refs/heads/main", "origin/trunk"):
        assert repository.commit(name) == commit


@pytest.mark.parametrize(
    "name",
    [
        "missing",
        "v1",
        "main~0",
        "main^{commit}",
        ":/A change",
        "",
        "-x",
        "main:envs",
        "0" * 40,
        "a" * 64,
        "m\0ain",
        "@",
    ],
)
def test_what_is_no_commit(git_project: GitProject, name: str) -> None:
    git_project.git("tag", "v1")
    with pytest.raises(InvalidInput, match="there is no branch or commit"):
        git_project.open().commit(name)


def test_an_object_id_must_be_a_commits(git_project: GitProject) -> None:
    for name in (git_project.tag("v1"), git_project.git("rev-parse", "HEAD^{tree}")):
        with pytest.raises(InvalidInput, match="there is no branch or commit"):
            git_project.open().commit(name)


def test_a_branch_called_like_a_commit_is_not_the_commit(git_project: GitProject) -> None:
    first = git_project.git("rev-parse", "HEAD")
    second = git_project.commit({"new": "x"})
    git_project.git("update-ref", f"refs/heads/{first}", second)
    git_project.git("update-ref", f"refs/heads/{'b' * 40}", second)
    assert git_project.open().commit(first) == first
    with pytest.raises(InvalidInput):
        git_project.open().commit("b" * 40)


def test_a_name_that_may_be_two_branches_is_refused(git_project: GitProject) -> None:
    git_project.git("update-ref", "refs/remotes/origin/main", "HEAD")
    git_project.commit({"new": "x"})
    git_project.git("update-ref", "refs/heads/origin/main", "HEAD")
    with pytest.raises(InvalidInput, match="may be any of refs/heads/origin/main, refs/remotes/origin/main"):
        git_project.open().commit("origin/main")
    assert git_project.open().commit("refs/remotes/origin/main")


def test_the_rules_come_from_origin_head_then_main(git_project: GitProject, tmp_path: Path) -> None:
    first = git_project.git("rev-parse", "HEAD")
    git_project.git("clone", "--quiet", ".", str(tmp_path / "clone"))
    clone = GitProject(tmp_path / "clone")
    second = clone.commit({"new": "x"})
    assert clone.open().rules_commit(None) == first
    assert clone.open().rules_commit("main") == second
    assert git_project.open().rules_commit(None) == first


def test_without_a_protected_branch_it_must_be_named(git_project: GitProject) -> None:
    git_project.git("branch", "--move", "trunk")
    with pytest.raises(InvalidInput, match="neither origin/HEAD nor a branch main") as error:
        git_project.open().rules_commit(None)
    assert "--rules-ref" in (error.value.hint or "")
    assert git_project.open().rules_commit("trunk") == git_project.git("rev-parse", "HEAD")


def test_ancestors(git_project: GitProject) -> None:
    first = git_project.git("rev-parse", "HEAD")
    second = git_project.commit({"new": "x"})
    repository = git_project.open()
    assert repository.is_ancestor(first, second)
    assert repository.is_ancestor(first, first)
    assert not repository.is_ancestor(second, first)
    with pytest.raises(DependencyError):
        repository.is_ancestor("0" * 40, first)


def test_replacement_objects_and_grafts_change_nothing(git_project: GitProject, tmp_path: Path) -> None:
    first = git_project.git("rev-parse", "HEAD")
    git_project.git("checkout", "--quiet", "--orphan", "evil")
    evil = git_project.commit({"modules/workload/main.tf": "# evil\n"})
    git_project.git("checkout", "--quiet", "main")
    git_project.git("replace", first, evil)
    (git_project.folder / ".git" / "info" / "grafts").write_text(f"{first} {evil}\n")
    repository = git_project.open()
    assert repository.read(first, "modules/workload/main.tf") == b"# the root\n"
    assert not repository.is_ancestor(evil, first)
    repository.export(first, tmp_path / "out")
    assert (tmp_path / "out/modules/workload/main.tf").read_text() == "# the root\n"


# Clones that lack something -------------------------------------------------------------------------------------------


@pytest.fixture
def shallow(git_project: GitProject, tmp_path: Path) -> tuple[GitProject, str]:
    """A clone of depth 1, and the commit before."""
    first = git_project.git("rev-parse", "HEAD")
    git_project.commit({"new": "x"})
    git_project.tag(TAG)
    git_project.git("clone", "--quiet", "--depth", "1", git_project.folder.as_uri(), str(tmp_path / "shallow"))
    return GitProject(tmp_path / "shallow"), first


def test_a_shallow_clone_works_where_it_reaches(shallow: tuple[GitProject, str], tmp_path: Path) -> None:
    clone, _ = shallow
    clone.git("fetch", "--quiet", "--depth", "1", "origin", f"refs/tags/{TAG}:refs/tags/{TAG}")
    repository = clone.open()
    assert repository.is_shallow
    commit = repository.tag(TAG).commit
    assert repository.is_ancestor(commit, repository.rules_commit(None))
    repository.export(commit, tmp_path / "out")
    assert (tmp_path / "out" / "new").is_file()


def test_what_a_shallow_clone_cannot_know_is_an_error_with_the_remedy(
    git_project: GitProject, shallow: tuple[GitProject, str]
) -> None:
    clone, first = shallow
    git_project.git("tag", "--annotate", "--message", "x", "old", first)
    clone.git("fetch", "--quiet", "--depth", "1", "origin", "refs/tags/old:refs/tags/old")
    repository = clone.open()
    with pytest.raises(DependencyError, match="git fetch --unshallow"):
        repository.is_ancestor(repository.tag("old").commit, repository.rules_commit(None))


def test_a_tag_whose_commit_a_shallow_clone_lacks(shallow: tuple[GitProject, str]) -> None:
    clone, _ = shallow
    raw_tag(clone, object_id="1" * 40)
    with pytest.raises(DependencyError, match="this clone is shallow"):
        clone.open().tag(TAG)


@pytest.fixture
def partial(git_project: GitProject, tmp_path: Path) -> GitProject:
    """A clone without file contents, whose origin is gone."""
    git_project.git("config", "uploadpack.allowFilter", "true")
    git_project.commit({"modules/workload/big.tf": "# big\n" * 100})
    uri = git_project.folder.as_uri()
    git_project.git("clone", "--quiet", "--no-checkout", "--filter=blob:none", uri, str(tmp_path / "partial"))
    return GitProject(tmp_path / "partial")


def test_a_partial_clone_is_not_completed_while_it_is_read(partial: GitProject, tmp_path: Path) -> None:
    """What would fetch is named by the repository's own configuration."""
    partial.git("config", "core.sshCommand", f"touch {tmp_path}/ran; false")
    partial.git("config", "remote.origin.uploadpack", f"touch {tmp_path}/ran; false")
    partial.git("config", "remote.origin.url", "ssh://example.com/x")
    repository = partial.open()
    with pytest.raises(DependencyError, match="Clone it again without --filter"):
        repository.rules(repository.rules_commit(None))
    partial.git("config", "remote.origin.url", ".")
    with pytest.raises(DependencyError, match="Clone it again without --filter"):
        repository.rules(repository.rules_commit(None))
    assert not (tmp_path / "ran").exists()


def test_exporting_from_a_partial_clone_says_what_to_do(partial: GitProject, tmp_path: Path) -> None:
    repository = partial.open()
    with pytest.raises(DependencyError, match="Clone it again without --filter"):
        repository.export(repository.rules_commit(None), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".export-*"))


def test_a_repository_of_someone_else_says_what_to_do(git_project: GitProject, monkeypatch: pytest.MonkeyPatch) -> None:
    git_project.tag(TAG)
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    questions: list[Callable[[Repository], object]] = [
        lambda repository: repository.tag(TAG),
        lambda repository: repository.rules_commit(None),
        lambda repository: repository.read("HEAD", "envs/dev.yaml"),
        lambda repository: repository.commit("HEAD"),
        lambda repository: repository.submodules("HEAD"),
        lambda repository: repository.is_ancestor("0" * 40, "1" * 40),
    ]
    for question in questions:
        with pytest.raises(DependencyError) as error:
            question(git_project.open())
        assert "dubious ownership" in error.value.message
        assert f"git config --global --add safe.directory {git_project.folder}" in str(error.value.hint)


def test_without_git(git_project: GitProject, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    repository = git_project.open()
    commit = repository.rules_commit(None)
    monkeypatch.setenv("PATH", "/nonexistent")
    questions: list[Callable[[], object]] = [
        git_project.open,
        lambda: GitCommand(tmp_path).start("cat-file", "--batch"),
        lambda: repository.create_tag(TAG, commit, "x", sign=False),
        lambda: repository.export(commit, tmp_path / "out"),
    ]
    for ask in questions:
        with pytest.raises(DependencyError, match="there is no git on the PATH") as error:
            ask()
        assert error.value.hint == "Install git."


def test_importing_gitpython_without_git_is_no_error(tmp_path: Path) -> None:
    """In a process of its own, because GitPython looks for git when it is imported."""
    done = subprocess.run(
        [sys.executable, "-c", "import orchestrator.effects.git.porcelain"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout + done.stderr == ""


@pytest.mark.parametrize("text", ["[core", "[core]\n\tbare = perhaps\n"])
def test_a_broken_git_configuration(git_project: GitProject, text: str) -> None:
    (git_project.folder / ".git/config").write_text(text)
    with pytest.raises(DependencyError, match=r"bad (config|boolean|numeric)"):
        git_project.open().rules_commit(None)


def test_a_git_that_dies_is_an_error_and_asked_anew(git_project: GitProject) -> None:
    repository = git_project.open()
    commit = repository.rules_commit(None)
    process = repository._objects._process
    assert process is not None
    process.terminate()
    process.wait()
    with pytest.raises(DependencyError, match="git cannot read the repository"):
        repository.read(commit, "envs/dev.yaml")
    assert repository.read(commit, "envs/dev.yaml") == RULES["envs/dev.yaml"].encode()


def test_a_corrupt_object_is_an_error(git_project: GitProject) -> None:
    blob = git_project.git("rev-parse", "HEAD:envs/dev.yaml")
    path = git_project.folder / ".git/objects" / blob[:2] / blob[2:]
    path.chmod(0o644)
    path.write_bytes(b"rubbish")
    repository = git_project.open()
    with pytest.raises(DependencyError, match=r"envs/dev.yaml of commit .* is missing from the repository, or broken"):
        repository.rules(repository.rules_commit(None))


@pytest.mark.parametrize("name", ["HEAD^{tree}", "HEAD:envs", "HEAD:envs/dev", "HEAD:envs/dev/research.tfvars"])
def test_a_missing_object_is_not_taken_for_a_missing_file(git_project: GitProject, name: str) -> None:
    commit = git_project.commit({"envs/dev/research.tfvars": "x = 1\n"})
    found = git_project.git("rev-parse", name)
    (git_project.folder / ".git/objects" / found[:2] / found[2:]).unlink()
    with pytest.raises(DependencyError, match="is missing from the repository, or broken"):
        git_project.open().read(commit, "envs/dev/research.tfvars")


def test_a_protected_branch_that_cannot_be_read_is_not_passed_over(git_project: GitProject) -> None:
    (git_project.folder / ".git/refs/remotes/origin").mkdir(parents=True)
    (git_project.folder / ".git/refs/remotes/origin/HEAD").write_text("1" * 40 + "\n")
    with pytest.raises(InvalidInput, match="refs/remotes/origin/HEAD"):
        git_project.open().rules_commit(None)


# Rules ----------------------------------------------------------------------------------------------------------------


def test_rules_are_those_of_the_commit_not_of_the_working_tree(git_project: GitProject) -> None:
    git_project.write({"envs/dev.yaml": "rubbish"})
    repository = git_project.open()
    assert repository.rules(repository.rules_commit(None)).environments["dev"]
    with pytest.raises(InvalidInput, match=r"envs/dev.yaml:1"):
        read_worktree_rules(git_project.folder)


def test_rules_of_the_working_tree_need_no_git(tmp_path: Path) -> None:
    GitProject(tmp_path).write(RULES)
    (tmp_path / "envs/folder.yaml").mkdir()
    assert list(read_worktree_rules(project_folder(tmp_path / "modules")).environments) == ["dev"]


def test_a_rules_file_that_is_a_symbolic_link_is_refused(git_project: GitProject) -> None:
    (git_project.folder / "envs/qa.yaml").symlink_to("dev.yaml")
    commit = git_project.commit()
    with pytest.raises(InvalidInput, match=r"envs/qa.yaml must be a regular file"):
        git_project.open().rules(commit)


@pytest.mark.parametrize("name", ["qa.yml", "qa.YAML", "qa.Yml"])
def test_a_rules_file_of_another_ending_is_not_overlooked(git_project: GitProject, name: str) -> None:
    commit = git_project.commit({f"envs/{name}": RULES["envs/dev.yaml"]})
    readers: list[Callable[[], object]] = [
        lambda: git_project.open().rules(commit),
        lambda: read_worktree_rules(git_project.folder),
    ]
    for read in readers:
        with pytest.raises(InvalidInput, match=r"ends in .yaml: rename it"):
            read()


def test_a_rules_file_that_is_not_text(git_project: GitProject) -> None:
    commit = git_project.commit({"envs/dev.yaml": b"a: 1\nb: \xff\n", "envs/qa.yaml": "regions: [\n"})
    readers: list[Callable[[], object]] = [
        lambda: git_project.open().rules(commit),
        lambda: read_worktree_rules(git_project.folder),
    ]
    for read in readers:
        with pytest.raises(InvalidInput, match=r"envs/dev.yaml:2: this is not UTF-8 text") as error:
            read()
        assert "envs/qa.yaml:2: this is not YAML" in str(error.value)


def test_other_files_in_envs_are_not_rules(git_project: GitProject) -> None:
    commit = git_project.commit(
        {"envs/dev.tfvars": "x", "envs/dev/research.tfvars": "x", "envs/x.yaml/file": "x", "envs/README": ""}
    )
    assert list(git_project.open().rules(commit).environments) == ["dev"]


def test_a_commit_without_configuration(git_project: GitProject) -> None:
    git_project.git("rm", "--quiet", "envs/orchestrate.yaml")
    commit = git_project.commit()
    with pytest.raises(InvalidInput, match=r"envs/orchestrate.yaml is not in commit"):
        git_project.open().rules(commit)


# Files of a commit ----------------------------------------------------------------------------------------------------


def test_files_and_folders_of_a_commit(git_project: GitProject) -> None:
    (git_project.folder / "link").symlink_to("envs")
    commit = git_project.commit({"a b/ü\nx": "1", "-x": "2"})
    repository = git_project.open()
    assert repository.read(commit, "a b/ü\nx") == b"1"
    assert repository.read(commit, "a b/\n") is None
    assert repository.read(commit, "-x") == b"2"
    assert repository.read(commit, "envs") is None
    assert repository.read(commit, "missing") is None
    assert repository.has_folder(commit, "a b")
    assert not repository.has_folder(commit, "-x")
    assert repository.has_folder(commit, ".")
    assert repository.is_link(commit, "link")
    assert not repository.is_link(commit, "-x")
    assert not repository.is_link(commit, "envs/missing")
    assert repository.tree(commit, "envs") == git_project.git("rev-parse", "HEAD:envs")


def test_files_that_are_not_committed(git_project: GitProject) -> None:
    git_project.write({"envs/dev.tfvars": "x", ".gitignore": "*.tfvars"})
    repository, commit = git_project.open(), git_project.git("rev-parse", "HEAD")
    paths = ["envs/dev.tfvars", "envs/dev.yaml", "envs/none.tfvars"]
    assert repository.ignored_or_untracked(commit, paths) == ["envs/dev.tfvars"]


def test_uncommitted_changes(git_project: GitProject) -> None:
    assert not git_project.open().has_uncommitted_changes
    git_project.write({"envs/dev.yaml": "changed"})
    assert git_project.open().has_uncommitted_changes


def test_submodules_are_named(git_project: GitProject) -> None:
    git_project.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},vendor/some thing")
    git_project.git("commit", "--quiet", "--message", "x")
    assert git_project.open().submodules(git_project.git("rev-parse", "HEAD")) == ["vendor/some thing"]


def test_sha256_repositories(tmp_path: Path, git_identity: None) -> None:
    project = GitProject(tmp_path / "sha256")
    project.folder.mkdir()
    project.git("init", "--quiet", "--object-format=sha256", "--initial-branch", "main")
    commit = project.commit(RULES)
    made = project.tag(TAG)
    repository = project.open()
    found = repository.tag(TAG)
    assert (found.object, found.commit, found.inner_name) == (made, commit, TAG)
    assert repository.commit(commit) == repository.commit("HEAD") == repository.rules_commit(None) == commit
    assert repository.rules(commit).environments["dev"]
    repository.export(commit, tmp_path / "out")
    assert (tmp_path / "out/envs/dev.yaml").read_text() == RULES["envs/dev.yaml"]


def test_several_threads_may_ask(git_project: GitProject) -> None:
    from concurrent.futures import ThreadPoolExecutor

    repository = git_project.open()
    commit = repository.rules_commit(None)
    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(lambda name: repository.read(commit, f"envs/{name}.yaml"), ["dev", "orchestrate"] * 100))
    assert answers == {RULES["envs/dev.yaml"].encode(), RULES["envs/orchestrate.yaml"].encode()}


def test_pushed_tags_are_there_all_or_none(git_project: GitProject, tmp_path: Path) -> None:
    git_project.git("clone", "--quiet", "--bare", ".", str(tmp_path / "origin.git"))
    git_project.git("remote", "add", "origin", str(tmp_path / "origin.git"))
    git_project.tag(TAG)
    git_project.tag("dev_global/research/1.0")
    repository = git_project.open()
    assert repository.remote_tags("origin", [TAG]) == []
    repository.push_tags("origin", [TAG])
    assert repository.remote_tags("origin", [TAG, "dev_global/research/1.0"]) == [TAG]
    git_project.git("tag", "--force", "--annotate", "--message", "moved", TAG)
    with pytest.raises(DependencyError, match="git push failed"):
        repository.push_tags("origin", ["dev_global/research/1.0", TAG])
    assert repository.remote_tags("origin", ["dev_global/research/1.0"]) == []


@pytest.mark.parametrize("remote", ["nowhere", "--upload-pack=touch x", "/missing/folder"])
def test_a_remote_that_cannot_be_reached(git_project: GitProject, remote: str) -> None:
    with pytest.raises(DependencyError, match="git ls-remote failed"):
        git_project.open().remote_tags(remote, [TAG])
    assert not (git_project.folder / "x").exists()


def test_git_is_closed_without_a_trace(git_project: GitProject) -> None:
    repository = git_project.open()
    repository.rules_commit(None)
    process = repository._objects._process
    assert process is not None
    pid = process.pid
    del process, repository
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


# Repositories from strangers ---------------------------------------------------------------------------------------


def false_content(project: GitProject, id: str, kind: str, content: bytes) -> None:
    """Stores an object under the id of another one."""
    folder = project.folder / ".git/objects"
    place = folder / id[:2] / id[2:]
    place.unlink(missing_ok=True)
    made = project.git("hash-object", "-t", kind, "-w", "--literally", "--stdin", input=content)
    place.parent.mkdir(exist_ok=True)
    (folder / made[:2] / made[2:]).rename(place)


@pytest.mark.parametrize("name", ["HEAD:envs/dev.yaml", "HEAD:envs", "HEAD^{tree}", "HEAD"])
def test_an_object_that_is_not_what_its_id_says_is_refused(git_project: GitProject, name: str) -> None:
    id = git_project.git("rev-parse", name)
    kind = git_project.git("cat-file", "-t", id)
    git_project.commit({"envs/dev.yaml": "changed"})
    other = git_project.git("rev-parse", name)
    content = subprocess.run(["git", "cat-file", kind, other], cwd=git_project.folder, capture_output=True, check=True)
    git_project.git("reset", "--quiet", "--hard", "HEAD~")
    false_content(git_project, id, kind, content.stdout)
    repository = git_project.open()
    with pytest.raises(DependencyError, match="is not what its id says"):
        repository.rules(repository.rules_commit(None))


def test_a_commit_with_false_parents_is_not_merged_by_them(git_project: GitProject) -> None:
    """Such a commit stands on the way from the protected branch to the tagged commit."""
    middle = git_project.commit()
    git_project.commit()
    git_project.git("switch", "--quiet", "--create", "elsewhere", f"{middle}~")
    stranger = git_project.commit({"x": "1"})
    content = git_project.git("cat-file", "commit", middle).encode() + b"\n"
    first = content.split(b"\n")[0]
    false_content(git_project, middle, "commit", content.replace(first, first + b"\nparent " + stranger.encode(), 1))
    assert git_project.git("merge-base", "main", stranger) == stranger
    repository = git_project.open()
    with pytest.raises(DependencyError, match="is not what its id says"):
        repository.is_ancestor(stranger, repository.commit("main"))


def test_a_parent_further_down_in_a_commit_is_none(git_project: GitProject) -> None:
    git_project.git("switch", "--quiet", "--create", "elsewhere")
    stranger = git_project.commit({"x": "1"})
    git_project.git("switch", "--quiet", "main")
    content = git_project.git("cat-file", "commit", "main") + "\n"
    forged = content.replace("\nauthor", f"\nauthor A <a@b> 1 +0000\nparent {stranger}\nauthor", 1)
    id = git_project.git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", input=forged.encode())
    assert not git_project.open().is_ancestor(stranger, id)


def test_a_false_commit_graph_does_not_count(git_project: GitProject) -> None:
    """Git believes the file of what it calls the commit graph, and does not look at the commits."""
    stranger = git_project.commit({"x": "1"})
    git_project.git("switch", "--quiet", "--create", "elsewhere", "HEAD~")
    tip, top = git_project.commit({"y": "1"}), git_project.commit({"z": "1"})
    true = git_project.git("cat-file", "commit", tip).encode() + b"\n"
    false_content(git_project, tip, "commit", true.replace(b"\nauthor", f"\nparent {stranger}\nauthor".encode(), 1))
    git_project.git("commit-graph", "write", "--reachable")
    false_content(git_project, tip, "commit", true)
    assert git_project.git("merge-base", top, stranger) == stranger
    assert not git_project.open().is_ancestor(stranger, top)


def test_an_export_is_compared_with_the_commit(git_project: GitProject, tmp_path: Path) -> None:
    """Of an object that git has hashed already, and that is replaced before it is written out."""
    repository, commit = git_project.open(), git_project.git("rev-parse", "HEAD")
    false_content(git_project, git_project.git("rev-parse", "HEAD:envs/dev.yaml"), "blob", b"changed")
    with pytest.raises(DependencyError, match=r"envs/dev\.yaml is not what the commit names"):
        repository.export(commit, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def program(project: GitProject, mark: Path) -> str:
    path = project.folder / "program"
    path.write_text(f'#!/bin/sh\necho "$0 $@" >> {mark}\n')
    path.chmod(0o755)
    return str(path)


def test_tagging_a_strangers_repository_runs_none_of_its_programs(git_project: GitProject, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    (tmp_path / "home").mkdir()
    git_project.git("clone", "--quiet", "--bare", ".", str(tmp_path / "origin.git"))
    git_project.commit({"big.bin": "x", ".gitattributes": "*.bin filter=evil diff=evil\n"})
    names = "fsmonitor sshCommand askPass editor gitProxy pager alternateRefsCommand"
    settings = {f"core.{name}": program(git_project, mark) for name in names.split()}
    kinds = (
        "filter.evil.clean",
        "filter.evil.smudge",
        "filter.evil.process",
        "diff.evil.textconv",
        "diff.evil.command",
    )
    others = ("diff.external", "gpg.program", "gpg.ssh.program", "gpg.ssh.defaultKeyCommand", "credential.helper")
    settings |= {name: program(git_project, mark) for name in (*kinds, *others)}
    settings |= {f"remote.origin.{name}": program(git_project, mark) for name in ("uploadpack", "receivepack", "vcs")}
    settings |= {"remote.origin.url": str(tmp_path / "origin.git"), "protocol.ext.allow": "always"}
    for name, value in settings.items():
        git_project.git("config", name, value)
    for hook in ("pre-push", "reference-transaction", "post-index-change", "post-checkout"):
        (git_project.folder / f".git/hooks/{hook}").write_bytes(Path(program(git_project, mark)).read_bytes())
        (git_project.folder / f".git/hooks/{hook}").chmod(0o755)
    mark.unlink(missing_ok=True)
    os.utime(git_project.folder / "big.bin", (1, 1))
    repository = git_project.open()

    assert not repository.has_uncommitted_changes
    repository.create_tag(TAG, repository.commit("HEAD"), "x", sign=False)
    repository.push_tags("origin", [TAG])
    assert repository.remote_tags("origin", [TAG]) == [TAG]
    repository.delete_tag(TAG, repository.tag(TAG).object)
    assert not mark.exists(), mark.read_text()


def test_a_signature_is_never_made_by_a_program_of_the_repository(git_project: GitProject, tmp_path: Path) -> None:
    git_project.git("config", "gpg.program", program(git_project, tmp_path / "ran"))
    git_project.git("config", "tag.gpgSign", "true")
    with contextlib.suppress(DependencyError):  # the user may have no key
        git_project.open().create_tag(TAG, git_project.git("rev-parse", "HEAD"), "x", sign=True)
    assert not (tmp_path / "ran").exists()


def test_a_remote_may_be_no_program(git_project: GitProject, tmp_path: Path) -> None:
    git_project.git("config", "protocol.ext.allow", "always")
    git_project.git("config", "remote.origin.url", f"ext::sh -c touch% {tmp_path}/ran")
    with pytest.raises(DependencyError):
        git_project.open().remote_tags("origin", [TAG])
    assert not (tmp_path / "ran").exists()
