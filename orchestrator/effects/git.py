"""The repository: tags, commits, the rules of the protected branch, and exports of a commit.

Names never reach git where it could take them for an option or look them up by its search order: every ref is given
in full (`refs/tags/<name>`), so that a branch cannot shadow a tag nor a tag a branch.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

import git
from git.exc import GitCommandError, GitCommandNotFound, InvalidGitRepositoryError, NoSuchPathError

from orchestrator.errors import InvalidInput, SurroundingsFailed
from orchestrator.model.rules import FOLDER, PROJECT_FILE, Rules
from orchestrator.model.text import did_you_mean, quoted

_COMMIT = re.compile("[0-9a-f]{40}([0-9a-f]{24})?")

# What would make git look elsewhere than in the repository we were given (`git rev-parse --local-env-vars`); a hook
# sets these. Replacement objects would show another content under the same commit.
_LOCAL_VARIABLES = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_CONFIG GIT_CONFIG_PARAMETERS GIT_CONFIG_COUNT GIT_OBJECT_DIRECTORY GIT_DIR "
    "GIT_WORK_TREE GIT_IMPLICIT_WORK_TREE GIT_GRAFT_FILE GIT_INDEX_FILE GIT_REPLACE_REF_BASE GIT_PREFIX "
    "GIT_SHALLOW_FILE GIT_COMMON_DIR GIT_NAMESPACE"
).split()


@dataclass(frozen=True)
class TagRef:
    """A tag as git has it: the name of the ref, the object it points to, and the commit behind that."""

    name: str
    object: str
    commit: str
    annotated: bool
    inner_name: str | None
    tagger: str | None


class Repository:
    """One git repository and, within it, the project: the folder that holds `envs/`."""

    def __init__(self, repo: git.Repo, prefix: PurePosixPath) -> None:
        """`prefix` is the project's folder relative to the top of the repository, `.` where they are the same."""
        self._repo = repo
        self.prefix = prefix
        self._asking = threading.Lock()  # of the one open `git cat-file`
        repo.git.update_environment(GIT_NO_REPLACE_OBJECTS="1")

    @staticmethod
    def open(start: Path) -> Repository:
        """The repository around `start`, bare or not; SurroundingsFailed where there is none."""
        for name in _LOCAL_VARIABLES:
            os.environ.pop(name, None)
        project = find_project(start)
        try:
            repo = git.Repo(project or start, search_parent_directories=True)
        except (InvalidGitRepositoryError, NoSuchPathError):
            raise SurroundingsFailed(
                f"{(project or start).absolute()} is not in a git repository",
                hint="Run this inside the infrastructure repository, or name it with --repo.",
            ) from None
        except (GitCommandNotFound, GitCommandError, OSError) as error:
            raise SurroundingsFailed(f"git cannot read the repository: {_last_line(error)}") from None
        return Repository(repo, _prefix(repo, project))

    @property
    def folder(self) -> Path:
        """The project's folder in the working tree, or the repository itself where it is bare."""
        return Path(self._repo.working_tree_dir or self._repo.git_dir) / self.prefix

    def in_project(self, path: str) -> str:
        """A path of the project as a path of the repository."""
        return (self.prefix / path).as_posix()

    # Tags ---------------------------------------------------------------------------------------------------------

    def tag(self, name: str) -> TagRef:
        """The tag of exactly this name; InvalidInput where it is missing or names no commit."""
        ref = f"refs/tags/{name}"
        object_id = self._resolve(ref)
        if object_id is None:
            raise self._missing_tag(name)
        commit = self._resolve(f"{ref}^{{commit}}")
        if commit is None:
            if self.is_shallow:
                raise _shallow(f"the commit of the tag {name} is not here")
            raise InvalidInput(f"the tag {name} does not point to a commit")
        if object_id == commit:
            return TagRef(name, object_id, commit, annotated=False, inner_name=None, tagger=None)
        header = dict(_header(self._content(object_id).decode(errors="replace")))
        return TagRef(name, object_id, commit, True, header.get("tag"), header.get("tagger"))

    def tag_names(self, *patterns: str) -> list[str]:
        """Names of tags that match one of the `git for-each-ref` patterns (below refs/tags/)."""
        refs = [f"refs/tags/{pattern}" for pattern in patterns]
        out = self._git("for-each-ref", "--format=%(refname)", *refs)
        return [line.removeprefix("refs/tags/") for line in out.splitlines()]

    def create_tag(self, name: str, commit: str, message: str, *, sign: bool) -> None:
        """An annotated tag; InvalidInput where git refuses it (it exists, or a tag of a shorter name blocks it)."""
        try:
            self._repo.create_tag(name, ref=commit, message=message, sign=sign)
        except GitCommandError as error:
            raise InvalidInput(f"git does not create the tag {name}: {_last_line(error)}") from None

    def delete_tags(self, names: Sequence[str]) -> None:
        self._git("tag", "-d", "--end-of-options", *names)

    def push_tags(self, remote: str, names: Sequence[str]) -> None:
        """Pushes exactly these tags, all or none."""
        try:
            self._repo.git.push("--atomic", "--end-of-options", remote, *(f"refs/tags/{name}" for name in names))
        except GitCommandError as error:
            raise SurroundingsFailed(f"git push to {remote} failed: {_last_line(error)}") from None

    def _missing_tag(self, name: str) -> InvalidInput:
        env = name.split("/")[0]
        near = did_you_mean(name, self.tag_names(f"{env}/**")) if self.tag_names(f"{env}/**") else None
        fetch = "`git fetch --tags` brings new ones; `orchestrate tag` makes one."
        shadow = self._resolve(f"refs/heads/{name}")
        if shadow is not None:
            return InvalidInput(f"there is no tag {name}, only a branch of that name", hint=fetch)
        return InvalidInput(
            f"there is no tag {quoted(name)} in this repository", hint=f"{near} {fetch}" if near else fetch
        )

    # Commits ------------------------------------------------------------------------------------------------------

    def commit(self, ref: str) -> str:
        """The commit of a branch or of a full commit id; a tag of the same name is never meant."""
        candidates = [f"refs/heads/{ref}", f"refs/remotes/{ref}"]
        if ref.startswith("refs/") or _COMMIT.fullmatch(ref):
            candidates = [ref]
        if ref == "HEAD":
            candidates = [ref]
        for candidate in candidates:
            commit = self._resolve(f"{candidate}^{{commit}}")
            if commit is not None:
                return commit
        raise InvalidInput(f"there is no branch or commit {quoted(ref)} in this repository")

    def rules_commit(self, ref: str | None) -> str:
        """The commit that the rules come from: `ref`, else origin/HEAD, else the branch main."""
        if ref is not None:
            return self.commit(ref)
        for default in ("refs/remotes/origin/HEAD", "refs/heads/main"):
            commit = self._resolve(f"{default}^{{commit}}")
            if commit is not None:
                return commit
        raise InvalidInput(
            "the rules come from the protected branch, and there is neither origin/HEAD nor a branch main",
            hint="Name the branch with --rules-ref, or run `git remote set-head origin --auto`.",
        )

    def is_ancestor(self, commit: str, of: str) -> bool:
        """Whether `of` contains `commit`; SurroundingsFailed where the clone is too shallow to know."""
        if commit == of:
            return True
        code, _, error = self._repo.git.execute(
            ["git", "merge-base", "--is-ancestor", commit, of], with_extended_output=True, with_exceptions=False
        )
        if code not in (0, 1):
            raise SurroundingsFailed(f"git cannot compare {commit[:12]} with {of[:12]}: {str(error).strip()}")
        if code == 1 and self.is_shallow:
            raise _shallow(f"whether the protected branch contains {commit[:12]} cannot be known")
        return bool(code == 0)

    @cached_property
    def is_shallow(self) -> bool:
        return self._git("rev-parse", "--is-shallow-repository") == "true"

    # Files of a commit --------------------------------------------------------------------------------------------

    def files(self, commit: str, folder: str) -> list[str]:
        """Names of the files directly in a folder of the project at that commit; empty where there is none."""
        path = self.in_project(folder)
        out = self._git("ls-tree", "-z", "--full-tree", f"{commit}:" if path == "." else f"{commit}:{path}", missing="")
        entries = [entry.split("\t", 1) for entry in out.split("\0") if entry]
        return [name for meta, name in entries if meta.split()[1] == "blob"]

    def read(self, commit: str, path: str) -> bytes | None:
        """The content of a file of the project at that commit, None where it is missing."""
        name = f"{commit}:{self.in_project(path)}"
        return self._content(name) if self._object(name)[1] == "blob" else None

    def has_folder(self, commit: str, path: str) -> bool:
        return self.tree(commit, path) is not None

    def tree(self, commit: str, path: str) -> str | None:
        """The id of a folder's tree, None where there is no such folder: equal ids are equal contents."""
        path = self.in_project(path)
        object_id, kind = self._object(f"{commit}^{{tree}}" if path == "." else f"{commit}:{path}")
        return object_id if kind == "tree" else None

    def rules(self, commit: str) -> Rules:
        """The rules as committed there."""
        names = [name for name in self.files(commit, FOLDER) if is_rules_file(name)]
        texts = {f"{FOLDER}/{name}": _text(name, self.read(commit, f"{FOLDER}/{name}") or b"") for name in names}
        if PROJECT_FILE not in texts:
            where = f"commit {commit[:12]} (the protected branch)"
            raise InvalidInput(f"{PROJECT_FILE} is not in {where}", hint="Commit the configuration there first.")
        return Rules.parse(texts)

    def ignored_or_untracked(self, commit: str, paths: Sequence[str]) -> list[str]:
        """Those of the project's files that stand in the working tree but not in the commit."""
        if self._repo.bare:
            return []
        return [path for path in paths if (self.folder / path).is_file() and self.read(commit, path) is None]

    def submodules(self, commit: str) -> list[str]:
        out = self._git("ls-tree", "-r", "-z", "--full-tree", commit)
        return [entry.split("\t", 1)[1] for entry in out.split("\0") if entry.startswith("160000 ")]

    def export(self, commit: str, destination: Path) -> None:
        """Writes the commit's files to `destination`, which must not exist yet, byte for byte as committed.

        Goes through an index of its own in an empty git folder: no filter, end-of-line conversion, `export-ignore`,
        `export-subst`, hook or configuration of anyone changes a file (gitattributes(5): `info/attributes` wins).
        All or nothing: a failure, a full disk for one, leaves no destination behind.
        """
        destination.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{destination.name}-", dir=destination.parent))
        try:
            env = _bare_folder(scratch / "git", self._repo.common_dir, len(commit) == 64)
            (scratch / "tree").mkdir()
            env["GIT_WORK_TREE"] = str(scratch / "tree")
            command = git.Git(str(scratch / "tree"))
            command.execute(["git", "read-tree", commit], env=env)
            command.execute(["git", "checkout-index", "--all", "--force"], env=env)
            (scratch / "tree").rename(destination)
        except GitCommandError as error:
            raise SurroundingsFailed(
                f"commit {commit[:12]} cannot be exported to {destination}: {_last_line(error)}",
                hint="Is the disk full, or the clone incomplete? `git fsck` tells.",
            ) from None
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    # ------------------------------------------------------------------------------------------------------------

    def _resolve(self, name: str) -> str | None:
        return self._object(name)[0]

    def _object(self, name: str) -> tuple[str | None, str | None]:
        """Id and type of the object of this name, asked of one `git cat-file` that stays open."""
        if any(character.isspace() for character in name.partition(":")[0]) or "\n" in name:
            return None, None
        try:
            with self._asking:
                object_id, kind, _ = self._repo.git.get_object_header(name)
        except ValueError:
            return None, None
        return _ascii(object_id), _ascii(kind)

    def _content(self, name: str) -> bytes:
        with self._asking:
            return bytes(self._repo.git.get_object_data(name)[3])

    def _git(self, *arguments: str, missing: str | None = None) -> str:
        """A git command's output; where git says no, `missing` if given, else SurroundingsFailed."""
        try:
            return str(self._repo.git.execute(["git", *arguments], strip_newline_in_stdout=True))
        except GitCommandError as error:
            if missing is not None:
                return missing
            raise SurroundingsFailed(f"git {arguments[0]} failed: {_last_line(error)}") from None


def find_project(start: Path) -> Path | None:
    """The nearest folder at or above `start` that holds envs/orchestrate.yaml."""
    start = start.absolute()
    return next((folder for folder in (start, *start.parents) if (folder / PROJECT_FILE).is_file()), None)


def project_folder(start: Path) -> Path:
    """As find_project; InvalidInput where there is none."""
    found = find_project(start)
    if found is None:
        message = f"there is no {PROJECT_FILE} in {start.absolute()} or in any folder above it"
        raise InvalidInput(message, hint="Name the repository with --repo; README.md says how to adopt it in one.")
    return found


def read_worktree_rules(project: Path) -> Rules:
    """The rules of the working tree at `project`."""
    files = sorted(path for path in (project / FOLDER).iterdir() if is_rules_file(path.name))
    return Rules.parse({f"{FOLDER}/{path.name}": _text(path.name, path.read_bytes()) for path in files})


def is_rules_file(name: str) -> bool:
    """`.yml` counts too, so that it is refused by name instead of being overlooked."""
    return name.endswith((".yaml", ".yml"))


def _text(name: str, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise InvalidInput(f"{FOLDER}/{name} is not UTF-8 text") from None


def _prefix(repo: git.Repo, project: Path | None) -> PurePosixPath:
    top = repo.working_tree_dir
    if top is None or project is None:
        return PurePosixPath(".")
    with contextlib.suppress(ValueError):
        return PurePosixPath(project.resolve().relative_to(Path(top).resolve()).as_posix())
    return PurePosixPath(".")


def _header(tag_object: str) -> Iterator[tuple[str, str]]:
    for line in tag_object.partition("\n\n")[0].splitlines():
        key, _, value = line.partition(" ")
        yield key, value


def _bare_folder(folder: Path, common_dir: str | os.PathLike[str], sha256: bool) -> dict[str, str]:
    """A git folder of our own that borrows the repository's objects; returns the environment that uses it."""
    for name in ("objects", "refs", "info"):
        (folder / name).mkdir(parents=True)
    (folder / "HEAD").write_text("ref: refs/heads/none\n")
    (folder / "info" / "attributes").write_text("* -text !eol -ident !filter !working-tree-encoding\n")
    settings = "[core]\n\trepositoryformatversion = 1\n\tbare = false\n"
    (folder / "config").write_text(settings + ("[extensions]\n\tobjectFormat = sha256\n" if sha256 else ""))
    return {
        "GIT_DIR": str(folder),
        "GIT_INDEX_FILE": str(folder / "index"),
        "GIT_OBJECT_DIRECTORY": str(Path(common_dir).absolute() / "objects"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
    }


def _ascii(text: str | bytes) -> str:
    return text.decode("ascii") if isinstance(text, bytes) else text


def _shallow(what: str) -> SurroundingsFailed:
    return SurroundingsFailed(f"{what}: this clone is shallow", hint="Run `git fetch --unshallow --tags` first.")


def _last_line(error: Exception) -> str:
    text = str(getattr(error, "stderr", "") or error)
    lines = [line.strip(" '\n") for line in text.splitlines() if line.strip(" '\n")]
    found = next(
        (line for line in lines if line.startswith(("fatal:", "error:"))), lines[-1] if lines else "no reason given"
    )
    return found.removeprefix("stderr: ").strip("' ")
