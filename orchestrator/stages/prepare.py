"""From a release to a workspace in which Terraform can plan or apply it."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from orchestrator.effects import clock, hcl
from orchestrator.effects.terraform import (
    VARIABLES_FILE,
    Terraform,
    environment,
    installed_providers,
    module_folders,
)
from orchestrator.effects.tools import cli_config, find
from orchestrator.effects.workspace import Workspace
from orchestrator.errors import InvalidInput
from orchestrator.model import root as roots
from orchestrator.model.backend import Backend
from orchestrator.model.canonical import canonical_json, sha256
from orchestrator.model.config import Terraform as Settings
from orchestrator.model.masking import Masker
from orchestrator.model.root import Identity, Json
from orchestrator.stages.surroundings import Surroundings

_LOCK_FILE = ".terraform.lock.hcl"
_AWS = re.compile(r"/hashicorp/aws$")
_CHILD_PROVIDER = re.compile(rb"^\s*provider\s+\"?aws\"?\s*\{", re.MULTILINE)
_LOCKED_PROVIDER = re.compile(r'^provider "([^"]+)" \{\s*version\s*=\s*"([^"]+)"', re.MULTILINE)


@dataclass(frozen=True)
class Prepared:
    """An exported release, initialized under a backend that the rules derive."""

    terraform: Terraform
    root: Path
    var_files: tuple[Path, ...]

    @property
    def lock_file(self) -> str | None:
        """SHA-256 of the provider lock file."""
        path = self.root / _LOCK_FILE
        return sha256(path.read_bytes()) if path.is_file() else None


def export(at: Surroundings, workspace: Workspace) -> Path:
    """Exports the commit into the workspace; returns the folder of the root configuration."""
    _keep_unsaved_states(at, workspace)
    workspace.clear_source()
    at.repository.export(at.release.commit, workspace.source)
    root = workspace.source / at.repository.in_project(at.release.target.root)
    for name in (roots.OVERRIDE_FILE, roots.GENERATED_FILE):
        if os.path.lexists(root / name):
            raise InvalidInput(f"the root configuration has a file {name}, a name that orchestrate uses itself")
    return root


def warn(at: Surroundings) -> None:
    """Says what a person would miss: files that stand in the working tree but not in the commit."""
    commit, target = at.release.commit, at.release.target
    hidden = at.repository.ignored_or_untracked(commit, [*target.var_file_candidates, f"{target.root}/{_LOCK_FILE}"])
    for path in hidden:
        at.progress(f"Warning: {path} stands in the working tree but not in the commit: it is not part of the release")
    for path in at.repository.submodules(commit):
        at.progress(f"Warning: {path} is a git submodule; its files are not part of the release")


def terraform(at: Surroundings, workspace: Workspace, root: Path, cancelled: Callable[[], bool]) -> Terraform:
    """The program, with the backend it must use written beside the root's own files."""
    target = at.release.target
    seat = Seat(workspace, root, target.backend, target.region)
    return program(at, seat, at.release.rules.project.terraform, cancelled)


@dataclass(frozen=True)
class Seat:
    """Where a Terraform works: its workspace, its root configuration, and the backend and Region it must use."""

    workspace: Workspace
    root: Path
    backend: Backend
    region: str


class Starter(Protocol):
    """Who starts it: a release, or a command that concerns none."""

    @property
    def env(self) -> Mapping[str, str]: ...
    @property
    def masker(self) -> Masker: ...
    @property
    def progress(self) -> Callable[[str], None]: ...


def program(by: Starter, seat: Seat, settings: Settings, cancelled: Callable[[], bool] = lambda: False) -> Terraform:
    """As `terraform`, for any root."""
    tool = find(settings.program, env=by.env)
    lock_file = seat.root / _LOCK_FILE
    locked = dict(_LOCKED_PROVIDER.findall(lock_file.read_text())) if lock_file.is_file() else {}
    region = {"AWS_REGION": seat.region, "AWS_DEFAULT_REGION": seat.region}
    extra = {**cli_config(by.env, locked=locked), **region}
    write(seat.root, {roots.OVERRIDE_FILE: roots.backend_override(seat.backend)})
    return Terraform(
        program=tool.path,
        version=tool.version,
        workspace=seat.workspace,
        root=seat.root,
        env=environment(by.env, settings, extra),
        settings=settings,
        masker=by.masker,
        progress=by.progress,
        cancelled=cancelled,
    )


def read(at: Surroundings, root: Path) -> dict[str, Json]:
    """The configuration files of the root, ours left out."""
    names = (".tf", ".tf.json", ".tofu", ".tofu.json")
    suffixes = names if at.release.rules.project.terraform.program == "tofu" else names[:2]
    ours = (roots.OVERRIDE_FILE, roots.GENERATED_FILE)
    return hcl.read_root(root, at.cache, suffixes=suffixes, skip=ours)


def complete(at: Surroundings, terraform: Terraform, files: Mapping[str, Json]) -> Prepared:
    """After `init`: takes over the credentials of every AWS provider and sets the target's variables."""
    release, workspace = at.release, terraform.workspace
    workload = release.rules.project.workload
    root = roots.interpret(files)
    _refuse_providers_in_modules(workspace.data, terraform.root)
    identity = Identity.of(release.tag, release.target, workload)
    uses_aws = any(_AWS.search(address) for address in installed_providers(workspace.data))
    unmanaged = workload.unmanaged_providers
    write(terraform.root, roots.generated_files(root, release.target.backend, identity, unmanaged, uses_aws=uses_aws))
    reserved = roots.reserved_variables(root, roots.facts(release.tag, release.target), workload)
    var_files = [workspace.source / at.repository.in_project(path) for path in release.var_files]
    for path in [*var_files, *_automatic_var_files(terraform.root)]:
        roots.check_reserved(str(path.relative_to(workspace.source)), hcl.read_file(path, at.cache), reserved)
    own = workspace.run / VARIABLES_FILE
    own.write_bytes(canonical_json(reserved))
    return Prepared(terraform, terraform.root, (*var_files, own))


def _automatic_var_files(root: Path) -> list[Path]:
    """Variable files that Terraform reads without being told ("Assigning Values to Root Module Variables")."""
    names = ("terraform.tfvars", "terraform.tfvars.json", "*.auto.tfvars", "*.auto.tfvars.json")
    return sorted(path for name in names for path in root.glob(name))


def _refuse_providers_in_modules(data: Path, root: Path) -> None:
    """An override cannot reach a provider block inside a module, so its credentials would not be ours to give."""
    for address, folder in module_folders(data, root).items():
        for path in sorted([*folder.glob("*.tf"), *folder.glob("*.tf.json")]):
            if _configures_aws(path):
                raise InvalidInput(
                    f"module {address} ({path.name}) configures an aws provider of its own",
                    hint="Configure it in the root, where the role can be set, and pass it on: providers = {...}.",
                )


def _configures_aws(path: Path) -> bool:
    content = path.read_bytes()
    if path.suffix == ".json":
        return any(name == "aws" for name, _ in roots.labelled(json.loads(content), "provider"))
    return _CHILD_PROVIDER.search(content) is not None


def write(folder: Path, files: Mapping[str, Json]) -> None:
    """Generated files, by name."""
    for name, content in files.items():
        (folder / name).write_bytes(canonical_json(content))


def _keep_unsaved_states(at: Surroundings, workspace: Workspace) -> None:
    """A state that Terraform could not save (`errored.tfstate`) outlives the export it lies in."""
    for path in workspace.source.rglob("errored.tfstate") if workspace.source.exists() else ():
        kept = workspace.run / f"errored-{clock.now():%Y%m%dT%H%M%SZ}.tfstate"
        shutil.move(path, kept)
        kept.chmod(0o600)
        at.progress(
            f"Warning: an earlier apply could not save its state; it is kept in {kept}. Compare it with the stored one "
            "before you go on: what it holds alone, the next plan does not know."
        )
