"""Whose credentials a release runs with, which state and variables it gets: with real Terraform, and roots that are
made to get around it.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from orchestrator.effects.system.cache import Cache
from orchestrator.effects.terraform.hcl import read_root
from orchestrator.effects.terraform.workspace import opened
from orchestrator.effects.tools.find import find
from orchestrator.effects.tools.providers import cli_config
from orchestrator.errors import InvalidInput, Refused, StageFailed
from orchestrator.model.terraform import credentials
from orchestrator.model.terraform.override import ProviderIdentity, generated_files
from orchestrator.model.terraform.root import OVERRIDE_FILE, interpret
from orchestrator.model.tools.dialect import TERRAFORM
from orchestrator.stages.context.context import ReleaseContext
from orchestrator.stages.release.plan import plan
from orchestrator.stages.terraform.prepare import complete, export, read, terraform, warn
from tests.support.accounts import RESEARCH
from tests.support.check_tools import fake_program
from tests.support.projects import LOCK_FILE, E2eProject, NewProject
from tests.support.stages import Standing

pytestmark = pytest.mark.slow

LOCK = ".terraform.lock.hcl"
TAG = "dev_us-east-1/research/{}"
PLANNER = f"arn:aws:sts::{RESEARCH}:assumed-role/InfraPlanRole/INFRA_BUILD"

# Every way to write a provider block that was found to matter, each used by a data source that tells who it is.
HOSTILE = {
    "main.tf": """
        terraform {
          required_providers {
            corp = { source = "HashiCorp/AWS" }
          }
          cloud {
            organization = "somebody-else"
          }
        }
        provider "corp" {
          region  = "eu-west-3"
          profile = "somebody-else"
          assume_role {
            role_arn = "arn:aws:iam::999999999999:role/First"
          }
          assume_role {
            role_arn = "arn:aws:iam::999999999999:role/Chained"
          }
          dynamic "assume_role_with_web_identity" {
            for_each = [1]
            content {
              role_arn           = "arn:aws:iam::999999999999:role/Web"
              web_identity_token = "x"
            }
          }
        }
        provider /* a comment
                    of two lines */ "corp" { # and one more
          alias                       = "keys"
          access_key                  = "AKIASOMEBODYELSE"
          secret_key                  = "x"
          token                       = "x"
          shared_config_files         = ["/somebody/else"]
          shared_credentials_files    = ["/somebody/else"]
          forbidden_account_ids       = ["111111111111"]
          skip_requesting_account_id  = true
          skip_credentials_validation = true
          assume_role_with_web_identity {
            role_arn           = "arn:aws:iam::999999999999:role/Web"
            web_identity_token = "x"
          }
        }
        provider "corp" {
          alias = "dynamic"
          dynamic "assume_role" {
            for_each = ["arn:aws:iam::999999999999:role/Dynamic"]
            content {
              role_arn = assume_role.value
            }
          }
        }
        locals {
          ä    = "a construct that the parser does not know"
          many = "${join(",", [
            "lines",
          ])}"
        }
        module "child" {
          source = "./child"
        }
        module "passed" {
          source    = "./child"
          providers = { corp = corp.keys }
        }
        module "implied" {
          source = "./implied"
        }
    """,
    "a_override.tofu.tf": """
        provider "corp" {
          alias = "like_an_override"
        }
    """,
    "b_override.tf": """
        provider "corp" {
          profile = "only-in-an-override-file"
        }
    """,
    "twice.tf.json": '{"provider": {"corp": {"alias": "one"}}, "provider": {"corp": {"alias": "two"}}}',
    "implied/main.tf": """
        data "aws_caller_identity" "child" {}
        output "arn" {
          value = data.aws_caller_identity.child.arn
        }
    """,
    "child/main.tf": """
        terraform {
          required_providers {
            corp = { source = "registry.terraform.io/hashicorp/aws" }
          }
        }
        data "aws_caller_identity" "child" {
          provider = corp
        }
        output "arn" {
          value = data.aws_caller_identity.child.arn
        }
    """,
}
USED = ("aws", "corp.keys", "aws.dynamic", "aws.like_an_override", "aws.one", "aws.two", "corp")

_OTHERS = ("module.implied.arn", "module.child.arn", "module.passed.arn")


def callers() -> str:
    data = [f'data "aws_caller_identity" "u{n}" {{\n  provider = {name}\n}}\n' for n, name in enumerate(USED)]
    arns = [*(f"data.aws_caller_identity.u{n}.arn" for n in range(len(USED))), *_OTHERS]
    return "".join([*data, f'output "callers" {{\n  value = distinct([{", ".join(arns)}])\n}}\n'])


@pytest.fixture(scope="module")
def project(new_project: NewProject) -> E2eProject:
    """A project whose root needs no AWS provider; each test commits a root folder and version of its own."""
    return new_project("prepared", "slow")


def release(project: E2eProject, version: str, files: dict[str, str], rules: str = "") -> str:
    """Tags a commit whose root is a folder of these files."""
    settings = f"""\
state: {{prefix: prepared, region: us-east-1}}
tooling: {{account: "000000000000"}}
workload:
  root: root-{version}
  external_id: acme
{rules}"""
    project.commit(
        {f"root-{version}/{name}": text for name, text in files.items()} | {"envs/orchestrate.yaml": settings}
    )
    return project.tag(TAG.format(version))


def with_lock(files: dict[str, str]) -> dict[str, str]:
    return files | {LOCK: LOCK_FILE.read_text()}


def test_however_providers_are_written_they_run_under_the_role(project: E2eProject, stand: Standing) -> None:
    here = stand(project, release(project, "1.0", with_lock({**HOSTILE, "use.tf": callers()})))
    receipt = plan(here.ctx).receipt
    assert [change.address for change in receipt.resources] == ["output.callers"]
    assert planned_output(project) == [PLANNER]
    _a_root_that_needs_no_provider_is_planned_where_this_one_was(project, stand)


def _a_root_that_needs_no_provider_is_planned_where_this_one_was(project: E2eProject, stand: Standing) -> None:
    assert list((project.workspace("research", "us-east-1") / "data").glob("providers/*/hashicorp/aws"))
    plan(stand(project, release(project, "1.1", {"main.tf": SIMPLE})).ctx)


def planned_output(project: E2eProject) -> Any:
    root = next((project.workspace("research", "us-east-1") / "source").glob("root-*")).name
    shown = project.last_plan("research", "us-east-1", Path(root))
    return json.loads(shown)["planned_values"]["outputs"]["callers"]["value"]


CHILD = 'module "child" {\n  source = "./child"\n}\n'
INHERITED = 'data "aws_caller_identity" "me" {\n  provider = corp\n}\n'
NAMED = 'terraform {\n  required_providers {\n    corp = { source = "hashicorp/aws" }\n  }\n}\n'
NAMED_CHILD = {"main.tf": NAMED + INHERITED, "p.tf": 'provider "corp" {\n  region = "us-east-1"\n}\n'}


def with_child(child: dict[str, str]) -> dict[str, str]:
    return with_lock({"main.tf": CHILD, **{f"child/{name}": text for name, text in child.items()}})


def test_a_module_that_configures_its_own_provider_is_refused(project: E2eProject, stand: Standing) -> None:
    """Terraform would run it with the credentials of the tooling account."""
    with pytest.raises(InvalidInput, match=r"module child \(p.tf\) configures an aws provider of its own"):
        plan(stand(project, release(project, "2.0", with_child(NAMED_CHILD))).ctx)


@pytest.mark.parametrize(
    ("version", "child", "file"),
    [
        ("2.1", {"main.tf": 'provider "aws" {}\ndata "aws_caller_identity" "me" {}\n'}, "main.tf"),
        ("2.2", {"main.tf": NAMED + INHERITED, "p.tf.json": '{"provider": {"corp": {}}}'}, "p.tf.json"),
    ],
)
def test_however_a_module_configures_its_own_provider(
    project: E2eProject, stand: Standing, tmp_path: Path, version: str, child: dict[str, str], file: str
) -> None:
    """Of an empty block Terraform only warns. Here it has fetched the modules, and no provider."""
    at = stand(project, release(project, version, with_child(child))).ctx
    with opened(tmp_path / "workspace") as workspace:
        made = terraform(at, workspace, export(at, workspace), lambda: False)
        env = {**made.env, "TF_DATA_DIR": str(workspace.data)}
        subprocess.run([made.program, "get"], cwd=made.root, env=env, check=True, capture_output=True)
        with pytest.raises(InvalidInput, match=rf"module child \({file}\) configures an aws provider of its own"):
            complete(at, made, read(at, made.root))


def test_what_escapes_our_reading_is_found_in_terraforms(project: E2eProject, stand: Standing, tmp_path: Path) -> None:
    """A source that Terraform works out is refused when it is read; here it is not even seen."""
    hidden = NAMED.replace("hashicorp/aws", '${"hashicorp"}/aws') + 'provider "corp" {}\n' + INHERITED
    at = stand(project, release(project, "2.3", {"main.tf": hidden})).ctx
    with pytest.raises(InvalidInput, match="source of the provider corp in required_providers is not plain text"):
        plan_in(tmp_path / "refused", at, {"main.tf": hidden})
    unread = tmp_path / "unread"
    unread.mkdir()
    (unread / "main.tf").write_text(hidden)
    with pytest.raises(InvalidInput, match=r"the provider corp \(registry.*\) would not run under the release's role"):
        credentials.check(plan_in(unread, at, {}), identity_of(at), (), {"aws", "corp"}, str)


def identity_of(ctx: ReleaseContext) -> ProviderIdentity:
    return ProviderIdentity.of(ctx.release.tag, ctx.release.target, ctx.release.rules.project.workload)


def plan_in(folder: Path, ctx: ReleaseContext, read: dict[str, str]) -> bytes:
    """Plans a folder outside of any workspace, with what would be generated after reading these files."""
    cache = Cache(folder.with_suffix(".cache"))
    folder.mkdir(exist_ok=True)
    for name, text in read.items():
        (folder / name).write_text(text)
    files = read_root(folder, cache, dialect=TERRAFORM, skip=()) if read else {}
    identity = identity_of(ctx)
    aws = "registry.terraform.io/hashicorp/aws"
    generated = generated_files(interpret(files), ctx.release.target.backend, identity, (), {aws})
    generated[OVERRIDE_FILE]["terraform"]["backend"] = {"local": {}}
    for name, content in generated.items():
        (folder / name).write_text(json.dumps(content))
    env = {**ctx.env, **cli_config(ctx.env), "TF_VAR_orchestrate_role_arn": ctx.release.target.roles.plan}
    program = str(find("terraform", env=ctx.env).path)
    for arguments in (["init"], ["plan", "-out", "p"], ["show", "-json", "p"]):
        done = subprocess.run([program, *arguments], cwd=folder, env=env, check=True, capture_output=True)
    return done.stdout


SIMPLE = """
variable "content" {
  type    = string
  default = "unset"
}
resource "terraform_data" "this" {
  input = var.content
}
"""


def test_with_opentofu_the_receipt_and_errors_name_it(project: E2eProject, stand: Standing, tmp_path: Path) -> None:
    tofu, terraform = tmp_path / "tofu", find("terraform", env=project.env).path
    version = '#!/bin/sh\n[ "$1" = version ] && exec echo OpenTofu v1.11.4\n'
    tofu.write_text(f'{version}exec {terraform} "$@"\n')
    tofu.chmod(0o755)
    tag = release(project, "2.6", {"main.tf": SIMPLE}, "terraform: {program: tofu}\n")
    at = stand(project, tag, ORCHESTRATE_TOFU=str(tofu)).ctx
    assert plan(at).receipt.program == "tofu 1.11.4"
    tofu.write_text(f"{version}exit 7\n")
    with pytest.raises(StageFailed, match="the initialization failed: OpenTofu ended with exit code 7"):
        plan(at)


# Provider lock files -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "lock"),
    [
        ("3.0", None),
        ("3.1", re.sub(r"(h1|zh):[0-9A-Za-z+/]{8}", r"\1:00000000", LOCK_FILE.read_text())),
        ("3.2", re.sub(r"(?s)hashes = \[.*?\]", "hashes = []", LOCK_FILE.read_text())),
    ],
    ids=["missing", "other hashes", "no hashes"],
)
def test_a_lock_file_that_does_not_hold_the_provider_is_explained(
    project: E2eProject, stand: Standing, version: str, lock: str | None
) -> None:
    files = {"main.tf": 'data "aws_caller_identity" "me" {}\n'} | ({} if lock is None else {LOCK: lock})
    with pytest.raises(InvalidInput) as error:
        plan(stand(project, release(project, version, files)).ctx)
    assert "the initialization failed" in error.value.message
    assert "terraform providers lock" in (error.value.hint or "")


def test_a_lock_file_of_one_platform_is_warned_of(project: E2eProject, stand: Standing) -> None:
    one = re.sub(r'(?m)^ *"zh:.*\n', "", LOCK_FILE.read_text())
    here = stand(project, release(project, "3.3", {"main.tf": SIMPLE, LOCK: one}))
    warn(here.ctx, project.folder)
    assert re.search("Warning: .*holds hashes of .*hashicorp/aws 5.100.0 for .* only", here.text)


def test_a_lock_file_that_nobody_but_terraform_writes_is_read(project: E2eProject, stand: Standing) -> None:
    here = stand(project, release(project, "3.4", {"main.tf": SIMPLE, LOCK: "provider {"}))
    with pytest.raises(InvalidInput, match="something that Terraform does not write"):
        plan(here.ctx)


def test_what_stands_beside_the_commit_is_warned_of(project: E2eProject, stand: Standing) -> None:
    project.write({".gitignore": "*.tfvars\n.terraform.lock.hcl\n"})
    here = stand(project, release(project, "3.5", {"main.tf": SIMPLE}))
    project.write({"envs/dev.tfvars": "", f"root-3.5/{LOCK}": "", "root-3.5/local.txt": ""})
    project.git("update-index", "--add", "--cacheinfo", f"160000,{project.git('rev-parse', 'HEAD')},root-3.5/sub")
    project.git("commit", "--quiet", "--message", "A submodule")
    try:
        later = stand(project, project.tag(TAG.format("3.6")))
        warn(here.ctx, project.folder)
        warn(stand(project, TAG.format("3.5")).ctx, project.folder)
        warn(later.ctx, project.folder)
    finally:
        project.git("rm", "--quiet", "--cached", "root-3.5/sub", ".gitignore")
        (project.folder / ".gitignore").unlink()
        (project.folder / "envs/dev.tfvars").unlink()
    assert here.said == [
        f"Warning: {path} stands in the working tree but not in the commit: it is not part of the release"
        for path in ("envs/dev.tfvars", f"root-3.5/{LOCK}")
    ]
    assert "Warning: root-3.5/sub is a git submodule; its files are not part of the release" in later.said


# Files, state and variables ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "name", "message"),
    [
        ("4.0", "orchestrate_override.tf.json", "a name that orchestrate uses itself"),
        ("4.1", "orchestrate.tf.json", "a name that orchestrate uses itself"),
        ("4.2", "orchestrate_override.tofu.json", "a name that orchestrate uses itself"),
        ("4.3", "terraform.tfstate", "the root configuration holds a state"),
    ],
)
def test_files_that_would_get_in_the_way_are_refused(
    project: E2eProject, stand: Standing, tmp_path: Path, version: str, name: str, message: str
) -> None:
    at = stand(project, release(project, version, {"main.tf": SIMPLE, name: "{}"})).ctx
    with opened(tmp_path / "workspace") as workspace, pytest.raises(InvalidInput, match=message):
        export(at, workspace)


def test_the_program_that_runs_decides_which_files_count(project: E2eProject, stand: Standing, tmp_path: Path) -> None:
    """OpenTofu reads `.tofu` files, also where the rules say terraform and a variable alone asks for it."""
    backend = {"main.tf": SIMPLE, "zzz_override.tofu": 'terraform {\n  backend "local" {}\n}\n'}
    tag = release(project, "4.6", backend)
    opentofu = {"ORCHESTRATE_TERRAFORM": str(fake_program(tmp_path, "tofu"))}
    with opened(tmp_path / "workspace") as workspace:
        export(stand(project, tag).ctx, workspace)
        with pytest.raises(InvalidInput, match=r"zzz_override\.tofu"):
            export(stand(project, tag, **opentofu).ctx, workspace)


def test_settings_of_the_backend_may_change_and_its_place_only_with_the_state(
    project: E2eProject, stand: Standing, boto_env: None
) -> None:
    locking = "state: {prefix: prepared, region: us-east-1, locking: s3}"
    plan(stand(project, release(project, "4.4", {"main.tf": SIMPLE})).ctx)
    tag = release(project, "4.5", {"main.tf": SIMPLE})
    rules = project.folder / "envs/orchestrate.yaml"
    rules.write_text(rules.read_text().replace("state: {prefix: prepared, region: us-east-1}", locking))
    project.commit()
    plan(stand(project, tag).ctx)
    data = project.workspace("research", "us-east-1") / "data/terraform.tfstate"
    data.write_text(data.read_text().replace("prepared-dev", "somewhere-else"))
    with pytest.raises(Refused, match=r"was kept in s3://somewhere-else/.*but the rules now name s3://prepared-dev/"):
        plan(stand(project, tag).ctx)
    data.write_text("{}")
    plan(stand(project, tag).ctx)


ASKING = """
variable "account" { type = string }
variable "environment" { type = string }
variable "env" {
  type    = string
  default = "mine"
}
variable "content" {
  type    = string
  default = "unset"
}
resource "terraform_data" "this" {
  input = var.content
}
output "callers" {
  value = [var.account, var.environment, var.env, var.content]
}
"""
MAPPED = "  variables: {env: environment}\n"


def test_the_surroundings_cannot_change_what_is_planned(project: E2eProject, stand: Standing) -> None:
    hostile = {
        "TF_VAR_content": "from outside",
        "TF_VAR_account": "999999999999",
        "TF_CLI_ARGS": "-destroy",
        "TF_CLI_ARGS_plan": "-var content=inserted",
        "TF_WORKSPACE": "elsewhere",
        "TF_DATA_DIR": "/nonexistent",
        "TF_LOG": "TRACE",
        "TF_REATTACH_PROVIDERS": "{}",
        "TF_INPUT": "1",
    }
    tag = release(project, "5.0", {"main.tf": ASKING}, MAPPED)
    here = stand(project, tag, **hostile)
    receipt = plan(here.ctx).receipt
    assert receipt.summary.add == 1
    assert planned_output(project) == [RESEARCH, "dev", "mine", "unset"]


def test_variables_that_the_rules_name_are_passed(project: E2eProject, stand: Standing) -> None:
    passed = MAPPED + "terraform: {pass_env: [TF_VAR_content]}\n"
    here = stand(project, release(project, "5.1", {"main.tf": ASKING}, passed), TF_VAR_content="from outside")
    plan(here.ctx)
    assert planned_output(project)[3] == "from outside"


@pytest.mark.parametrize(
    ("version", "files", "message"),
    [
        (
            "5.2",
            {"x.auto.tfvars": 'account = "999999999999"'},
            "x.auto.tfvars sets account to '999999999999'",
        ),
        ("5.3", {"terraform.tfvars.json": '{"account": 999999999999}'}, r"terraform.tfvars.json sets account to"),
        (
            "5.4",
            {"../envs/dev.tfvars": 'environment = "prod"'},
            "dev.tfvars sets environment to 'prod', but .*'dev'",
        ),
        ("5.5", {"../envs/dev/research/us-east-1.tfvars": 'account = "9"'}, r"us-east-1.tfvars sets account to '9'"),
        ("5.6", {"main.tf": ASKING.replace("string", "number", 1)}, "the variable account as a number"),
        ("5.7", {"main.tf": 'variable "account" { type = string }'}, "names environment, which the root"),
        ("5.10", {"../envs/dev.tfvars": "x = ["}, "^envs/dev.tfvars cannot be parsed"),
        (
            "5.8",
            {"z_override.tf": 'terraform {\n  backend "local" {}\n}\n'},
            "z_override.tf comes after",
        ),
        (
            "5.9",
            {"zzz_override.tf": 'terraform {\n  cloud {\n    organization = "x"\n  }\n}\n'},
            "zzz_override.tf comes after",
        ),
    ],
)
def test_a_root_that_contradicts_its_release_is_refused(
    project: E2eProject, stand: Standing, version: str, files: dict[str, str], message: str
) -> None:
    at = stand(project, release(project, version, {"main.tf": ASKING, **files}, MAPPED)).ctx
    try:
        with pytest.raises(InvalidInput, match=message):
            plan(at)
    finally:
        for name in ("dev.tfvars", "dev"):
            found = project.folder / "envs" / name
            shutil.rmtree(found) if found.is_dir() else found.unlink(missing_ok=True)
