"""Packages come from the lock alone, whatever the index offers on the day."""

from __future__ import annotations

import glob
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from orchestrator import pins
from tests.support.git_project import GitProject
from tests.support.wheels import fetch_installer, make_wheel, served

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[2]
INSTALL = REPOSITORY / "orchestrator/pins/install.py"


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`app` wants `plugin[fast]`, which wants `speedup`. Of each a newer version is there than in lock.txt."""
    folder = tmp_path_factory.mktemp("wheels")
    fetch_installer(folder)
    extra = ["Provides-Extra: fast", "Requires-Dist: speedup>=1.0; extra == 'fast'"]
    lock = make_wheel(folder, "app", "1.0", requires=["Requires-Dist: plugin[fast]>=1.0"])
    lock += make_wheel(folder, "plugin", "1.0", requires=extra)
    lock += make_wheel(folder, "speedup", "1.0")
    for name, requires in {"app": ["Requires-Dist: plugin[fast]>=2.0"], "plugin": extra, "speedup": []}.items():
        make_wheel(folder, name, "2.0", requires=requires)
    (folder / "lock.txt").write_text(lock)
    return folder


@pytest.fixture(scope="module")
def index(wheels: Path) -> Iterator[str]:
    with served(wheels) as address:
        yield address


def plain(index: str) -> dict[str, str]:
    """Nothing of the person's configuration; this index is the only one."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_", "MAKE", "MFLAGS"))}
    return kept | {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": index}


@pytest.fixture
def env(index: str) -> Mapping[str, str]:
    return plain(index)


def install(
    folder: Path, lock: Path, env: Mapping[str, str], *options: str, python: str = sys.executable
) -> subprocess.CompletedProcess[str]:
    command = [python, "-I", str(INSTALL), str(folder), str(lock), *options]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def installed(folder: Path) -> dict[str, str]:
    ask = [folder / "bin/python", "-I", "-m", "pip", "list", "--format=json", "--disable-pip-version-check"]
    listed = json.loads(subprocess.run(list(map(str, ask)), capture_output=True, check=True).stdout)
    return {found["name"]: found["version"] for found in listed}


LOCKED = {"app": "1.0", "plugin": "1.0", "speedup": "1.0"}


@pytest.fixture(scope="module")
def project(wheels: Path, index: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with this repository's Makefile, whose command tells how it was called, after `make install`."""
    project = tmp_path_factory.mktemp("project")
    shutil.copytree(pins.FOLDER, project / "orchestrator/pins", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(REPOSITORY / "Makefile", project / "Makefile")
    (project / "requirements").mkdir()
    shutil.copyfile(wheels / "lock.txt", project / "requirements/dev.txt")
    (project / "orchestrator/cli.py").write_text("import sys\ndef run(): print('called with', sys.argv[1:])\n")
    (project / "pyproject.toml").write_text(PROJECT)
    elsewhere = {"PIP_TARGET": str(project / "elsewhere"), "PIP_PRE": "1"}
    make = ["make", f"PYTHON={sys.executable}", "install"]
    done = subprocess.run(
        make, cwd=project, env={**plain(index), **elsewhere}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "called with ['tools', 'install']" in done.stdout
    return project


PROJECT = """
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"
[project]
name = "orchestrate"
version = "1"
dependencies = ["app>=1"]
[project.scripts]
orchestrate = "orchestrator.cli:run"
[tool.setuptools]
packages = ["orchestrator"]
"""


def test_make_install_takes_what_the_lock_names_although_the_index_has_newer(project: Path) -> None:
    assert LOCKED.items() <= installed(project / ".venv").items()


def test_the_environment_holds_nothing_but_the_lock_the_installer_and_the_project(project: Path) -> None:
    pinned = {line.split("==")[0] for line in (pins.FOLDER / "installer.txt").read_text().splitlines() if "==" in line}
    assert installed(project / ".venv").keys() == LOCKED.keys() | pinned | {"orchestrate"}
    assert not (project / "elsewhere").exists()


def test_the_same_again_installs_nothing_and_needs_no_index(project: Path) -> None:
    offline = plain("http://127.0.0.1:1/")
    done = install(project / ".venv", project / "requirements/dev.txt", offline, "--editable", str(project))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_another_lock_makes_the_environment_anew_and_what_it_lacks_is_told(
    project: Path, wheels: Path, env: Mapping[str, str], tmp_path: Path
) -> None:
    made = tmp_path / "venv"
    shutil.copytree(project / ".venv", made, symlinks=True)
    stray = next(made.glob("lib/python*/site-packages")) / "stray.py"
    stray.touch()
    (tmp_path / "lock.txt").write_text((wheels / "lock.txt").read_text().splitlines()[0] + "\n")
    done = install(made, tmp_path / "lock.txt", env)
    assert done.returncode == 1
    assert "app 1.0 requires plugin, which is not installed" in done.stdout
    assert "`-m pip check ...` failed (exit code 1)" in done.stderr
    assert not stray.exists()
    assert not (made / ".installed").exists()


def test_a_folder_that_is_something_else_is_left_alone(wheels: Path, env: Mapping[str, str], tmp_path: Path) -> None:
    (tmp_path / "mine.txt").touch()
    done = install(tmp_path, wheels / "lock.txt", env)
    assert done.returncode == 1
    assert "is not a virtual environment" in done.stderr
    assert (tmp_path / "mine.txt").exists()


def test_a_missing_lock_is_named(env: Mapping[str, str], tmp_path: Path) -> None:
    done = install(tmp_path / "venv", tmp_path / "no.txt", env)
    assert (done.returncode, done.stderr) == (1, f"Error: cannot read {tmp_path}/no.txt: No such file or directory\n")


@pytest.mark.parametrize("lock", sorted([*REPOSITORY.glob("requirements/*.txt"), *pins.FOLDER.glob("*.txt")]), ids=str)
def test_a_lock_names_no_index_and_pins_everything_by_hash(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    requirements = [line for line in text.splitlines() if line and not line.startswith(("#", " "))]
    assert requirements
    assert all("==" in line and line.endswith("\\") for line in requirements)


# Pythons of this machine


def pythons() -> list[str]:
    """The oldest and the newest that the locks are made for, on PATH or installed by pyenv."""
    folder = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    names = [f"python3.{minor}" for minor in (11, 12, 13, 14)]
    found = [next(filter(works, (name, *sorted(glob.glob(f"{folder}/versions/*/bin/{name}")))), None) for name in names]
    working = [python for python in found if python]
    return working[:1] + working[1:][-1:]


def works(python: str) -> bool:
    """A name may be on PATH and not work (pyenv's are), or lack what an environment is made with (Debian's)."""
    try:
        return subprocess.run([python, "-Ic", "import venv, ensurepip"], capture_output=True).returncode == 0
    except OSError:
        return False


FILES = ("pyproject.toml", "README.md", "LICENSE", "Makefile")
IMPORT_ALL = """
import importlib, pkgutil, orchestrator
for module in pkgutil.walk_packages(orchestrator.__path__, "orchestrator."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
"""


@pytest.mark.slow
@pytest.mark.parametrize("python", pythons(), ids=os.path.basename)
def test_orchestrate_installs_and_works_with_the_oldest_and_the_newest_python(
    python: str, git_project: GitProject, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("orchestrator", "buildspecs", "modules", "requirements", ".ci", *FILES):
        subprocess.run(["cp", "-R", str(REPOSITORY / name), str(copy)], check=True)
    made = copy / ".hook"
    make = ["make", "-C", str(copy), f"PYTHON={python}", "install-to", f"DEST={made}"]
    done = subprocess.run(make, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    subprocess.run([made / "bin/python", "-W", "error", "-I", "-c", IMPORT_ALL], check=True)
    git_project.tag("dev_us-east-1/research/1.0")
    command = [made / "bin/orchestrate", "--format", "json", "show", "--tag", "dev_us-east-1/research/1.0"]
    shown = json.loads(
        subprocess.run(list(map(str, command)), cwd=git_project.folder, capture_output=True, check=True).stdout
    )
    assert shown["account"] == "111111111111"
    asked = [made / "bin/orchestrate", "sandbox", "run", "--", "true"]
    refused = subprocess.run(list(map(str, asked)), capture_output=True, text=True, check=False)
    assert refused.returncode == 6
    assert "WITH=sandbox" in refused.stderr
    find = "import importlib.util, sys; sys.exit(importlib.util.find_spec('orchestrate_sandbox') is not None)"
    subprocess.run([made / "bin/python", "-I", "-c", find], check=True)
    helped = subprocess.run([copy / ".ci/pre-commit-check", "--help"], capture_output=True, text=True, check=True)
    assert helped.stdout.startswith("Usage: orchestrate check")
