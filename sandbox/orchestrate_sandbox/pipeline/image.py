"""What a build finds around it, in place of CodeBuild's container image: a home of its own, Python, pip, `aws`, git.

Everything else is this machine's, and so are the tools that `orchestrate` has installed for its user. Python packages
of the sandbox's own environment count as installed, so that `pip install` of what it runs itself fetches nothing;
`orchestrate` does not, so that a build runs what it installs.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrate_sandbox.pipeline import aws_cli, sha256sum
from orchestrate_sandbox.pipeline.place import here
from orchestrator.effects.system.cache import cache_folder

_KEPT = frozenset(
    "LANG TZ USER LOGNAME SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE TF_CLI_CONFIG_FILE TF_PLUGIN_CACHE_DIR "
    "XDG_CACHE_HOME ORCHESTRATE_LEASE_SECONDS".split()
)
_KEPT_PREFIXES = ("LC_", "PIP_", "NIX_")
_LEFT_OUT = ("orchestrate", "orchestrator", "__editable__", "__pycache__", "_virtualenv")
_making = threading.Lock()


@dataclass(frozen=True)
class Image:
    """The folders of one build."""

    folder: Path

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def source(self) -> Path:
        return self.folder / "src"

    @property
    def python(self) -> Path:
        return self.folder / "python"

    @property
    def commands(self) -> Path:
        return self.folder / "bin"

    @property
    def temporary(self) -> Path:
        """Short: Terraform's providers listen on a socket below it, and a socket's path has about 100 characters."""
        return Path(tempfile.gettempdir(), f"build-{self.folder.name[:13]}")

    def remove(self) -> None:
        for folder in (self.folder, self.temporary):
            shutil.rmtree(folder, ignore_errors=True)

    def make(self, repositories: Mapping[str, Path]) -> None:
        """`repositories`: where git finds what has addresses that begin so."""
        for folder in (self.home, self.source, self.commands):
            folder.mkdir(parents=True)
        self.temporary.mkdir(mode=0o700)
        _make_python(self.python)
        _make_command(self.commands / "aws", sys.executable, "-I", aws_cli.__file__)
        if shutil.which("sha256sum") is None:  # macOS
            _make_command(self.commands / "sha256sum", sys.executable, "-I", "-S", sha256sum.__file__)
        (self.home / ".gitconfig").write_text(_git_configuration(repositories))

    def variables(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name in _KEPT or name.startswith(_KEPT_PREFIXES)}
        return {
            **kept,
            "PATH": os.pathsep.join([str(self.commands), str(self.python / "bin"), _path_of_this_machine()]),
            "HOME": str(self.home),
            "TMPDIR": str(self.temporary),
            "CI": "true",
            "ORCHESTRATE_CACHE": str(cache_folder(os.environ)),
            "ORCHESTRATE_WORKSPACES": str(here().folder / "workspaces"),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_NO_INPUT": "1",
            "PIP_ROOT_USER_ACTION": "ignore",
        }


def _path_of_this_machine() -> str:
    """Without the environment that the sandbox itself runs in: what a build does not install, it does not have."""
    own = {Path(sys.executable).parent, Path(sysconfig.get_path("scripts"))}
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(folder for folder in folders if folder and Path(folder) not in own)


def _make_python(folder: Path) -> None:
    """A virtual environment by hand: `python -m venv` takes as long as everything else in a build together."""
    base = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = folder / "lib" / version / "site-packages"
    packages.mkdir(parents=True)
    (packages / "image.pth").write_text(f"{_installed_packages()}\n")
    commands = folder / "bin"
    commands.mkdir()
    for name in ("python", "python3", version):
        (commands / name).symlink_to(base)
    (folder / "pyvenv.cfg").write_text(f"home = {base.parent}\ninclude-system-site-packages = false\n")
    for name in ("pip", "pip3"):
        _make_command(commands / name, str(commands / "python"), "-m", "pip")


def _installed_packages() -> Path:
    """A folder of links to the packages of our own environment, made once."""
    shared = here().folder / "image"
    with _making:
        if not shared.is_dir():
            made = here().folder / "image.unfinished"
            made.mkdir()
            for package in Path(sysconfig.get_path("purelib")).iterdir():
                if not package.name.startswith(_LEFT_OUT) and package.suffix != ".pth":
                    (made / package.name).symlink_to(package)
            made.rename(shared)
    return shared


def _make_command(path: Path, *command: str) -> None:
    path.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
    path.chmod(0o755)


def _git_configuration(repositories: Mapping[str, Path]) -> str:
    sections = [f'[url "{folder}/"]\n\tinsteadOf = {address}/\n' for address, folder in repositories.items()]
    return "".join(["[safe]\n\tdirectory = *\n[init]\n\tdefaultBranch = main\n", *sections])
