"""What a check of one root covers."""

from __future__ import annotations

import string
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import InvalidInput
from orchestrator.model.checks.coverage import Coverage, Kind, cover, roots_below

ROOT = 'module "app" {\n  source = "../../modules/app"\n}\n'


def covered(
    files: Mapping[str, str],
    root: str,
    extra: tuple[str, ...] = (),
    links: Mapping[str, str] | None = None,
    leave_out: tuple[str, ...] = (),
) -> Coverage:
    kinds: dict[str, Kind] = {**dict.fromkeys(files, "file"), **dict.fromkeys(links or {}, "link")}
    contents = {**files, **(links or {})}
    return cover(kinds, lambda path: contents[path].encode(), root, extra, leave_out=leave_out)


def test_a_root_and_the_modules_it_calls_are_covered_but_no_other_root() -> None:
    files = {
        "teams/a/main.tf": ROOT,
        "teams/a/.terraform.lock.hcl": "",
        "teams/a/files/page.html": "",
        "teams/b/main.tf": ROOT,
        "modules/app/main.tf": 'module "net" {\n  source = "../net"\n}\n',
        "modules/app/examples/basic/main.tf": "",
        "modules/net/main.tf": "",
        "modules/unused/main.tf": "",
        "README.md": "",
        "envs/dev.tfvars": "",
    }

    found = covered(files, "teams/a", ("envs/dev.tfvars", "envs/missing.tfvars"))

    assert found.modules == ("teams/a", "modules/app", "modules/net")
    assert set(found.files) == {
        "teams/a/main.tf",
        "teams/a/.terraform.lock.hcl",
        "teams/a/files/page.html",
        "modules/app/main.tf",
        "modules/net/main.tf",
        "envs/dev.tfvars",
    }


@pytest.mark.parametrize(
    ("code", "taken"),
    [
        ('file("${path.module}/../shared/a.json")', "teams/shared/a.json"),
        ('file("${path.root}/../shared/a.json")', "teams/shared/a.json"),
        ('templatefile("../shared/a.json", {})', "teams/shared/a.json"),
        ('fileset("${path.module}/../shared", "*.json")', "teams/shared/a.json"),
        ('file("../shared/${var.name}.json")', "teams/shared/a.json"),
        ('file("../shared/a-${var.name}")', "teams/shared/a.json"),
        ('join("/", [path.module, "..", "shared"])', "teams/shared/a.json"),
    ],
)
def test_files_that_code_names_by_a_relative_path_are_covered(code: str, taken: str) -> None:
    found = covered({"teams/a/main.tf": f"locals {{\n  x = {code}\n}}\n", "teams/shared/a.json": "{}"}, "teams/a")

    assert taken in found.files
    assert found.modules == ("teams/a",)


def test_a_folder_named_as_data_does_not_bring_its_configuration_along() -> None:
    files = {"a/main.tf": 'x = fileset("${path.module}/..", "*")', "main.tf": "", "other.json": ""}

    assert set(covered(files, "a").files) == {"a/main.tf", "other.json"}


def test_modules_of_tests_are_covered_too() -> None:
    files = {
        "a/main.tf": "",
        "a/tests/a.tftest.hcl": 'run "x" {\n  module {\n    source = "./tests/setup"\n  }\n}\n'
        'mock_provider "aws" {\n  source = "../mocks"\n}\n',
        "a/tests/setup/main.tf": "",
        "mocks/aws.tfmock.hcl": "",
    }

    assert set(covered(files, "a").files) == set(files)


def test_json_configuration_is_followed() -> None:
    files = {"a/main.tf.json": '{"module": {"m": {"source": "../m"}}}', "m/main.tf.json": "{}"}

    assert covered(files, "a").modules == ("a", "m")


def test_modules_that_call_each_other_end() -> None:
    files = {"a/main.tf": 'module "b" {\n source = "../b"\n}', "b/main.tf": 'module "a" {\n source = "../a"\n}'}

    assert covered(files, "a").modules == ("a", "b")


def test_the_top_of_the_repository_can_be_a_root() -> None:
    files = {"main.tf": 'module "m" {\n source = "./m"\n}', "m/main.tf": "", "other/main.tf": "", "envs/dev.yaml": ""}

    found = covered(files, "", leave_out=("envs",))

    assert set(found.files) == {"main.tf", "m/main.tf"}


def test_a_link_to_a_file_is_covered_as_that_file() -> None:
    found = covered({"a/main.tf": "", "shared/x.tf": ""}, "a", links={"a/x.tf": "../shared/x.tf"})

    assert found.files["a/x.tf"] == "shared/x.tf"
    assert "shared/x.tf" not in found.files


def test_a_module_behind_a_link_is_covered_where_it_is() -> None:
    files = {"a/main.tf": 'module "m" {\n source = "./m"\n}', "modules/m/main.tf": ""}

    found = covered(files, "a", links={"a/m": "../modules/m"})

    assert found.modules == ("a", "modules/m")
    assert found.links == {"a/m": "../modules/m"}


def test_links_on_the_way_to_a_module_are_covered() -> None:
    files = {"a/main.tf": 'module "m" {\n source = "../links/all/m"\n}', "modules/m/main.tf": ""}

    found = covered(files, "a", links={"links/all": "../modules", "links/other": "../modules"})

    assert found.modules == ("a", "modules/m")
    assert found.links == {"links/all": "../modules"}


def test_a_link_to_a_folder_brings_what_is_in_it() -> None:
    found = covered({"a/main.tf": "", "shared/x/y.txt": ""}, "a", links={"a/files": "../shared", "a/gone": "nowhere"})

    assert found.links == {"a/files": "../shared"}
    assert "shared/x/y.txt" in found.files


def test_hidden_files_are_covered_only_where_code_names_them() -> None:
    files = {"a/main.tf": 'x = file("./.named")', "a/.named": "", "a/.other": "", "a/.github/x.yml": ""}

    assert set(covered(files, "a").files) == {"a/main.tf", "a/.named"}


@pytest.mark.parametrize("target", ["/etc/passwd", "../../../etc/passwd", "x.tf"])
def test_a_link_out_of_the_repository_or_in_a_circle_is_refused(target: str) -> None:
    with pytest.raises(InvalidInput, match="link that leads out"):
        covered({"a/main.tf": ""}, "a", links={"a/x.tf": target})


def test_a_path_out_of_the_repository_is_left_to_terraform() -> None:
    assert set(covered({"a/main.tf": 'x = file("../../../etc/passwd")'}, "a").files) == {"a/main.tf"}


def test_a_folder_without_configuration_is_no_root() -> None:
    with pytest.raises(InvalidInput, match="no Terraform configuration in 'docs'"):
        covered({"docs/README.md": "", "docs/.hidden.tf": ""}, "docs")


def test_roots_are_the_folders_that_nobody_calls() -> None:
    files = {
        "a/main.tf": 'module "m" {\n source = "../m"\n}',
        "b/main.tf": 'module "m" {\n source = "../m"\n}',
        "m/main.tf": "",
        "m/tests/x.tftest.hcl": 'run "s" {\n module {\n source = "./tests/setup"\n }\n}',
        "m/tests/setup/main.tf": "",
    }
    kinds: dict[str, Kind] = {**dict.fromkeys(files, "file"), "b/link.tf": "link"}
    files["a/main.tf"] += 'module "out" {\n source = "../../elsewhere"\n}'

    assert roots_below(kinds, lambda path: files[path].encode(), "") == ("a", "b")
    assert roots_below(kinds, lambda path: files[path].encode(), "a") == ("a",)


_NAMES = st.text(string.ascii_lowercase, min_size=1, max_size=2)
_PATHS = st.lists(_NAMES, min_size=0, max_size=3).map("/".join)


@given(st.dictionaries(_PATHS, st.lists(_PATHS, max_size=3), min_size=1, max_size=6), st.data())
def test_nothing_of_an_uncalled_configuration_is_ever_covered(calls: dict[str, list[str]], data: st.DataObject) -> None:
    """Whatever modules call whatever folders: exactly those that can be reached from the root are covered."""

    def source(base: str, target: str) -> str:
        up = "/".join([".."] * len([part for part in base.split("/") if part]))
        return f"./{up}/{target}" if up else f"./{target}"

    files = {
        f"{folder}/main.tf".removeprefix("/"): "".join(f'source = "{source(folder, t)}"\n' for t in targets)
        for folder, targets in calls.items()
    }
    root = data.draw(st.sampled_from(sorted(calls)))
    reached, waiting = set(), [root]
    while waiting:
        folder = waiting.pop()
        if folder in calls and folder not in reached:
            reached.add(folder)
            waiting += calls[folder]

    found = covered(files, root)

    assert set(found.modules) == reached
    assert set(found.files) == {f"{folder}/main.tf".removeprefix("/") for folder in reached}
