"""From a release to a workspace in which Terraform can plan or apply it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from orchestrator.effects.git.files import lfs_pointers
from orchestrator.effects.system import outlet
from orchestrator.effects.terraform import declared_secrets, hcl
from orchestrator.effects.terraform.data_folder import installed_providers, module_folders
from orchestrator.effects.terraform.modules import ModuleTree, check_modules
from orchestrator.effects.terraform.surroundings import environment, for_fetching
from orchestrator.effects.terraform.terraform import VARIABLES_FILE, Terraform
from orchestrator.effects.terraform.workspace import Workspace
from orchestrator.effects.tools.find import find
from orchestrator.effects.tools.providers import cli_config
from orchestrator.errors import InvalidInput
from orchestrator.model.rules.backend import Backend
from orchestrator.model.rules.config import TerraformSettings as Settings
from orchestrator.model.terraform import credentials, override, variables
from orchestrator.model.terraform import root as roots
from orchestrator.model.terraform.allowed_providers import refuse_others
from orchestrator.model.terraform.override import GENERATED_FILE, ProviderIdentity
from orchestrator.model.terraform.provider_lock import (
    LOCK_FILE,
    LockedProvider,
    doubts,
    locked_versions,
    parse_lock_file,
)
from orchestrator.model.terraform.root import OVERRIDE_FILE, Json
from orchestrator.model.text.canonical import canonical_json, sha256
from orchestrator.model.text.masking import Masker
from orchestrator.model.text.progress import Progress
from orchestrator.model.tools.dialect import Dialect, twins
from orchestrator.stages.context.context import ReleaseContext
from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.registry import ask

_OURS = (OVERRIDE_FILE, GENERATED_FILE)


@dataclass(frozen=True)
class Prepared:
    """An exported release, initialized under a backend that the rules derive."""

    terraform: Terraform
    root: Path
    var_files: tuple[Path, ...]
    identity: ProviderIdentity
    taken_over: frozenset[str]
    modules: Mapping[str, str]
    """Digests of the modules from outside the commit, by address."""

    def check_credentials(self, plan_json: bytes, unmanaged: Collection[str]) -> None:
        """Raises InvalidInput where a provider of the plan ran with other settings than those that we gave."""
        credentials.check(plan_json, self.identity, unmanaged, self.taken_over, self.terraform.graph)

    @property
    def lock_file(self) -> str | None:
        """SHA-256 of the provider lock file."""
        path = self.root / LOCK_FILE
        return sha256(path.read_bytes()) if path.is_file() else None


def export(ctx: ReleaseContext, workspace: Workspace, *, refuse_unsaved: bool = True) -> Path:
    """Exports the commit into the workspace; returns the folder of the root configuration.

    Refused where a state lies there that was not saved: what it alone knows of would be made again.
    """
    if refuse_unsaved:
        ask(replace(GateContext.of(ctx, "workspace"), opened=workspace))
    workspace.clear_source()
    # Terraform keeps what it once fetched: modules that are no longer called, or another state of a moving branch.
    shutil.rmtree(workspace.data / "modules", ignore_errors=True)
    ctx.repository.export(ctx.release.commit, workspace.source)
    outlet.publish(variables.facts(ctx.release.tag, ctx.release.target).values())
    declared_secrets.learn(workspace.source, ctx.env)
    if any(workspace.source.rglob("errored.tfstate")):
        workspace.clear_source()
        raise InvalidInput(
            "the commit holds an errored.tfstate, a state that Terraform could not save",
            hint="Remove it from the commit: from now on nobody could tell it from one of this workspace.",
        )
    root = workspace.source / ctx.repository.in_project(ctx.release.target.root)
    _refuse_what_we_write(root)
    roots.refuse_later_overrides(_dialect(ctx).read(os.listdir(root)))
    _refuse_other_providers(ctx, root)
    return root


def _refuse_what_we_write(root: Path) -> None:
    """Files that orchestrate writes itself, and a state, which is another one than the target's."""
    for name in (twin for ours in _OURS for twin in twins(ours)):
        if os.path.lexists(root / name):
            raise InvalidInput(f"the root configuration has a file {name}, a name that orchestrate uses itself")
    if os.path.lexists(root / "terraform.tfstate"):
        raise InvalidInput(
            "the root configuration holds a state, terraform.tfstate: what it knows, the state of this target does not",
            hint="Remove it from the commit, once its resources are in the target's state or no longer needed.",
        )


def _refuse_other_providers(ctx: ReleaseContext, root: Path) -> None:
    """Before `init`, which installs what the lock file names and nothing else."""
    if os.path.lexists(root / "terraform.d"):
        raise InvalidInput(
            "the root configuration holds a folder terraform.d, from which providers could be installed",
            hint="Remove it from the commit: providers come from their registry, or a mirror of this machine.",
        )
    release = ctx.release
    lock_file = ctx.repository.read(release.rules_commit, f"{release.target.root}/{LOCK_FILE}") or b""
    protected = locked_versions(parse_lock_file(lock_file.decode(errors="replace")))
    used = locked_versions(locked_providers(root))
    refuse_others(used, release.rules.project.terraform.providers, protected)


def warn(ctx: ReleaseContext, source: Path) -> None:
    """Says what a person would miss: files that stand in the working tree but not in the commit, and the like."""
    commit, target = ctx.release.commit, ctx.release.target
    lock_file = f"{target.root}/{LOCK_FILE}"
    hidden = ctx.repository.ignored_or_untracked(commit, [*target.var_file_candidates, lock_file])
    for path in hidden:
        ctx.progress(f"Warning: {path} stands in the working tree but not in the commit: it is not part of the release")
    for path in ctx.repository.submodules(commit):
        ctx.progress(f"Warning: {path} is a git submodule; its files are not part of the release")
    for path in lfs_pointers(source):
        ctx.progress(f"Warning: {path} is kept in Git LFS: the release holds the pointer to it, not its content")
    locked = parse_lock_file((ctx.repository.read(commit, lock_file) or b"").decode(errors="replace"))
    for doubt in doubts(locked, ctx.release.rules.project.terraform.program):
        ctx.progress(f"Warning: {doubt}")


def terraform(ctx: ReleaseContext, workspace: Workspace, root: Path, cancelled: Callable[[], bool]) -> Terraform:
    """The program, with the backend it must use written beside the root's own files."""
    target = ctx.release.target
    ask(replace(GateContext.of(ctx, "init"), opened=workspace))
    tf_root = TerraformRoot(workspace, root, target.backend, target.region)
    return program(ctx, tf_root, ctx.release.rules.project.terraform, cancelled)


@dataclass(frozen=True)
class TerraformRoot:
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
    def progress(self) -> Progress: ...


def program(
    by: Starter, tf_root: TerraformRoot, settings: Settings, cancelled: Callable[[], bool] = lambda: False
) -> Terraform:
    """As `terraform`, for any root."""
    tool = find(settings.program, env=by.env)
    locked = locked_versions(locked_providers(tf_root.root))
    region = {"AWS_REGION": tf_root.region, "AWS_DEFAULT_REGION": tf_root.region}
    extra = {**cli_config(by.env, locked=locked), **region}
    ours = override.backend_override(tf_root.backend)
    write(tf_root.root, {OVERRIDE_FILE: ours})
    return Terraform(
        name=tool.name,
        program=tool.path,
        version=tool.version,
        workspace=tf_root.workspace,
        root=tf_root.root,
        backend=ours["terraform"]["backend"],
        env=environment(by.env, settings, extra),
        fetching=for_fetching(by.env),
        settings=settings,
        masker=by.masker,
        progress=by.progress,
        cancelled=cancelled,
    )


def locked_providers(root: Path) -> tuple[LockedProvider, ...]:
    """What the lock file of a root fixes; raises InvalidInput where Terraform has not written it."""
    path = root / LOCK_FILE
    return parse_lock_file(path.read_text("utf-8", errors="replace")) if path.is_file() else ()


def lacks_providers(terraform: Terraform) -> bool:
    """Whether `init` will install a provider that an earlier run of this workspace has not left."""
    locked = {provider.address for provider in locked_providers(terraform.root)}
    return not locked <= installed_providers(terraform.workspace.data)


def read(ctx: ReleaseContext, folder: Path, *, skip: Collection[str] = _OURS, told: str = "") -> dict[str, Json]:
    """The configuration files of a root or module, ours left out.

    The program that runs decides which files these are: it may be another one than the rules name.
    """
    return hcl.read_root(folder, ctx.cache, dialect=_dialect(ctx), skip=skip, told=told)


def _dialect(ctx: ReleaseContext) -> Dialect:
    """Of the program that runs, which decides which files count."""
    return find(ctx.release.rules.project.terraform.program, env=ctx.env).dialect


def complete(ctx: ReleaseContext, terraform: Terraform, files: Mapping[str, Json]) -> Prepared:
    """After `init`: takes over the credentials of every AWS provider and sets the target's variables.

    The Terraform of what it returns knows which values are secret.
    """
    release, workspace = ctx.release, terraform.workspace
    workload = release.rules.project.workload
    policy = release.rules.environments[release.tag.env].policy
    tree = ModuleTree(workspace.data, terraform.root, workspace.source)
    modules = check_modules(tree, policy.module_sources)
    root = roots.interpret(files)
    for address, folder in module_folders(workspace.data, terraform.root).items():
        _refuse_providers(address, read(ctx, folder, told=f"module {address}: "))
    identity = ProviderIdentity.of(release.tag, release.target, workload)
    # The folder may still hold providers of an earlier version of the root.
    locked = {provider.address for provider in locked_providers(terraform.root)}
    installed, unmanaged = installed_providers(workspace.data) & locked, workload.unmanaged_providers
    generated = override.generated_files(root, release.target.backend, identity, unmanaged, installed)
    write(terraform.root, generated)
    reserved = variables.reserved_variables(root, variables.facts(release.tag, release.target), workload)
    var_files = [workspace.source / ctx.repository.in_project(path) for path in release.var_files]
    given = _given(ctx, terraform, var_files, {*reserved, *root.sensitive})
    for name, values in given.items():
        variables.check_reserved(name, values, reserved)
    outlet.learn(variables.secrets(root, given.values(), terraform.env))
    terraform = replace(terraform, masker=outlet.masker())
    own = workspace.run / VARIABLES_FILE
    own.write_bytes(canonical_json(reserved))
    taken_over = override.overridden(generated)
    return Prepared(terraform, terraform.root, (*var_files, own), identity, taken_over, modules)


def _given(
    ctx: ReleaseContext, terraform: Terraform, var_files: Iterable[Path], names: Collection[str]
) -> dict[str, Json]:
    """What variable files say of the variables of these names, by the file's path in the repository."""
    found = {}
    for path in [*var_files, *automatic_var_files(terraform.root)]:
        told = str(path.relative_to(terraform.workspace.source))
        found[told] = hcl.read_file(path, ctx.cache, names, told=told)
    return found


def automatic_var_files(root: Path) -> list[Path]:
    """Variable files that Terraform reads without being told ("Assigning Values to Root Module Variables")."""
    names = ("terraform.tfvars", "terraform.tfvars.json", "*.auto.tfvars", "*.auto.tfvars.json")
    return sorted(path for name in names for path in root.glob(name))


def _refuse_providers(module: str, files: Mapping[str, Json]) -> None:
    """An override cannot reach a provider block inside a module, so its credentials would not be ours to give.

    That holds for an empty block too: it is a configuration of its own, not the root's.
    """
    names = roots.aws_names(files.values())
    for name, body in files.items():
        if any(roots.provider_blocks([body], names)):
            raise InvalidInput(
                f"module {module} ({name}) configures an aws provider of its own",
                hint="Configure it in the root, where the role can be set, and pass it on: providers = {...}.",
            )


def write(folder: Path, files: Mapping[str, Json]) -> None:
    """Generated files, by name."""
    for name, content in files.items():
        (folder / name).write_bytes(canonical_json(content))
