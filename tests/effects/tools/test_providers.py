"""Mirrors of Terraform's providers, and the CLI configuration that names them."""

from __future__ import annotations

import os
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.effects.tools.find import find
from orchestrator.effects.tools.pinned import this_platform
from orchestrator.effects.tools.providers import cli_config, find_provider_mirrors, lint_cli_config
from orchestrator.model.terraform.checked_providers import CheckedProviders

PLATFORM = this_platform()
AWS = "registry.terraform.io/hashicorp/aws"

Env = dict[str, str]
Layout = Callable[[Path], Path]


@pytest.fixture
def env(tmp_path: Path) -> Env:
    """A user without any configuration, on a machine without shared data."""
    (tmp_path / "home").mkdir()
    return {
        "HOME": str(tmp_path / "home"),
        "XDG_DATA_DIRS": str(tmp_path / "share"),
        "ORCHESTRATE_CACHE": str(tmp_path / "cache"),
        "PATH": os.environ["PATH"],
    }


@pytest.fixture
def parent(tmp_path: Path) -> Path:
    """Stands for /opt."""
    (tmp_path / "opt" / "other").mkdir(parents=True)
    return tmp_path / "opt"


def unpacked(mirror: Path, address: str = AWS, version: str = "5.100.0", platform: str = PLATFORM) -> Path:
    folder = mirror / address / version / platform
    folder.mkdir(parents=True)
    (folder / f"terraform-provider-{address.rpartition('/')[2]}_v{version}").touch(mode=0o755)
    return mirror


def packed(mirror: Path, address: str = AWS, version: str = "5.100.0", platform: str = PLATFORM) -> Path:
    (mirror / address).mkdir(parents=True, exist_ok=True)
    kind = address.rpartition("/")[2]
    with zipfile.ZipFile(mirror / address / f"terraform-provider-{kind}_{version}_{platform}.zip", "w") as archive:
        archive.writestr(f"terraform-provider-{kind}_v{version}", "")
    return mirror


def configured(env: Env, parent: Path, **more: dict[str, str]) -> str:
    """The text of the configuration that Terraform is given."""
    return Path(cli_config(env, parents=[parent], **more)["TF_CLI_CONFIG_FILE"]).read_text("utf-8")


@pytest.mark.parametrize("layout", [unpacked, packed])
def test_a_mirror_in_either_layout_is_found(env: Env, parent: Path, layout: Layout) -> None:
    mirror = layout(parent / "tf-plugins")
    (found,) = find_provider_mirrors(env, parents=[parent])
    assert found.path == mirror
    assert found.providers == {AWS: {"5.100.0"}}
    assert not found.implied


def test_several_versions_and_providers_in_both_layouts(env: Env, parent: Path) -> None:
    mirror = unpacked(packed(unpacked(parent / "m", version="5.99.0")), "example.org/acme/thing", "1.0.0")
    (found,) = find_provider_mirrors(env, parents=[parent])
    assert found.path == mirror
    assert found.providers == {AWS: {"5.99.0", "5.100.0"}, "example.org/acme/thing": {"1.0.0"}}


def test_another_platforms_providers_are_no_mirror(env: Env, parent: Path) -> None:
    packed(unpacked(parent / "m", platform="plan9_mips"), platform="plan9_mips")
    assert find_provider_mirrors(env, parents=[parent]) == []


def test_the_configuration_names_the_mirror_for_what_it_holds(env: Env, parent: Path) -> None:
    mirror = unpacked(parent / "m")
    assert configured(env, parent) == (
        "disable_checkpoint = true\n\n"
        "provider_installation {\n"
        "  filesystem_mirror {\n"
        f'    path    = "{mirror}"\n'
        f'    include = ["{AWS}"]\n'
        "  }\n"
        "  direct {\n"
        f'    exclude = ["{AWS}"]\n'
        "  }\n"
        "}\n"
    )


def test_the_configuration_is_written_once(env: Env, parent: Path) -> None:
    unpacked(parent / "m")
    one = Path(cli_config(env, parents=[parent])["TF_CLI_CONFIG_FILE"])
    before = one.stat()
    assert cli_config(env, parents=[parent])["TF_CLI_CONFIG_FILE"] == str(one)
    assert one.stat() == before
    assert before.st_mode & 0o077 == 0
    one.write_text("changed")
    assert "filesystem_mirror" in configured(env, parent)


def test_without_a_mirror_terraform_searches_by_itself(env: Env, parent: Path) -> None:
    assert cli_config(env, parents=[parent, parent / "missing"]) == {"CHECKPOINT_DISABLE": "1"}


@pytest.mark.parametrize("place", [".terraform.d/plugins", ".local/share/terraform/plugins"])
def test_a_folder_that_terraform_searches_by_itself_needs_no_configuration(env: Env, parent: Path, place: str) -> None:
    mirror = unpacked(Path(env["HOME"]) / place)
    (found,) = find_provider_mirrors(env, parents=[parent])
    assert (found.path, found.implied) == (mirror, True)
    assert "TF_CLI_CONFIG_FILE" not in cli_config(env, parents=[parent])


def test_folders_that_terraform_searches_stay_in_use_beside_a_mirror(env: Env, parent: Path, tmp_path: Path) -> None:
    own = unpacked(tmp_path / "share" / "terraform" / "plugins", "example.org/acme/thing", "1.0.0")
    mirror = unpacked(parent / "m")
    text = configured(env, parent)
    assert text.index(str(own)) < text.index(str(mirror))
    assert f'exclude = ["example.org/acme/thing", "{AWS}"]' in text


@pytest.mark.parametrize(
    "file", [".terraformrc", ".tofurc", ".terraform.d/credentials.tfrc.json", ".terraform.d/x.tfrc"]
)
def test_the_users_own_configuration_is_left_alone(env: Env, parent: Path, file: str) -> None:
    unpacked(parent / "m")
    own = Path(env["HOME"]) / file
    own.parent.mkdir(exist_ok=True)
    own.touch()
    assert cli_config(env, parents=[parent]) == {"CHECKPOINT_DISABLE": "1"}
    assert not Path(env["ORCHESTRATE_CACHE"]).exists()


def test_a_configuration_that_is_set_is_left_alone(env: Env, parent: Path, tmp_path: Path) -> None:
    unpacked(parent / "m")
    (tmp_path / "own.tfrc").touch()
    own = env | {"TF_CLI_CONFIG_FILE": str(tmp_path / "own.tfrc")}
    assert cli_config(own, parents=[parent]) == {"CHECKPOINT_DISABLE": "1"}


def test_a_configuration_that_is_set_and_missing_is_replaced(env: Env, parent: Path, tmp_path: Path) -> None:
    missing = env | {"TF_CLI_CONFIG_FILE": str(tmp_path / "missing.tfrc")}
    assert configured(missing, parent) == "disable_checkpoint = true\n"
    unpacked(parent / "m")
    assert "filesystem_mirror" in configured(missing, parent)


def test_a_mirror_without_the_locked_version_is_not_used_for_that_provider(env: Env, parent: Path) -> None:
    unpacked(unpacked(parent / "m"), "registry.terraform.io/hashicorp/archive", "2.7.0")
    text = configured(env, parent, locked={AWS: "6.2.0"})
    assert AWS not in text
    assert "hashicorp/archive" in text
    assert AWS in configured(env, parent, locked={AWS: "5.100.0"})


def test_a_mirror_that_others_may_write_in_is_not_used(env: Env, parent: Path) -> None:
    unpacked(parent / "m").chmod(0o777)
    assert find_provider_mirrors(env, parents=[parent]) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_mirror_of_another_user_is_not_used(env: Env, parent: Path) -> None:
    os.chown(unpacked(parent / "m"), 65534, -1)
    assert find_provider_mirrors(env, parents=[parent]) == []


@pytest.mark.parametrize("name", ['a"b', "${x}", "a\nb"])
def test_a_path_that_would_have_to_be_quoted_is_not_used(env: Env, parent: Path, name: str) -> None:
    unpacked(parent / name)
    assert "TF_CLI_CONFIG_FILE" not in cli_config(env, parents=[parent])


@pytest.mark.slow
@pytest.mark.parametrize("layout", [unpacked, packed])
def test_terraform_takes_the_provider_from_the_mirror(env: Env, parent: Path, tmp_path: Path, layout: Layout) -> None:
    layout(parent / "m")
    root = tmp_path / "root"
    root.mkdir()
    (root / "main.tf").write_text(
        'terraform {\n  required_providers {\n    aws = { source = "hashicorp/aws" }\n  }\n}\n'
    )
    terraform = find("terraform", env=dict(os.environ)).path
    done = subprocess.run(
        [terraform, "init", "-input=false", "-no-color"],
        cwd=root,
        env=env | cli_config(env, parents=[parent]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Installed hashicorp/aws v5.100.0 (unauthenticated)" in done.stdout, done.stderr


# For lint -----------------------------------------------------------------------------------------------------------


def for_lint(env: Env, parent: Path) -> str:
    named = lint_cli_config(env, CheckedProviders(("registry.terraform.io/hashicorp/*",)), parents=[parent])
    return Path(named["TF_CLI_CONFIG_FILE"]).read_text("utf-8")


def test_for_lint_the_methods_are_named_even_where_there_is_no_mirror(env: Env, parent: Path) -> None:
    text = for_lint(env, parent)

    assert "provider_installation {" in text
    assert 'include = ["registry.terraform.io/hashicorp/*"]' in text


def test_for_lint_a_mirror_serves_what_is_allowed_and_the_home_folder_nothing(env: Env, parent: Path) -> None:
    mirror = unpacked(unpacked(parent / "m"), "example.org/acme/thing", "1.0.0")
    own = unpacked(Path(env["HOME"]) / ".terraform.d/plugins")

    text = for_lint(env, parent)

    assert f'path    = "{mirror}"\n    include = ["{AWS}"]' in text
    assert f'exclude = ["{AWS}"]' in text
    assert "acme" not in text
    assert str(own) not in text


@pytest.mark.parametrize("text", ["provider_installation {\n  direct {}\n}\n", "disable_checkpoint = true\n"])
def test_for_lint_the_users_configuration_counts_where_it_names_methods(env: Env, parent: Path, text: str) -> None:
    own = Path(env["HOME"]) / ".terraformrc"
    own.write_text(text)

    named = lint_cli_config(env, CheckedProviders(("registry.terraform.io/hashicorp/*",)), parents=[parent])

    assert (named["TF_CLI_CONFIG_FILE"] == str(own)) == ("provider_installation" in text)
