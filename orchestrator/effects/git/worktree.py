"""The configuration as it stands in a working tree, and where it stands."""

from __future__ import annotations

from pathlib import Path

from orchestrator.errors import InvalidInput
from orchestrator.model.rules.rules import FOLDER, PROJECT_FILE, Rules
from orchestrator.model.text.quoting import escaped


def find_project(start: Path) -> Path | None:
    """The nearest folder at or above `start`, within its repository, that holds envs/orchestrate.yaml."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / PROJECT_FILE).is_file():
            return folder
        if (folder / ".git").exists():
            return None
    return None


def project_folder(start: Path) -> Path:
    """As find_project; InvalidInput where there is none."""
    found = find_project(start)
    if found is None:
        message = f"there is no {PROJECT_FILE} in {start.absolute()} or in any folder of its repository above it"
        raise InvalidInput(message, hint="Name the repository with --repo; README.md says how to adopt it in one.")
    return found


def read_worktree_rules(project: Path) -> Rules:
    """The rules of the working tree at `project`, as git would have them: a link is not what it leads to."""
    folder = project / FOLDER
    if folder.is_symlink():
        raise InvalidInput(f"{FOLDER} must be a folder, not a symbolic link")
    files = sorted(path for path in folder.iterdir() if is_rules_file(path.name))
    for path in files:
        if path.is_symlink():
            raise no_plain_file(f"{FOLDER}/{path.name}")
    return Rules.parse({f"{FOLDER}/{path.name}": rules_text(path.read_bytes()) for path in files if path.is_file()})


def no_plain_file(path: str) -> InvalidInput:
    return InvalidInput(f"{escaped(path)} must be a regular file, not a symbolic link or a submodule")


def is_rules_file(name: str) -> bool:
    """`.yml` and `.YAML` count too, so that they are refused by name instead of being overlooked."""
    return name.lower().endswith((".yaml", ".yml"))


def rules_text(content: bytes) -> str:
    """What is not UTF-8 stays visible (PEP 383): the rules report it, together with what is wrong in other files."""
    return content.decode(errors="surrogateescape")
