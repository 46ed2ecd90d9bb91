"""Finds folders that mirror Terraform's providers, and makes Terraform use them.

Terraform searches a few folders by itself ("Implied Local Mirror Directories" in its CLI configuration document) and
else asks the registry. A machine without a way to the registry may have a mirror in another place.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from orchestrator.effects.system.cache import Cache, cache_folder
from orchestrator.effects.tools.pinned import this_platform
from orchestrator.effects.tools.private import private_folder
from orchestrator.model.terraform.checked_providers import CheckedProviders
from orchestrator.model.tools.dialect import DIALECTS

Environment = Mapping[str, str]

# Providers by address (`registry.terraform.io/hashicorp/aws`), with the versions there are for this platform.
Providers = Mapping[str, frozenset[str]]

_REGISTRIES = tuple(dialect.registry for dialect in DIALECTS.values())
_CLI_FILES = tuple(dict.fromkeys(name for dialect in DIALECTS.values() for name in dialect.cli_files))
_GUESSED_PARENTS = (Path("/opt"), Path("/usr/share"))


@dataclass(frozen=True)
class Mirror:
    """A folder in one of Terraform's two layouts, packed or unpacked, and what it holds for this platform.

    `implied`: Terraform would search it by itself.
    """

    path: Path
    providers: Providers
    implied: bool


def cli_config(
    env: Environment,
    *,
    locked: Mapping[str, str] | None = None,
    parents: Iterable[Path] = _GUESSED_PARENTS,
) -> dict[str, str]:
    """The environment variables that Terraform is to get.

    Where the user has a CLI configuration, it is left alone, and so is Terraform's own search where that is enough.
    Otherwise one that names the mirrors is written into the cache. `locked` gives the version of each provider in the
    root's lock file: a mirror that Terraform would not search by itself is used for a provider only if it has that
    one.
    """
    quiet = {"CHECKPOINT_DISABLE": "1"}
    if own_configuration(env) is not None:
        return quiet
    mirrors = find_provider_mirrors(env, parents=parents)
    text = _configuration(mirrors, locked or {})
    if text is None and not env.get("TF_CLI_CONFIG_FILE"):
        return quiet
    # A variable that names a missing file makes Terraform print a warning with each command.
    return quiet | {"TF_CLI_CONFIG_FILE": str(_written(text or "disable_checkpoint = true\n", env))}


def lint_cli_config(
    env: Environment,
    allowed: CheckedProviders | None,
    *,
    locked: Mapping[str, str] | None = None,
    parents: Iterable[Path] = _GUESSED_PARENTS,
) -> dict[str, str]:
    """As cli_config, for code that is only looked at: only `allowed` providers, if that is said, from nowhere near it.

    Naming the methods ends Terraform's own search, which begins in `terraform.d/plugins` of the root. Methods that the
    user has chosen stay as they are; the caller looks afterwards at what came through them.
    """
    quiet = {"CHECKPOINT_DISABLE": "1"}
    own = own_configuration(env)
    if own is not None and names_methods(own):
        return quiet | {"TF_CLI_CONFIG_FILE": str(own.absolute())}
    mirrors = [mirror for mirror in find_provider_mirrors(env, parents=parents) if not _at_home(mirror.path, env)]
    return quiet | {"TF_CLI_CONFIG_FILE": str(_written(_explicit(mirrors, locked or {}, allowed), env))}


def names_methods(configuration: Path) -> bool:
    """Whether the user's CLI configuration says where providers come from."""
    text = configuration.read_text("utf-8", errors="replace")
    return re.search(r'^\s*"?provider_installation"?\s*[:={]', text, re.MULTILINE) is not None


def _at_home(path: Path, env: Environment) -> bool:
    return path.is_relative_to(home(env))


def _explicit(mirrors: Iterable[Mirror], locked: Mapping[str, str], allowed: CheckedProviders | None) -> str:
    blocks, held = [], set()
    for mirror in mirrors:
        used = [address for address in sorted(_usable(mirror, locked)) if allowed is None or allowed.holds(address)]
        if used and _can_be_quoted(mirror.path):
            blocks.append(f'  filesystem_mirror {{\n    path    = "{mirror.path}"\n    include = {_list(used)}\n  }}\n')
            held.update(used)
    include = "" if allowed is None else f"    include = {_list(allowed.patterns)}\n"
    blocks.append(f"  direct {{\n{include}    exclude = {_list(sorted(held))}\n  }}\n")
    return "disable_checkpoint = true\n\nprovider_installation {\n" + "".join(blocks) + "}\n"


def home(env: Environment) -> Path:
    return Path(env["HOME"]) if env.get("HOME") else Path.home()


def own_configuration(env: Environment) -> Path | None:
    """The CLI configuration that the user has written, None where there is none."""
    if env.get("TF_CLI_CONFIG_FILE"):
        files = [Path(env["TF_CLI_CONFIG_FILE"])]
    else:
        files = [*(home(env) / name for name in _CLI_FILES), *(home(env) / ".terraform.d").glob("*.tfrc*")]
    return next((file for file in files if file.exists()), None)


def find_provider_mirrors(env: Environment, *, parents: Iterable[Path] = _GUESSED_PARENTS) -> list[Mirror]:
    """Folders with providers for this platform: those that Terraform implies, then those directly under `parents`."""
    found = [Mirror(path, _held(path), True) for path in _implied(env)]
    found += [Mirror(path, _held(path), False) for path in _guessed(parents)]
    return [mirror for mirror in found if mirror.providers]


def _implied(env: Environment) -> list[Path]:
    if sys.platform == "darwin":
        support = Path("Library/Application Support/io.terraform/plugins")
        data = [home(env) / support, Path("/") / support]
    else:
        own = env.get("XDG_DATA_HOME") or str(home(env) / ".local" / "share")
        shared = env.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
        data = [Path(entry) / "terraform" / "plugins" for entry in [own, *shared.split(":")] if os.path.isabs(entry)]
    return list(dict.fromkeys([home(env) / ".terraform.d" / "plugins", *data]))


def _guessed(parents: Iterable[Path]) -> Iterator[Path]:
    for parent in parents:
        if parent.is_dir():
            yield from sorted(path for path in parent.iterdir() if _is_mirror(path) and _trusted(path))


def _is_mirror(path: Path) -> bool:
    return any((path / registry).is_dir() for registry in _REGISTRIES)


def _trusted(path: Path) -> bool:
    """Providers run with a release's credentials: nobody but root and this user may have put them there."""
    status = path.stat()
    return status.st_uid in (0, os.geteuid()) and not status.st_mode & stat.S_IWOTH


def _held(mirror: Path) -> Providers:
    # A type has no `_`, so the archive's name is unambiguous; a host has a dot.
    platform = this_platform()
    held: dict[str, set[str]] = {}
    for folder in mirror.glob(f"*.*/*/*/*/{platform}"):
        held.setdefault("/".join(folder.parts[-5:-2]), set()).add(folder.parts[-2])
    for archive in mirror.glob(f"*.*/*/*/terraform-provider-*_{platform}.zip"):
        address = "/".join(archive.parts[-4:-1])
        version = archive.name.removeprefix(f"terraform-provider-{archive.parts[-2]}_").removesuffix(f"_{platform}.zip")
        held.setdefault(address, set()).add(version)
    return {address: frozenset(versions) for address, versions in held.items()}


def _configuration(mirrors: Iterable[Mirror], locked: Mapping[str, str]) -> str | None:
    """None where Terraform's own search finds as much.

    Naming an installation method ends Terraform's own search, so the implied mirrors are named too.
    """
    used = [(mirror, sorted(_usable(mirror, locked))) for mirror in mirrors if _can_be_quoted(mirror.path)]
    if not any(addresses and not mirror.implied for mirror, addresses in used):
        return None
    blocks = [
        f'  filesystem_mirror {{\n    path    = "{mirror.path}"\n    include = {_list(addresses)}\n  }}\n'
        for mirror, addresses in used
        if addresses
    ]
    everywhere = _list(sorted({address for _, addresses in used for address in addresses}))
    blocks.append(f"  direct {{\n    exclude = {everywhere}\n  }}\n")
    return "disable_checkpoint = true\n\nprovider_installation {\n" + "".join(blocks) + "}\n"


def _usable(mirror: Mirror, locked: Mapping[str, str]) -> Iterator[str]:
    for address, versions in mirror.providers.items():
        if _ADDRESS.fullmatch(address) and (mirror.implied or locked.get(address) in (None, *versions)):
            yield address


_ADDRESS = re.compile(r"[A-Za-z0-9.:-]+(/[A-Za-z0-9_-]+){2}")


def _can_be_quoted(path: Path) -> bool:
    return re.fullmatch(r"[A-Za-z0-9 /._+@,=-]+", str(path)) is not None


def _list(addresses: Iterable[str]) -> str:
    return "[" + ", ".join(f'"{address}"' for address in addresses) + "]"


def _written(text: str, env: Environment) -> Path:
    """A file named after what it holds, so that it never changes under a running Terraform."""
    cache = Cache(private_folder(cache_folder(env)))
    name = f"cli-{sha256(text.encode()).hexdigest()[:16]}.tfrc"
    if cache.get("terraform", name) != text.encode():
        cache.put("terraform", name, text.encode())
    return cache.folder / "terraform" / name
