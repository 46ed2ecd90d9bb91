"""The repository: tags, commits, the rules of the protected branch, and exports of a commit.

Names never reach git where it could take them for an option or look them up by its search order: a ref is looked up
by its full name (`refs/tags/<name>`) among those that exist, so that a branch cannot shadow a tag nor a tag a branch,
and from there on only object ids are used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from orchestrator.effects.git.ancestry import leads_to
from orchestrator.effects.git.objects import SUBMODULE, Objects
from orchestrator.effects.git.place import RepositoryLocation, find_place
from orchestrator.effects.git.tags import TagRef
from orchestrator.effects.git.worktree import (
    find_project,
    is_rules_file,
    no_plain_file,
    project_folder,
    read_worktree_rules,
    rules_text,
)
from orchestrator.errors import DependencyError, InvalidInput, OrchestrateError
from orchestrator.model.rules.rules import FOLDER, PROJECT_FILE, Rules
from orchestrator.model.text.quoting import did_you_mean, escaped, quoted

if TYPE_CHECKING:
    from orchestrator.effects.git.porcelain import Porcelain

_OBJECT_ID = re.compile("[0-9a-f]{40}([0-9a-f]{24})?")

__all__ = ["Repository", "TagRef", "find_project", "is_rules_file", "project_folder", "read_worktree_rules"]


class Repository:
    """One git repository and, within it, the project: the folder that holds `envs/`."""

    def __init__(self, place: RepositoryLocation, prefix: PurePosixPath) -> None:
        """`prefix` is the project's folder relative to the top of the repository, `.` where they are the same."""
        self._place = place
        self.prefix = prefix
        self.is_shallow = place.is_shallow
        self._git = place.command
        self._objects = Objects(self._git)

    @staticmethod
    def open(start: Path) -> Repository:
        """The repository around `start`, bare or not; DependencyError where there is none."""
        place = find_place(start)
        project = find_project(start) if place.top is not None else None
        if place.top is None or project is None or not project.is_relative_to(place.top):
            return Repository(place, PurePosixPath("."))
        return Repository(place, PurePosixPath(project.relative_to(place.top).as_posix()))

    @property
    def folder(self) -> Path:
        """The project's folder in the working tree, or the repository itself where it is bare."""
        return self._place.folder / self.prefix

    def in_project(self, path: str) -> str:
        """A path of the project as a path of the repository."""
        return (self.prefix / path).as_posix()

    # Tags ---------------------------------------------------------------------------------------------------------

    def tag(self, name: str) -> TagRef:
        """The tag of exactly this name; InvalidInput where it is missing or names no commit."""
        object_id = self._git.ref(f"refs/tags/{name}")
        if object_id is None:
            raise self._missing_tag(name)
        target, commit = self._objects.get(object_id), self._objects.peeled(object_id)
        if target is None or commit is None:
            if self.is_shallow:
                raise _shallow(f"the commit of the tag {escaped(name)} is not here")
            raise InvalidInput(f"the tag {escaped(name)} does not point to a commit")
        return TagRef.of(name, target, commit.id)

    def verify_tag(self, tag_object: str, settings: Mapping[str, str], env: Mapping[str, str]) -> tuple[bool, str]:
        """What `git verify-tag` says of a tag object, with git's settings and the environment as given."""
        return self._git.judges("verify-tag", "--raw", tag_object, settings=settings, env=env)

    def tag_names(self, *patterns: str) -> list[str]:
        """Names of tags that match one of the `git for-each-ref` patterns (below refs/tags/)."""
        refs = self._git.refs(*(f"refs/tags/{pattern}" for pattern in patterns))
        return [name.removeprefix("refs/tags/") for name in refs]

    def blocking_tags(self, name: str) -> list[str]:
        """Tags that make it impossible to create this one: git keeps a ref as a file, so `a/b` excludes `a`."""
        parts = name.split("/")
        above = ["/".join(parts[:count]) for count in range(1, len(parts))]
        return [tag for tag in self.tag_names(*above, name) if tag in above or tag.startswith(f"{name}/")]

    def create_tag(self, name: str, commit: str, message: str, *, sign: bool) -> None:
        """An annotated tag, signed as git is configured; DependencyError where git does not make it."""
        made = self._porcelain.create_tag(name, commit, message, sign=sign)
        self._git.run("update-ref", f"refs/tags/{name}", made, "0" * len(made))

    def delete_tag(self, name: str, object_id: str) -> None:
        """Deletes the tag if it still points there; DependencyError otherwise."""
        self._git.run("update-ref", "-d", f"refs/tags/{name}", object_id)

    def push_tags(self, remote: str, names: Sequence[str]) -> None:
        """Pushes exactly these tags, all or none; never moves one that is there."""
        refs = self._git.refs(*(f"refs/tags/{name}" for name in names))
        self._porcelain.push_tags(remote, {name: refs[f"refs/tags/{name}"] for name in names})

    def remote_tags(self, remote: str, names: Sequence[str]) -> list[str]:
        """Those of these tags that the remote has."""
        found = self.remote_refs(remote, *(f"refs/tags/{name}" for name in names))
        return [name.removeprefix("refs/tags/") for name in found]

    def remotes(self) -> list[str]:
        """Their names."""
        return self._git.run("remote").split()

    def remote_refs(self, remote: str, *patterns: str) -> Mapping[str, str]:
        """Object ids by full name, as the remote tells them now; DependencyError where it cannot be asked."""
        return self._porcelain.remote_refs(remote, patterns)

    @cached_property
    def _porcelain(self) -> Porcelain:
        from orchestrator.effects.git.porcelain import Porcelain

        hashes = self._git.run("rev-parse", "--show-object-format")
        return Porcelain(self._place, sha256=hashes == "sha256")

    def _missing_tag(self, name: str) -> InvalidInput:
        fetch = "`git fetch --tags` brings new ones; `orchestrate tag` makes one."
        if self._git.ref(f"refs/heads/{name}") is not None:
            return InvalidInput(f"there is no tag {quoted(name)}, only a branch of that name", hint=fetch)
        others = [tag for tag in self.tag_names(name.partition("/")[0]) if tag.isascii()]
        near = did_you_mean(name, others) if others else None
        return InvalidInput(
            f"there is no tag {quoted(name)} in this repository", hint=f"{near} {fetch}" if near else fetch
        )

    # Commits ------------------------------------------------------------------------------------------------------

    def commit(self, ref: str) -> str:
        """The commit of HEAD, a branch, a full ref or a full commit id; a tag of the same name is never meant."""
        if _OBJECT_ID.fullmatch(ref):
            found = self._objects.get(ref)
            if found is not None and (found.id, found.kind) == (ref, "commit"):
                return ref
        elif (commit := self._head() if ref == "HEAD" else self._branch(ref)) is not None:
            return commit
        raise InvalidInput(
            f"there is no branch or commit {quoted(ref)} in this repository",
            hint="Name a branch (main, origin/main), a full ref (refs/...) or a full commit id.",
        )

    def _branch(self, ref: str) -> str | None:
        candidates = [ref] if ref.startswith("refs/") else [f"refs/heads/{ref}", f"refs/remotes/{ref}"]
        refs = self._git.refs(*candidates)
        found = [name for name in candidates if name in refs]
        if len({refs[name] for name in found}) > 1:
            raise InvalidInput(f"{quoted(ref)} may be any of {', '.join(found)}", hint="Name one of them in full.")
        return self._peeled(refs[found[0]]) if found else None

    def _head(self) -> str | None:
        """Through the branch it names, because git takes a tag called HEAD where the branch has no commit yet."""
        branch = self._git.run("symbolic-ref", "--quiet", "HEAD", missing="")
        return self._peeled(self._git.ref(branch) if branch else self._git.run("rev-parse", "HEAD"))

    def _peeled(self, object_id: str | None) -> str | None:
        found = self._objects.peeled(object_id) if object_id else None
        return found.id if found else None

    def rules_commit(self, ref: str | None) -> str:
        """For looking only: `ref`, else origin/HEAD, else the branch main, as they are known here."""
        if ref is not None:
            return self.commit(ref)
        defaults = ("refs/remotes/origin/HEAD", "refs/heads/main")
        refs = self._git.refs(*defaults)
        for default in defaults:
            if default in refs:
                return self._peeled(refs[default]) or self.commit(default)
        raise InvalidInput(
            "the rules come from the protected branch, and there is neither origin/HEAD nor a branch main",
            hint="Name the branch with --rules-ref, or run `git remote set-head origin --auto`.",
        )

    def holds_commit(self, commit: str) -> bool:
        return self._objects.peeled(commit) is not None

    def follows(self, commit: str, later: str) -> bool:
        """Whether `later` is the commit or contains it; False also for commits that are not here."""
        return commit == later or (
            self.holds_commit(commit) and self.holds_commit(later) and self.is_ancestor(commit, later)
        )

    def is_ancestor(self, commit: str, of: str) -> bool:
        """Whether `of` contains `commit`; DependencyError where the clone is too shallow to know."""
        if commit == of:
            return True
        found = self._git.holds("merge-base", "--is-ancestor", commit, of)
        if not found and self.is_shallow:
            raise _shallow(f"whether the protected branch contains {commit[:12]} cannot be known")
        return found and leads_to(self._git, self._objects, commit, of)

    @property
    def has_uncommitted_changes(self) -> bool:
        """Of tracked files; False where there is no working tree."""
        head = self._head() if self._place.top is not None else None
        return head is not None and self._porcelain.has_changes(head)

    def read(self, commit: str, path: str) -> bytes | None:
        """The content of a file of the project at that commit, None where it is missing."""
        entry = self._objects.at(commit, self.in_project(path))
        if entry is None or not (entry.is_file or entry.is_link):
            return None
        found = self._objects.get(entry.id)
        if found is None:
            where = f"{escaped(path)} of commit {commit[:12]}"
            raise DependencyError(
                f"{where} is missing from the repository, or broken",
                hint="`git fsck` tells more. Is the clone complete?",
            )
        return found.content

    def is_link(self, commit: str, path: str) -> bool:
        """Whether a symbolic link stands there; `read` then gives where it points."""
        entry = self._objects.at(commit, self.in_project(path))
        return entry is not None and entry.is_link

    def has_folder(self, commit: str, path: str) -> bool:
        return self.tree(commit, path) is not None

    def tree(self, commit: str, path: str) -> str | None:
        """The id of a folder's tree, None where there is no such folder: equal ids are equal contents."""
        entry = self._objects.at(commit, self.in_project(path))
        return entry.id if entry is not None and entry.is_folder else None

    def rules(self, commit: str) -> Rules:
        """The rules as committed there."""
        self._find_project_in_bare(commit)
        texts = dict(self._rules_texts(commit))
        if PROJECT_FILE not in texts:
            where = f"commit {commit[:12]} (the protected branch)"
            raise InvalidInput(f"{PROJECT_FILE} is not in {where}", hint="Commit the configuration there first.")
        return Rules.parse(texts)

    def ignored_or_untracked(self, commit: str, paths: Sequence[str]) -> list[str]:
        """Those of the project's files that stand in the working tree but not in the commit."""
        if self._place.top is None:
            return []
        return [path for path in paths if (self.folder / path).is_file() and self.read(commit, path) is None]

    def submodules(self, commit: str) -> list[str]:
        return [file.path for file in self._objects.files(commit) if file.mode == SUBMODULE]

    def all_files(self, commit: str) -> Iterator[tuple[str, str, str]]:
        """Path from the top of the repository, mode and object id of every file, link and submodule of the commit."""
        return ((file.path, file.mode, file.id) for file in self._objects.files(commit))

    def blob(self, object_id: str) -> bytes:
        """The content of a file, or of a tag object, by its id."""
        found = self._objects.get(object_id)
        if found is None:
            raise DependencyError(f"the object {object_id} is not in this repository", hint="Run `git fsck`.")
        return found.content

    def export(self, commit: str, destination: Path) -> None:
        """Writes the commit's files to `destination`, which must not exist yet, byte for byte as committed.

        All or nothing: DependencyError (or OSError), and no destination, where the disk is full for one.
        """
        from orchestrator.effects.git.export import export

        export(self._place.common_dir, commit, list(self._objects.files(commit)), destination)

    def _rules_texts(self, commit: str) -> Iterator[tuple[str, str]]:
        folder = self.tree(commit, FOLDER)
        for entry in self._objects.tree(folder) if folder else ():
            if is_rules_file(entry.name) and not entry.is_folder:
                path = f"{FOLDER}/{entry.name}"
                if not entry.is_file:
                    raise no_plain_file(path)
                yield path, rules_text(self.read(commit, path) or b"")

    def _find_project_in_bare(self, commit: str) -> None:
        """A bare repository has no working tree that says where the project is; the commit does."""
        if self._place.top is not None or self.read(commit, PROJECT_FILE) is not None:
            return
        paths = (file.path for file in self._objects.files(commit))
        found = [PurePosixPath(path).parents[1] for path in paths if path.endswith(f"/{PROJECT_FILE}")]
        if len(found) > 1:
            places = ", ".join(sorted(map(str, found)))
            raise InvalidInput(f"this bare repository holds several projects ({escaped(places)}); use a clone of it")
        if found:
            self.prefix = found[0]


def _shallow(what: str) -> OrchestrateError:
    return DependencyError(f"{what}: this clone is shallow", hint="Run `git fetch --unshallow --tags` first.")
