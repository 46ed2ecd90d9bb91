"""Doctor: the programs, the folders that are written to, and where Terraform's providers come from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path

from orchestrator.effects.system import web
from orchestrator.effects.system.cache import cache_folder
from orchestrator.effects.system.writable import free_space
from orchestrator.effects.terraform.workspace import workspaces
from orchestrator.effects.tools.pinned import load_pins
from orchestrator.effects.tools.private import private_folder
from orchestrator.effects.tools.providers import find_provider_mirrors, own_configuration
from orchestrator.effects.tools.survey import survey
from orchestrator.errors import DependencyError
from orchestrator.model.doctor.diagnosis import Diagnosis, failed, looked, ok, warning
from orchestrator.model.terraform.provider_lock import LockedProvider
from orchestrator.model.tools.tool import needed

_PATIENCE = 5.0  # seconds for a registry's answer

Environment = Mapping[str, str]


def machine(env: Environment, program: str) -> Iterator[Callable[[], list[Diagnosis]]]:
    """What is looked at: the programs, of which `program` is the project's `terraform.program`, and the folders."""
    for name in needed(program, load_pins()):
        yield lambda name=name: [_tool(name, env)]  # type: ignore[misc]
    yield lambda: list(_folders(env))


def _tool(name: str, env: Environment) -> Diagnosis:
    (found,) = survey((name,), env)
    if found.tool is None:
        remediation = f"Run `orchestrate tools install {name}`, which installs {name} {found.pinned} for you alone."
        return failed(name, DependencyError(found.problem or "missing", hint=remediation))
    return ok(name, f"{found.tool.version}, {found.tool.path} ({found.tool.source})")


def _folders(env: Environment) -> Iterator[Diagnosis]:
    yield looked(
        "cache folder", lambda: _folder("cache folder", private_folder(cache_folder(env)), "ORCHESTRATE_CACHE")
    )
    yield looked("workspaces", lambda: _folder("workspaces", workspaces(env), "ORCHESTRATE_WORKSPACES"))
    plugins = env.get("TF_PLUGIN_CACHE_DIR")
    if plugins:
        yield looked("plugin cache", partial(_plugin_cache, Path(plugins)))


def _folder(name: str, folder: Path, setting: str) -> Diagnosis:
    return ok(name, f"{folder}, {free_space(folder, setting) / 1e9:.1f} GB free")


def _plugin_cache(folder: Path) -> Diagnosis:
    """Terraform itself does not make it ("Provider Plugin Cache" in its CLI configuration document)."""
    if not folder.is_dir():
        raise DependencyError(
            f"TF_PLUGIN_CACHE_DIR names {folder}, which is not a folder; `init` fails there",
            hint=f"Run `mkdir -p {folder}`, or remove the variable.",
        )
    return _folder("plugin cache", folder, "TF_PLUGIN_CACHE_DIR")


def providers(env: Environment, locked: Iterable[LockedProvider]) -> Iterator[Diagnosis]:
    """Whether the `locked` providers can be had, without installing them."""
    own, named = own_configuration(env), env.get("TF_CLI_CONFIG_FILE")
    if named and own is None:
        yield warning(
            "Terraform settings",
            f"TF_CLI_CONFIG_FILE names {named}, which does not exist; orchestrate uses settings of its own",
            "Correct or remove TF_CLI_CONFIG_FILE.",
        )
    if own is not None:
        yield ok("providers", f"as {own} says, which is left as it is")
        return
    mirrors = find_provider_mirrors(env)
    held = {(address, version) for mirror in mirrors for address, them in mirror.providers.items() for version in them}
    missing = [provider for provider in locked if (provider.address, provider.version) not in held]
    where = ", ".join(str(mirror.path) for mirror in mirrors)
    yield _of_registries(missing, where) if missing else ok("providers", f"in {where}" if where else "none needed")


def _of_registries(missing: Iterable[LockedProvider], mirrors: str) -> Diagnosis:
    hosts = dict.fromkeys(provider.address.partition("/")[0] for provider in missing)
    silent = {host: answer.body for host in hosts if (answer := _asked(host)).status != 200}
    if not silent:
        return ok("providers", (f"in {mirrors}, else " if mirrors else "") + f"from {', '.join(hosts)}")
    names = ", ".join(f"{p.address} {p.version}" for p in missing if p.address.partition("/")[0] in silent)
    return warning(
        "providers",
        f"{', '.join(silent)} cannot be reached ({next(iter(silent.values()))[:100]}), and no mirror on this machine "
        f"holds {names}",
        "Check the network and HTTPS_PROXY, or name a mirror in Terraform's CLI configuration (TF_CLI_CONFIG_FILE).",
    )


def _asked(host: str) -> web.WebAnswer:
    """Terraform's own first question to a registry ("Remote Service Discovery")."""
    return web.ask(f"https://{host}/.well-known/terraform.json", _PATIENCE)
