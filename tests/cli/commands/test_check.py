"""`orchestrate check` with the real tools: every kind of finding fails, and its fixed twin passes.

checkov takes seconds to start, so all kinds stand in one root, and its twin has each of them fixed.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from orchestrator.effects.system.cache import cache_folder
from orchestrator.effects.tools.install import ensure
from orchestrator.effects.tools.pinned import this_platform
from tests.support import command
from tests.support.check_tools import AS_CHECKOV, CANARY, RECORD, fake_tool
from tests.support.command import ORCHESTRATE, RunningCommand
from tests.support.processes import wait_for

LOCK_FILE = Path(__file__).parents[3] / "modules" / "workload" / ".terraform.lock.hcl"

PROJECT = 'state: {prefix: acme-tf, region: us-east-1}\ntooling: {account: "000000000000"}\nworkload: {root: live}\n'
DEV = """\
regions: [us-east-1]
global_resource_deploy_from_region: us-east-1
teams: {research: {account: "111111111111"}}
"""
VERSIONS = 'terraform {\n  required_version = ">= 1.5"\n}\n'
# A root of built-in providers alone: nothing is fetched, and no plugin is started.
SIMPLE = f'{VERSIONS}\nresource "terraform_data" "this" {{\n  input = "x"\n}}\n'

AWS_VERSIONS = """\
terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}
"""
OWNER_POLICY = """\
metadata: {id: CKV2_ACME_1, name: Queues carry an owner tag, category: GENERAL_SECURITY, severity: MEDIUM}
definition: {cond_type: attribute, resource_types: [aws_sqs_queue], attribute: tags.owner, operator: exists}
"""
NAME_POLICY = """\
from checkov.common.models.enums import CheckCategories, CheckResult
from checkov.terraform.checks.resource.base_resource_check import BaseResourceCheck


class QueueName(BaseResourceCheck):
    def __init__(self):
        super().__init__(
            name="Queue names begin with acme",
            id="CKV_ACME_2",
            categories=[CheckCategories.CONVENTION],
            supported_resources=["aws_sqs_queue"],
        )

    def scan_resource_conf(self, conf):
        return CheckResult.PASSED if str(conf.get("name", [""])[0]).startswith("acme") else CheckResult.FAILED


check = QueueName()
"""
SECRET = "AKIAIOSFODNN7HUNTER2"
HOSTILE_NAME = "$(touch pwned);`touch pwned` '\"\x1b[31m.tf"

GUILTY = {
    "live/main.tf": f"""\
{AWS_VERSIONS}
variable "unused" {{
  type = string
}}

variable "name" {{
  type = string
}}

module "queue" {{
  source = "../modules/queue"
  name   = var.name
}}

resource "terraform_data" "this" {{
   input = "badly formatted"
}}
""",
    "live/secret.tf": f'locals {{\n  key = "{SECRET}"\n}}\n\noutput "key" {{\n  value = local.key\n}}\n',
    f"live/{HOSTILE_NAME}": 'resource "aws_sqs_queue" "hostile" {\n  name = "x"\n}\n',
    "live/extra.tf.json": '{"resource": {"aws_sns_topic": {"json": {"name": "x"}}}}\n',
    "modules/queue/main.tf": f"""\
{AWS_VERSIONS}
variable "name" {{
  type = string
}}

resource "aws_sqs_queue" "this" {{
  #checkov:skip=CKV_AWS_27
  name = "\x1b]0;owned\x07${{var.name}}"
}}
""",
    "envs/dev.tfvars": 'name="acme"\n',
    "policies/owner.yaml": OWNER_POLICY,
    "policies/name.py": NAME_POLICY,
}  # fmt: skip
_QUEUE = """\
resource "aws_sqs_queue" "%s" {
  #checkov:skip=CKV_AWS_27:encrypted with the service's own key
  name                    = "acme-${%s}"
  sqs_managed_sse_enabled = true
  tags                    = { owner = "research" }
}
"""
_MENDED_QUEUE = _QUEUE % ("this", "var.name")
MENDED = {
    "live/main.tf": f"""\
{AWS_VERSIONS}
variable "name" {{
  type = string
}}

module "queue" {{
  source = "../modules/queue"
  name   = var.name
}}

resource "terraform_data" "this" {{
  input = "well formatted"
}}
""",
    "live/secret.tf": "",
    f"live/{HOSTILE_NAME}": _QUEUE % ("hostile", "var.name"),
    "live/extra.tf.json": '{"resource": {"aws_sns_topic": {"json": {"kms_master_key_id": "alias/aws/sns"}}}}\n',
    "modules/queue/main.tf": f'{AWS_VERSIONS}\nvariable "name" {{\n  type = string\n}}\n\n{_MENDED_QUEUE}',
    "envs/dev.tfvars": 'name = "acme"\n',
}  # fmt: skip


@dataclass(frozen=True)
class CheckAnswer(command.CommandResult):
    """What the checks found."""

    def report(self, check: str) -> dict[str, Any]:
        (report,) = [report for report in self.json["reports"] if report["check"] == check]
        return dict(report)

    def findings(self, check: str, state: str = "failing") -> list[dict[str, Any]]:
        return [finding for finding in self.report(check)["findings"] if finding["state"] == state]

    def rules(self, check: str, state: str = "failing") -> set[str]:
        return {finding["rule"] for finding in self.findings(check, state)}


@dataclass
class CheckedRepository:
    """A git repository whose checks have a cache of their own, but share the installed tools."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    def write(self, files: Mapping[str, str]) -> CheckedRepository:
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return self

    def run(self, *arguments: str, **env: str) -> CheckAnswer:
        done = command.run(arguments, cwd=self.folder, env=self.env | env, timeout=120)
        return CheckAnswer(done.code, done.out, done.err)

    def check(self, *arguments: str, **env: str) -> CheckAnswer:
        return self.run("check", "--format", "json", *arguments, **env)


Make = Callable[[Mapping[str, str]], CheckedRepository]
Fake = Callable[[str, str], dict[str, str]]


@pytest.fixture(scope="session")
def tool_folders() -> Path:
    """Where the tools are installed; installs them where they are not."""
    for name in ("terraform", "tflint", "checkov"):
        ensure(name, env=os.environ, progress=lambda line: None)
    return cache_folder(os.environ) / "tools"


@pytest.fixture(scope="module")
def module_make(tmp_path_factory: pytest.TempPathFactory, tool_folders: Path) -> Make:
    """Makes repositories that have a cache each."""

    def make(files: Mapping[str, str]) -> CheckedRepository:
        base = tmp_path_factory.mktemp("check")
        (base / "cache").mkdir(mode=0o700)
        if tool_folders.exists():
            (base / "cache/tools").symlink_to(tool_folders)
        # A day on which nobody asks for the AWS ruleset again, which would wait for the network.
        (base / "cache/tflint-plugins").mkdir(mode=0o700)
        (base / "cache/tflint-plugins/.aws-unavailable").write_text("this is a test")
        hidden = ("AWS_", "TF_", "GIT_", "TFLINT_", "ORCHESTRATE_", "COV_CORE")
        env = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
        env |= {"ORCHESTRATE_CACHE": str(base / "cache"), "HOME": str(base), "GIT_CONFIG_GLOBAL": os.devnull}
        (base / "work").mkdir()
        subprocess.run(["git", "init", "--quiet", base / "work"], check=True, env=env)
        return CheckedRepository(base / "work", env).write(files)

    return make


@pytest.fixture
def make(module_make: Make) -> Make:
    return module_make


def project(files: Mapping[str, str] = {}, dev: str = DEV) -> dict[str, str]:
    return {"envs/orchestrate.yaml": PROJECT, "envs/dev.yaml": dev, "live/main.tf": SIMPLE, **files}


# Every kind of finding ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def guilty(module_make: Make) -> tuple[CheckedRepository, CheckAnswer]:
    repository = module_make(project(GUILTY))
    (repository.folder / "live/.terraform.lock.hcl").write_bytes(LOCK_FILE.read_bytes())
    answer = repository.check("--policies", "--junit", "junit.xml", "--sarif", "out.sarif", "--markdown", "out.md")
    assert answer.code == 1, answer.err
    return repository, answer


@pytest.mark.slow
def test_every_kind_of_finding_fails_with_file_line_severity_and_rule(
    guilty: tuple[CheckedRepository, CheckAnswer],
) -> None:
    _, answer = guilty

    def places(check: str, rule: str) -> set[tuple[str, int, str]]:
        return {(f["file"], f["line"], f["severity"]) for f in answer.findings(check) if f["rule"] == rule}

    assert places("lint", "terraform_format") == {("live/main.tf", 26, "warning"), ("envs/dev.tfvars", 1, "warning")}
    assert places("lint", "terraform_unused_declarations") == {("live/main.tf", 12, "warning")}
    assert ("modules/queue/main.tf", 16, "medium") in places("scan", "CKV2_ACME_1")
    assert ("modules/queue/main.tf", 16, "unrated") in places("scan", "CKV_ACME_2")
    assert places("scan", "CKV_SECRET_2") == {("live/secret.tf", 2, "unrated")}
    assert any(file == "live/extra.tf.json" for file, _, _ in places("scan", "CKV_AWS_26"))
    skipped_without_reason = [f for f in answer.findings("scan") if f["rule"] == "CKV_AWS_27" and f["reason"]]
    assert [(f["file"], f["reason"]) for f in skipped_without_reason] == [
        ("modules/queue/main.tf", "skipped in the code without a reason")
    ]


@pytest.mark.slow
def test_findings_link_to_their_rule_and_show_the_line_and_how_to_mend_it(
    guilty: tuple[CheckedRepository, CheckAnswer],
) -> None:
    _, answer = guilty
    (unused,) = [f for f in answer.findings("lint") if f["rule"] == "terraform_unused_declarations"]
    (tag, *_) = [f for f in answer.findings("scan") if f["rule"] == "CKV2_ACME_1" and "modules" in f["file"]]
    (formatted,) = [
        f for f in answer.findings("lint") if f["file"] == "live/main.tf" and f["rule"] == "terraform_format"
    ]

    assert unused["link"].startswith("https://github.com/terraform-linters/")
    assert tag["code"] == 'resource "aws_sqs_queue" "this" {'
    assert "tags.owner" in tag["mend"]
    assert formatted["code"].splitlines() == ['-   input = "badly formatted"', '+  input = "badly formatted"']


@pytest.mark.slow
def test_a_hostile_file_name_does_nothing_and_is_shown_harmlessly(
    guilty: tuple[CheckedRepository, CheckAnswer],
) -> None:
    repository, answer = guilty
    named = {f["file"] for f in answer.findings("scan") if f["resource"] == "aws_sqs_queue.hostile"}

    assert named == {"live/" + HOSTILE_NAME.replace("\x1b", "\\x1b")}
    assert not list(repository.folder.parent.rglob("pwned"))


@pytest.mark.slow
def test_neither_secrets_nor_escape_sequences_reach_any_report(guilty: tuple[CheckedRepository, CheckAnswer]) -> None:
    repository, answer = guilty
    text = repository.run("check")
    written = [(repository.folder / name).read_text() for name in ("junit.xml", "out.sarif", "out.md")]
    cached = [path.read_text() for path in (repository.folder.parent / "cache/checks").iterdir()]

    for shown in (answer.out, answer.err, text.out, text.err, *written, *cached):
        assert SECRET not in shown
        assert "\x1b" not in shown
        assert "\x07" not in shown
    assert not list((repository.folder.parent / "cache").glob("check-*"))


@pytest.mark.slow
def test_a_repeated_run_answers_from_the_cache_and_fails_alike(guilty: tuple[CheckedRepository, CheckAnswer]) -> None:
    repository, first = guilty

    again = repository.check("--policies")

    assert again.code == 1
    for check in ("lint", "scan"):
        assert again.report(check)["cached"]
        assert again.report(check)["findings"] == first.report(check)["findings"]


@pytest.mark.slow
def test_the_mended_twin_passes_and_is_not_checked_a_second_time(module_make: Make) -> None:
    repository = module_make(project(GUILTY)).write(MENDED)
    (repository.folder / "live/.terraform.lock.hcl").write_bytes(LOCK_FILE.read_bytes())

    first = repository.check("--policies")
    assert (first.code, first.rules("lint"), first.rules("scan")) == (0, set(), set())
    assert first.rules("scan", "skipped") == {"CKV_AWS_27"}

    again = repository.check("--policies")
    assert again.report("lint")["cached"]
    assert again.report("scan")["cached"]


# Lint alone: roots of built-in providers ----------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("files", "rule", "place"),
    [
        ({"live/x.tf": 'output "x" {\n  value = var.nope\n}\n'}, "terraform_validate", "live/x.tf:2"),
        ({"live/x.tf": 'output "x" {\n'}, "terraform_init", "live/x.tf:1"),
        ({"live/x.tf": 'module "m" {\n  source = "./gone"\n}\n'}, "terraform_init", ""),
        ({"envs/dev.tfvars": "x = [\n"}, "terraform_syntax", "envs/dev.tfvars:2"),
    ],
)
def test_what_terraform_does_not_accept_fails(
    make: Make, fake: Fake, files: dict[str, str], rule: str, place: str
) -> None:
    answer = make(project(files)).check(**fake("checkov", "exit 3"))

    found = [f for f in answer.json["reports"][0]["findings"] if f["rule"] == rule]
    assert found
    assert f"{found[0]['file'] or ''}:{found[0]['line'] or ''}".strip(":") == place


@pytest.mark.slow
def test_of_a_variable_file_only_line_numbers_are_told(make: Make, fake: Fake) -> None:
    """Its values may be secret, also where no variable is declared as sensitive and no name says so."""
    files = {"envs/dev.tfvars": 'name = "acme"\nother   =   "Quite-Plain-Words"\n', "live/x.tf": 'locals {a="b"}\n'}
    answer = make(project(files)).check(**fake("checkov", "exit 3"))

    found = {f["file"]: f for f in answer.json["reports"][0]["findings"] if f["rule"] == "terraform_format"}
    assert found["envs/dev.tfvars"]["code"] == "lines 1-2"
    assert "Quite-Plain-Words" not in answer.out + answer.err
    assert "locals" in found["live/x.tf"]["code"]


@pytest.mark.slow
def test_the_repositorys_own_tflint_settings_are_honoured(make: Make, fake: Fake) -> None:
    unused = 'variable "unused" {\n  type = string\n}\n'
    own = 'plugin "terraform" {\n  enabled = true\n  preset  = "recommended"\n}\n'
    off = 'rule "terraform_unused_declarations" {\n  enabled = false\n}\n'
    repository = make(project({"live/x.tf": unused, ".tflint.hcl": own}))
    checkov = fake("checkov", "exit 3")

    def rules() -> set[str]:
        return {finding["rule"] for finding in repository.check(**checkov).json["reports"][0]["findings"]}

    assert rules() == {"terraform_unused_declarations"}
    repository.write({".tflint.hcl": own + off})
    assert rules() == set()
    repository.write({"live/.tflint.hcl": own})
    assert rules() == {"terraform_unused_declarations"}
    assert (repository.folder / ".tflint.hcl").read_text() == own + off


@pytest.mark.slow
def test_without_the_aws_ruleset_lint_says_so_or_fails_where_it_is_required(make: Make, fake: Fake) -> None:
    repository = make(project())
    checkov = fake("checkov", "exit 3")

    assert "AWS ruleset cannot be had" in repository.check(**checkov).json["reports"][0]["notes"][0]

    repository.write({"envs/dev.yaml": DEV + "checks: {lint: {aws_ruleset: required}}\n"})
    answer = repository.check(**checkov)
    assert answer.code == 6
    assert "AWS ruleset cannot be had" in answer.json["errors"][0]["error"]


@pytest.mark.slow
def test_a_plugin_that_the_settings_ask_for_and_that_is_missing_is_no_pass(make: Make, fake: Fake) -> None:
    repository = make(project({".tflint.hcl": 'plugin "acme" {\n  enabled = true\n}\n'}))

    answer = repository.check(**fake("checkov", "exit 3"))

    assert answer.code == 6
    assert "plugin acme is not installed" in answer.json["errors"][0]["error"]


def test_a_plugin_that_is_no_plugin_is_no_pass(make: Make, fake: Fake, tmp_path: Path) -> None:
    (tmp_path / "tflint-ruleset-acme").write_text("#!/bin/sh\necho nonsense\n")
    (tmp_path / "tflint-ruleset-acme").chmod(0o755)
    repository = make(project({".tflint.hcl": 'plugin "acme" {\n  enabled = true\n}\n'}))

    answer = repository.check(TFLINT_PLUGIN_DIR=str(tmp_path), **fake("checkov", "exit 3"))

    assert answer.code == 6
    assert "could not use a plugin" in answer.json["errors"][0]["error"]


# Tests: of the root and of the modules it uses ----------------------------------------------------------------------

_VARIABLE = 'variable "size" {\n  type = number\n}\n'
_CALL = 'module "queue" {\n  source = "../modules/queue"\n  size   = 1\n}\n'
_RUN = """run "{name}" {{
  command = plan

  variables {{
    size = {size}
  }}

  assert {{
    condition     = terraform_data.this.input == 1
    error_message = "the size is not one"
  }}
}}
"""
_QUEUE = f'{VERSIONS}\n{_VARIABLE}\nresource "terraform_data" "this" {{\n  input = var.size\n}}\n'
_REQUIRED = DEV + "checks: {required: [lint, test]}\n"


def with_tests(files: Mapping[str, str] = {}, dev: str = DEV) -> dict[str, str]:
    """A root that uses a module, which has a test that passes; another module is not used."""
    return project(
        {
            "live/main.tf": f"{VERSIONS}\n{_CALL}",
            "modules/queue/main.tf": _QUEUE,
            "modules/queue/tests/size.tftest.hcl": _RUN.format(name="one", size=1),
            "modules/other/main.tf": _QUEUE,
            "modules/other/tests/size.tftest.hcl": _RUN.format(name="two", size=2),
            **files,
        },
        dev,
    )


@pytest.fixture
def quick(fake: Fake) -> dict[str, str]:
    """The tools of the other checks find nothing."""
    canary = (
        '{"issues":[{"rule":{"name":"terraform_unused_declarations","severity":"warning"},"message":"m","range":'
        '{"filename":"orchestrate-canary/main.tf","start":{"line":1},"end":{"line":1}}}],"errors":[]}'
    )
    return {**fake("checkov", AS_CHECKOV), **fake("tflint", f"echo '{canary}'; exit 2")}


def test_tests_of_the_modules_that_the_root_uses_are_run(make: Make, quick: dict[str, str]) -> None:
    repository = make(with_tests(dev=_REQUIRED))

    answer = repository.check("--policies", **quick)

    assert answer.code == 0, answer.err
    assert answer.report("test")["cases"] == [
        {"file": "modules/queue/tests/size.tftest.hcl", "name": "one", "result": "passed"}
    ]
    assert repository.check("--policies", **quick).report("test")["cached"]


def test_a_run_that_fails_is_told_with_file_and_line_and_is_a_case_of_junit(make: Make, quick: dict[str, str]) -> None:
    runs = "".join(_RUN.format(name=name, size=size) for name, size in (("good", 1), ("bad", 2), ("broken", '"x"')))
    file = "modules/queue/size.tftest.hcl"
    repository = make(with_tests({file: f'{runs}run "late" {{\n}}\n'}))

    answer = repository.check("--policies", **quick)
    junit = ElementTree.fromstring(repository.run("check", "--policies", "--format", "junit", **quick).out)  # noqa: S314

    assert answer.code == 1
    found = {(f["file"], f["line"], f["resource"], f["rule"]) for f in answer.findings("test")}
    assert found == {(file, 21, f"{file}::bad", "terraform_test"), (file, 29, f"{file}::broken", "terraform_test")}
    (suite,) = [suite for suite in junit if suite.get("name") == "test live"]
    told = {(case.get("file"), case.get("name")): [child.tag for child in case] for case in suite}
    assert told == {
        ("modules/queue/tests/size.tftest.hcl", "one"): [],
        (file, "good"): [],
        (file, "bad"): ["failure"],
        (file, "broken"): ["failure"],
        (file, "late"): ["skipped"],
    }


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        ({"modules/queue/tests/size.tftest.hcl": 'run "x" {\n'}, "terraform_init"),
        (
            {"modules/queue/tests/a.tftest.hcl": 'run "x" {\n  module {\n    source = "./no"\n  }\n}\n'},
            "terraform_init",
        ),
        ({"modules/queue/tests/a.tftest.hcl": 'run "x" {\n  assert {\n  }\n}\n'}, "terraform_init"),
    ],
)
def test_tests_that_terraform_cannot_read_are_no_pass(
    make: Make, quick: dict[str, str], broken: dict[str, str], rule: str
) -> None:
    answer = make(with_tests(broken)).check("--policies", **quick)

    assert answer.code == 1
    assert answer.rules("test") == {rule}


def test_no_tests_are_said_and_fail_where_tests_are_required(make: Make, quick: dict[str, str]) -> None:
    repository = make(project())

    free = repository.check("--policies", **quick)
    text = repository.run("check", "--policies", **quick)
    required = repository.write({"envs/dev.yaml": _REQUIRED}).check("--policies", **quick)
    empty = repository.write({"live/tests/a.tftest.hcl": "variables {\n}\n"}).check("--policies", **quick)

    assert (free.code, free.report("test")["cases"]) == (0, [])
    assert "test passed: live (no tests, " in text.out
    assert (required.code, required.rules("test")) == (1, {"test_empty"})
    assert "tests/<name>.tftest.hcl" in required.findings("test")[0]["mend"]
    assert (empty.code, empty.rules("test")) == (1, {"test_empty"}), "a file without runs tests nothing"


def test_a_failing_run_can_be_skipped_with_a_reason_until_a_day(make: Make, quick: dict[str, str]) -> None:
    skip = 'skips: [{rule: terraform_test, resource: "*::two", reason: asks AWS, expires: "2999-12-31"}]'
    files = {"modules/queue/tests/b.tftest.hcl": _RUN.format(name="two", size=2)}
    answer = make(with_tests(files, DEV + f"checks: {{test: {{{skip}}}}}\n")).check("--policies", **quick)

    assert answer.code == 0
    assert [finding["reason"] for finding in answer.findings("test", "skipped")] == ["asks AWS (until 2999-12-31)"]


_ABSTRACT = '{"type":"test_abstract","test_abstract":{"tests/size.tftest.hcl":["one"]}}'
_PASSED = '{"type":"test_run","test_run":{"path":"tests/size.tftest.hcl","run":"one","status":"pass"}}'
_DONE = '{"type":"test_summary","test_summary":{"status":"pass","passed":1,"failed":0,"errored":0,"skipped":0}}'


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("exit 0", id="says nothing"),
        pytest.param(f"echo '{_ABSTRACT}'; echo '{_PASSED}'", id="does not finish"),
        pytest.param(f"echo '{_ABSTRACT}'; echo '{_DONE}'", id="runs less than it counts"),
        pytest.param(f"echo '{_ABSTRACT}'; echo '{_PASSED}'; echo '{_DONE.replace('1', '2')}'", id="counts wrongly"),
        pytest.param(
            f"echo '{_ABSTRACT.replace('size', 'other')}'; echo '{_PASSED}'; echo '{_DONE}'", id="other files"
        ),
        pytest.param(f"echo '{_ABSTRACT}'; echo '{_PASSED}'; echo '{_DONE}'; exit 1", id="exit code says otherwise"),
        pytest.param(f"echo '{_ABSTRACT}'; echo '{_PASSED}'; echo '{_DONE}'; kill -9 $$", id="killed"),
        pytest.param(f"echo '{_ABSTRACT}'; echo 'nonsense'; echo '{_PASSED}'; echo '{_DONE}'", id="no JSON"),
    ],
)
def test_an_incomplete_answer_of_terraform_test_is_no_pass(
    make: Make, fake: Fake, quick: dict[str, str], script: str
) -> None:
    terraform = fake("terraform", f'[ "$1" = init ] && exit 0\n[ "$1" = test ] || exit 3\n{script}')

    answer = make(with_tests()).check("--policies", **quick, **terraform)

    assert answer.code == 6
    assert [error["check"] for error in answer.json["errors"]] == ["lint", "test"]


def test_tests_get_no_credentials(make: Make, fake: Fake, quick: dict[str, str], tmp_path: Path) -> None:
    told = f"echo '{_ABSTRACT}'; echo '{_PASSED}'; echo '{_DONE}'"
    script = f'[ "$1" = init ] && exit 0\n[ "$1" = test ] || exit 3\nenv > {tmp_path}/env; {told}'
    secret = {"AWS_ACCESS_KEY_ID": "A", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/x", "GITHUB_TOKEN": "t"}
    repository = make(with_tests())

    answer = repository.check("--policies", **quick, **fake("terraform", script), **secret)

    assert answer.report("test")["passed"]
    given = dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines() if "=" in line)
    assert not given.keys() & secret.keys()
    assert given["HOME"] != repository.env["HOME"]
    assert given["AWS_EC2_METADATA_DISABLED"] == "true"


@pytest.mark.slow
def test_a_mocked_provider_needs_no_aws_and_a_real_one_fails(make: Make, quick: dict[str, str]) -> None:
    """With the provider versions of the root's lock file, which the module itself does not have."""
    queue = f'{AWS_VERSIONS}\nresource "aws_sqs_queue" "this" {{\n  name = "x"\n}}\n'
    real = 'provider "aws" {\n  region = "us-east-1"\n}\n\nrun "real" {\n}\n'
    mocked = 'mock_provider "aws" {\n}\n\nrun "mocked" {\n}\n'
    call = 'module "queue" {\n  source = "../modules/queue"\n}\n'
    repository = make(
        project(
            {
                "live/main.tf": f"{AWS_VERSIONS}\n{call}",
                "live/.terraform.lock.hcl": LOCK_FILE.read_text(),
                "modules/queue/main.tf": queue,
                "modules/queue/tests/mocked.tftest.hcl": mocked,
                "modules/queue/tests/real.tftest.hcl": real,
            }
        )
    )

    answer = repository.check("--policies", **quick, AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing")

    assert {case["name"]: case["result"] for case in answer.report("test")["cases"]} == {
        "mocked": "passed", "real": "failed",
    }  # fmt: skip
    assert "credential" in json.dumps(answer.findings("test"))


# Tools that do not do their work --------------------------------------------------------------------------------

_CLEAN = {
    "tflint": """{"issues": [], "errors": []}""",
    "checkov": """{"passed": 0, "failed": 0, "skipped": 0, "parsing_errors": 0, "resource_count": 0}""",
}


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    return partial(fake_tool, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("tool", ["terraform", "tflint", "checkov"])
@pytest.mark.parametrize(
    "script",
    [
        pytest.param("exit 0", id="does nothing"),
        pytest.param("echo {}", id="empty answer"),
        pytest.param("echo '{\"issues\": ['", id="half an answer"),
        pytest.param("kill -9 $$", id="killed"),
        pytest.param("exit 3", id="fails"),
        pytest.param("printf '\\033[31mTraceback\\n' >&2; exit 2", id="crashes"),
    ],
)
def test_a_broken_tool_is_never_a_pass(make: Make, fake: Fake, tool: str, script: str) -> None:
    others = {} if tool == "checkov" else fake("checkov", "exit 3")

    answer = make(project()).check(**others, **fake(tool, script))

    assert answer.code == 6
    assert not answer.json["passed"]
    broken = [error["error"] for error in answer.json["errors"] if error["error"].startswith(tool)]
    assert len(broken) == 1
    assert "\x1b" not in broken[0]


@pytest.mark.parametrize("tool", ["tflint", "checkov"])
def test_a_clean_answer_of_a_tool_that_looked_at_nothing_is_no_pass(make: Make, fake: Fake, tool: str) -> None:
    """The answer is well formed, and the exit code is 0; but what every working installation finds is missing."""
    others = {} if tool == "checkov" else fake("checkov", "exit 3")

    answer = make(project()).check(**others, **fake(tool, f"echo '{_CLEAN[tool]}'"))

    assert answer.code == 6
    assert any("did not find what it finds in any working installation" in e["error"] for e in answer.json["errors"])


@pytest.mark.slow
def test_a_hanging_tool_is_stopped_and_is_no_pass(make: Make, fake: Fake) -> None:
    repository = make(project(dev=DEV + "checks: {timeout_seconds: 2}\n"))

    answer = repository.check(**fake("checkov", "exec sleep 60"))

    assert answer.code == 6
    assert any("did not end within 2 s" in error["error"] for error in answer.json["errors"])
    assert answer.report("lint")["passed"]  # what the other check found is not lost


def test_a_missing_tool_is_no_pass_even_where_all_is_cached(make: Make, fake: Fake) -> None:
    repository = make(project())
    good = {**fake("checkov", AS_CHECKOV)}
    assert repository.check(**good).code == 0
    assert repository.check(**good).report("scan")["cached"]

    answer = repository.check(ORCHESTRATE_TFLINT="/nowhere/tflint", **good)

    assert answer.code == 6
    assert "/nowhere/tflint" in answer.json["errors"][0]["error"]


@pytest.mark.slow
def test_an_answer_of_50_mb_is_read(make: Make, fake: Fake, tmp_path: Path) -> None:
    number = 6_000
    padding = {"padding": "y" * 8_200, "check_name": "Z\x1b[31m" + "z" * 100}
    record = json.loads(RECORD % ("live/main.tf", "x")) | padding
    document = {
        "check_type": "terraform",
        "results": {"passed_checks": [], "failed_checks": [json.loads(CANARY), *[record] * number],
                    "skipped_checks": [], "parsing_errors": []},
        "summary": {"passed": 0, "failed": number + 1, "skipped": 0, "parsing_errors": 0},
    }  # fmt: skip
    (tmp_path / "large.json").write_text(json.dumps(document))
    assert (tmp_path / "large.json").stat().st_size > 50_000_000

    answer = make(project()).run("check", **fake("checkov", f"cat {tmp_path}/large.json; exit 1"))

    assert answer.code == 1
    assert f"scan FAILED with {number} findings" in answer.out
    assert "5800 more" in answer.out
    assert "\x1b" not in answer.out


def test_lint_and_scan_run_at_the_same_time(make: Make, fake: Fake, tmp_path: Path) -> None:
    """Each waits until the other has begun."""

    def meet(me: str, other: str) -> str:
        wait = f"touch {tmp_path}/{me}.begun; n=0; while [ ! -e {tmp_path}/{other}.begun ] && [ $n -lt 100 ]"
        return f"{wait}; do sleep 0.1; n=$((n+1)); done; [ -e {tmp_path}/{other}.begun ] || exit 9"

    repository = make(project())
    tflint = fake("tflint", f"{meet('a', 'b')}; echo met >> {tmp_path}/met; exit 3")
    checkov = fake("checkov", f"{meet('b', 'a')}; echo met >> {tmp_path}/met; exit 3")

    repository.check(**tflint, **checkov)

    assert (tmp_path / "met").read_text() == "met\nmet\n"


def test_ctrl_c_stops_the_tools(make: Make, fake: Fake, tmp_path: Path) -> None:
    repository = make(project())
    env = repository.env | fake("checkov", f"echo $$ > {tmp_path}/pid; exec sleep 60")
    with RunningCommand(["check"], cwd=repository.folder, env=env) as running:
        wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(), "checkov to begin")
        running.terminate()
        assert running.wait(30) == 130
    state = subprocess.run(["ps", "-o", "stat=", "-p", (tmp_path / "pid").read_text().strip()], capture_output=True)
    assert state.stdout.decode().strip()[:1] in ("", "Z")


# Settings -----------------------------------------------------------------------------------------------------------


def test_skips_of_an_environment_count_until_they_expire(make: Make, fake: Fake) -> None:
    skip = '- {rule: terraform_unused_declarations, reason: kept for the next release, expires: "%s"}'
    dev = DEV + "checks:\n  lint:\n    skips:\n      " + skip + "\n"
    repository = make(project({"live/x.tf": 'variable "unused" {\n  type = string\n}\n'}, dev % "2999-12-31"))
    checkov = fake("checkov", AS_CHECKOV)

    answer = repository.check(**checkov)
    assert answer.code == 0
    (skipped,) = answer.findings("lint", "skipped")
    assert skipped["reason"] == "kept for the next release (until 2999-12-31)"

    repository.write({"envs/dev.yaml": dev % "2020-01-01"})
    answer = repository.check(**checkov)
    assert answer.code == 1
    assert answer.rules("lint") == {"expired_skip", "terraform_unused_declarations"}
    assert answer.report("lint")["cached"]


@pytest.mark.parametrize(
    "skip",
    ['{rule: x, expires: "2999-12-31"}', "{rule: x, reason: y}", "{rule: x, reason: '', expires: \"2999-12-31\"}"],
)
def test_a_skip_without_reason_or_expiry_is_no_configuration(make: Make, skip: str) -> None:
    answer = make(project(dev=f"{DEV}checks: {{scan: {{skips: [{skip}]}}}}\n")).check()

    assert answer.code == 3
    assert "checks.scan.skips[0]" in answer.err


@pytest.mark.slow
def test_a_baseline_lets_what_was_there_pass_and_nothing_more(make: Make, fake: Fake) -> None:
    repository = make(project({"live/x.tf": 'variable "old" {\n  type = string\n}\n'}))
    checkov = fake("checkov", AS_CHECKOV)
    assert repository.check(**checkov).code == 1

    assert repository.check("--write-baseline", **checkov).code == 0
    answer = repository.check(**checkov)
    assert (answer.code, answer.rules("lint", "baseline")) == (0, {"terraform_unused_declarations"})

    repository.write({"live/y.tf": 'variable "new" {\n  type = string\n}\n'})
    answer = repository.check(**checkov)
    assert (answer.code, [f["file"] for f in answer.findings("lint")]) == (1, ["live/y.tf"])


@pytest.mark.slow
def test_what_checkov_cannot_read_or_load_fails(make: Make) -> None:
    """A file it cannot parse, and a policy that it cannot load: it goes on after both as if all were well."""
    broken = "import nowhere_to_be_found\n"
    repository = make(project({"live/x.tf": 'output "x" {\n', "policies/broken.py": broken}))

    answer = repository.check("--policies")

    assert answer.rules("scan") == {"parse_error", "scanner_error"}
    assert [f["file"] for f in answer.findings("scan") if f["rule"] == "parse_error"] == ["live/x.tf"]


def test_a_policy_that_would_be_passed_over_is_refused(make: Make) -> None:
    answer = make(project({"policies/owner.yaml": OWNER_POLICY.replace("id: CKV2_ACME_1, ", "")})).check("--policies")

    assert answer.code == 3
    assert "metadata.id" in answer.json["errors"][0]["error"]


def test_a_scan_of_nothing_is_no_pass(make: Make, fake: Fake) -> None:
    answer = make(project({"live/main.tf": 'output "x" {\n  value = 1\n}\n'})).check(**fake("checkov", AS_CHECKOV))

    assert answer.rules("scan") == {"scan_empty"}


# What is checked ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_editing_one_teams_root_does_not_check_the_others_again(make: Make, fake: Fake) -> None:
    teams = 'teams: {a: {account: "111111111111", root: teams/a}, b: {account: "222222222222", root: teams/b}}\n'
    dev = DEV.partition("teams:")[0] + teams
    repository = make(project({"teams/a/main.tf": SIMPLE, "teams/b/main.tf": SIMPLE}, dev))
    checkov = fake("checkov", AS_CHECKOV)
    assert repository.check("--all", **checkov).code == 0

    repository.write({"teams/a/main.tf": SIMPLE.replace('"x"', '"y"'), "README.md": "changed"})
    reports = repository.check("--all", **checkov).json["reports"]

    assert {(r["root"], r["cached"]) for r in reports} == {("teams/a", False), ("teams/b", True)}


def test_a_tag_that_does_not_exist_yet_can_be_checked(make: Make, fake: Fake) -> None:
    repository = make(project())
    checkov = fake("checkov", AS_CHECKOV)

    assert (
        repository.check("--tag", "dev_us-east-1/research/1.0", **checkov).report("lint")["settings"] == "envs/dev.yaml"
    )
    assert repository.check("--tag", "dev_us-east-9/research/1.0").code == 3
    assert repository.check("--tag", "x", "--all").code == 2


@pytest.mark.slow
def test_a_repository_that_has_never_heard_of_this_tool_is_checked(make: Make, fake: Fake, tmp_path: Path) -> None:
    """Its folder policies/ is somebody else's, and is not run."""
    mark = tmp_path / "ran"
    files = {
        "stacks/one/main.tf": SIMPLE + 'module "m" {\n  source = "../../modules/m"\n}\n',
        "stacks/two/main.tf": SIMPLE,
        "modules/m/main.tf": SIMPLE,
        "policies/evil.py": f"open({str(mark)!r}, 'w')\n",
    }
    repository = make(files)
    checkov = fake("checkov", f'case "$*" in *external-checks-dir*) touch {mark};; esac; {AS_CHECKOV}')

    answer = repository.check(**checkov)
    assert {report["root"] for report in answer.json["reports"]} == {"stacks/one", "stacks/two"}
    assert not mark.exists()
    assert {r["root"] for r in repository.check("stacks/two", **checkov).json["reports"]} == {"stacks/two"}
    assert repository.check("policies").code == 3
    assert repository.check("--tag", "dev_us-east-1/research/1.0").code == 3


# Strangers ----------------------------------------------------------------------------------------------------------

_PROVIDER = (
    'terraform {\n  required_version = ">= 1.5"\n\n  required_providers {\n    evil = { source = "%s" }\n  }\n}\n'
)
_EVIL_FOLDER = 'config {\n  plugin_dir = "./p"\n}\nplugin "evil" {\n  enabled = true\n}\n'
_NAMES_THEM = """
output "x" {
  value = [
    file("${path.module}/f/.tflint.hcl"), file("${path.module}/f/x.tf"), file("${path.module}/f/p/tflint-ruleset-evil")
  ]
}
"""


def test_no_program_of_a_strangers_repository_runs(make: Make, fake: Fake, tmp_path: Path) -> None:
    """A folder with settings of its own that ask for a plugin beside them, and checks in policies/."""
    mark = tmp_path / "ran"
    program = f"#!/bin/sh\ntouch {mark}\n"
    files = {
        "live/main.tf": SIMPLE + _NAMES_THEM,
        "live/f/x.tf": 'variable "x" {\n  type = string\n}\n',
        "live/f/.tflint.hcl": _EVIL_FOLDER,
        "live/f/p/tflint-ruleset-evil": program,
        "policies/evil.py": f"open({str(mark)!r}, 'w')\n",
    }
    repository = make(project(files))
    (repository.folder / "live/f/p/tflint-ruleset-evil").chmod(0o755)
    checkov = fake("checkov", f'case "$*" in *external-checks-dir*) touch {mark};; esac; {AS_CHECKOV}')

    answer = repository.check(**checkov)

    assert answer.code == 0, answer.json
    assert not mark.exists()
    assert "policies/ were not run" in answer.report("scan")["notes"][0]
    assert repository.check("--policies", **checkov).code == 0
    assert mark.exists()


@pytest.mark.parametrize("source", ["example.org/acme/evil", "hashicorp/evil"])
def test_no_provider_of_a_strangers_repository_runs(make: Make, fake: Fake, tmp_path: Path, source: str) -> None:
    """Terraform searches the root's own terraform.d by itself; what is HashiCorp's is what their registry says."""
    mark = tmp_path / "ran"
    address = source if source.startswith("example.org") else f"registry.terraform.io/{source}"
    plugin = f"live/terraform.d/plugins/{address}/1.0.0/{this_platform()}/terraform-provider-evil_v1.0.0"
    root = _PROVIDER % source + SIMPLE.partition("\n\n")[2]
    repository = make(project({"live/main.tf": root, plugin: f"#!/bin/sh\nenv > {mark}\n"}))
    (repository.folder / plugin).chmod(0o755)

    answer = repository.check(HTTPS_PROXY="http://127.0.0.1:9", GITHUB_TOKEN="x", **fake("checkov", AS_CHECKOV))

    assert answer.code in (1, 6), answer.json
    assert not mark.exists()
    if "acme" in source:
        (found,) = [found for found in answer.findings("lint") if found["rule"] == "terraform_not_allowed"]
        assert "--provider example.org/acme/evil" in found["mend"]


def test_a_folder_without_git_is_checked(make: Make, fake: Fake, tmp_path: Path) -> None:
    repository = make({})
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain/main.tf").write_text(SIMPLE)

    assert repository.check(str(tmp_path / "plain"), **fake("checkov", AS_CHECKOV)).code == 0


def test_a_link_out_of_the_repository_is_refused(make: Make) -> None:
    repository = make(project())
    (repository.folder / "live/passwd.tf").symlink_to("/etc/passwd")

    answer = repository.check()

    assert answer.code == 3
    assert "leads out of the repository" in answer.json["errors"][0]["error"]


@pytest.mark.slow
def test_as_a_hook_of_git_it_stops_a_bad_commit_and_no_good_one(make: Make, fake: Fake) -> None:
    repository = make(project({"live/main.tf": SIMPLE.replace("  input", "      input")}))
    hook = repository.folder / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\nexec {ORCHESTRATE} check\n")
    hook.chmod(0o755)
    person = {f"GIT_{role}_{part}": "a@example.com" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    env = repository.env | person | fake("checkov", AS_CHECKOV)

    def commit() -> int:
        subprocess.run(["git", "add", "."], cwd=repository.folder, env=env, check=True)
        return subprocess.run(
            ["git", "commit", "-qm", "x"], cwd=repository.folder, env=env, capture_output=True
        ).returncode

    assert commit() == 1
    repository.write({"live/main.tf": SIMPLE})
    assert commit() == 0


def test_the_hook_for_pre_commit_takes_the_files_that_matter() -> None:
    (hook,) = yaml.safe_load((Path(__file__).parents[3] / ".pre-commit-hooks.yaml").read_text())

    assert (Path(__file__).parents[3] / hook["entry"]).is_file()
    for name in ("a/main.tf", "main.tf.json", "envs/dev.yaml", "infra/policies/x.py", "x/.tflint.hcl", "a.tfvars"):
        assert re.search(hook["files"], name), name
    assert not re.search(hook["files"], "README.md")


@pytest.mark.parametrize("form", ["text", "json", "junit", "sarif", "markdown"])
def test_every_form_goes_to_stdout(make: Make, fake: Fake, form: str) -> None:
    answer = make(project()).run("check", "--format", form, **fake("checkov", AS_CHECKOV))

    assert answer.code == 0, answer.err
    assert {"text": "lint passed", "json": '"passed": true', "junit": "<testsuites", "sarif": '"2.1.0"',
            "markdown": "| lint |"}[form] in answer.out  # fmt: skip
