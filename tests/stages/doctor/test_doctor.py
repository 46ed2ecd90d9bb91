"""Doctor without AWS: repository, machine, lock files, providers. With AWS: tests/cli/commands/test_doctor.py."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs

import pytest

from orchestrator.effects.system.cache import Cache
from orchestrator.effects.tools.pinned import this_platform
from orchestrator.errors import InvalidInput
from orchestrator.model.doctor.diagnosis import Diagnosis
from orchestrator.model.terraform.provider_lock import LockedProvider
from orchestrator.stages.doctor import machine as doctor_machine
from orchestrator.stages.doctor import repository as doctor_repository
from orchestrator.stages.doctor.doctor import DoctorOptions, examine

PROJECT = """\
state: {prefix: doctor, region: us-east-1}
tooling: {account: "000000000000"}
workload: {root: infra}
"""
DEV = """\
regions: [us-east-1]
global_resource_deploy_from_region: us-east-1
teams:
  research: {account: "111111111111"}
"""
LOCK = """\
provider "registry.terraform.io/hashicorp/random" {
  version = "3.6.0"
  hashes = [
    "h1:R5Ucn26riKIEijcsiOMBR3uOAjuOMfI1x7XvH4P6B1w=",
    "zh:03360ed3ecd31e8c5dac9c95fe0858be50f3e9a0d0c654b5e504109c2159287d",
  ]
}
"""
FILES = {"envs/orchestrate.yaml": PROJECT, "envs/dev.yaml": DEV, "infra/main.tf": "", "infra/.terraform.lock.hcl": LOCK}


def git(folder: Path, *arguments: str) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    who = ("-c", "user.name=Tester", "-c", "user.email=tester@example.com")
    done = subprocess.run(
        ["git", *who, *arguments],
        cwd=folder,
        env={**env, "GIT_CONFIG_GLOBAL": os.devnull},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository in order, on main."""
    folder = tmp_path / "repo"
    write(folder, FILES)
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "First")
    return folder


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """ReleaseContext with no AWS, where nothing of the person's own is seen."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in NO_AWS.items():
        monkeypatch.setenv(name, value)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "ORCHESTRATE_"))}
    return {**kept, "HOME": str(tmp_path / "home"), "ORCHESTRATE_CACHE": str(tmp_path / "cache")}


NO_AWS = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


def repository(folder: Path, *, ref: str | None = None) -> dict[str, Diagnosis]:
    found = doctor_repository.repository(folder, ref, None)
    return {diagnosis.name: diagnosis for diagnosis in found}


@contextlib.contextmanager
def serving(server: ThreadingHTTPServer) -> Iterator[int]:
    """Its port, on loopback."""
    with server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


# Repository -----------------------------------------------------------------------------------------------------------


def test_a_repository_in_order(project: Path) -> None:
    found = repository(project)
    assert [*found] == ["git", "repository", "history", "protected branch"]
    assert {diagnosis.state for diagnosis in found.values()} == {"ok"}
    assert found["repository"].found == str(project)


def test_without_a_repository_the_rest_is_still_examined(tmp_path: Path, env: dict[str, str]) -> None:
    write(tmp_path, FILES)
    found = {diagnosis.name: diagnosis for diagnosis in examine(DoctorOptions(tmp_path, env))}
    assert found["repository"].exit_code == 6
    assert "not in a git repository" in found["repository"].found
    assert found["configuration"].state == "ok"
    assert found["AWS credentials"].state == "failed"


def test_without_git_each_check_says_so(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = repository(project)
    assert found["git"] == Diagnosis(
        "git", "failed", "cannot run git: No such file or directory", "Install git, and put it on the PATH.", 6
    )
    assert all(row.state == "failed" for row in found.values() if row.name != "rules")


@pytest.mark.parametrize(("version", "good"), [("2.23.1", False), ("2.24.0", True), ("2.39.5 (Apple Git-154)", True)])
def test_an_old_git_is_refused(version: str, good: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "git"
    answer = f"case $1 in --version) echo 'git version {version}';; *) exec {shutil.which('git')} \"$@\";; esac"
    program.write_text(f"#!/bin/sh\n{answer}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    found = repository(tmp_path)["git"]
    assert (found.state, found.exit_code) == (("ok", 0) if good else ("failed", 6))


def test_a_shallow_clone_fails(project: Path, tmp_path: Path) -> None:
    git(project, "commit", "--quiet", "--allow-empty", "--message", "Second")
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{project}", "shallow")
    found = repository(tmp_path / "shallow")["history"]
    assert (found.exit_code, found.remediation) == (6, "Run `git fetch --unshallow --tags`.")


def test_a_protected_branch_that_is_missing_or_holds_no_rules(project: Path) -> None:
    git(project, "branch", "--move", "trunk")
    found = repository(project)["protected branch"]
    assert found.exit_code == 3
    assert "--rules-ref" in str(found.remediation)
    assert repository(project, ref="trunk")["protected branch"].state == "ok"
    git(project, "rm", "--quiet", "-r", "--cached", "envs")
    git(project, "commit", "--quiet", "--message", "Gone")
    assert "envs/orchestrate.yaml is not in commit" in repository(project, ref="trunk")["protected branch"].found


@pytest.mark.parametrize(
    ("change", "files"),
    [
        ({"envs/dev.yaml": DEV.replace("research", "risk")}, "envs/dev.yaml differs"),
        ({"envs/orchestrate.yaml": PROJECT.replace("doctor", "nurse")}, "envs/orchestrate.yaml differs"),
        (
            {"envs/orchestrate.yaml": PROJECT.replace("doctor", "nurse"), "envs/qa.yaml": DEV.replace("11", "22")},
            "envs/orchestrate.yaml, envs/qa.yaml differ",
        ),
    ],
)
def test_rules_that_differ_from_the_protected_branch_are_a_warning(
    project: Path, env: dict[str, str], change: dict[str, str], files: str
) -> None:
    write(project, change)
    found = {diagnosis.name: diagnosis for diagnosis in examine(DoctorOptions(project, env))}["protected branch"]
    assert found.state == "warning"
    assert f"where {files} from the working tree" in found.found


def test_a_comment_in_the_rules_is_no_difference(project: Path, env: dict[str, str]) -> None:
    write(project, {"envs/dev.yaml": f"# The environment dev\n{DEV}"})
    found = {diagnosis.name: diagnosis for diagnosis in examine(DoctorOptions(project, env))}
    assert found["protected branch"].state == "ok"


# Configuration --------------------------------------------------------------------------------------------------------


def test_a_wrong_configuration_keeps_only_what_depends_on_it_unchecked(project: Path, env: dict[str, str]) -> None:
    write(project, {"envs/dev.yaml": DEV.replace("111111111111", "11111111111") + "surplus: 1\n"})
    found = {diagnosis.name: diagnosis for diagnosis in examine(DoctorOptions(project, env))}
    assert found["configuration"].exit_code == 3
    assert "2 errors" in found["configuration"].found
    assert "envs/dev.yaml:5: surplus" in found["configuration"].found
    assert "not checked" in found["AWS"].found
    assert found["history"].state == found["cache folder"].state == "ok"
    assert found["protected branch"].found.endswith("whose configuration is valid")


def test_an_environment_that_there_is_not_is_refused(project: Path, env: dict[str, str]) -> None:
    with pytest.raises(InvalidInput, match="no environment 'dve'") as refusal:
        examine(DoctorOptions(project, env, envs=["dve"]))
    assert refusal.value.hint == "Did you mean dev?"


# Lock files -----------------------------------------------------------------------------------------------------------


def lock_files(project: Path, root: str = "infra") -> doctor_repository.LockFiles:
    return doctor_repository.LockFiles(project, [root], Cache(project / ".git" / "cache"), "terraform")


def lock_file(project: Path) -> Diagnosis:
    (found,) = lock_files(project).diagnoses()
    return found


def test_a_lock_file_for_every_platform_is_in_order(project: Path) -> None:
    assert lock_file(project) == Diagnosis(
        "lock file of infra", "ok", "registry.terraform.io/hashicorp/random 3.6.0", None, 0
    )


def test_a_lock_file_for_one_platform_is_a_warning(project: Path) -> None:
    write(project, {"infra/.terraform.lock.hcl": "\n".join(line for line in LOCK.splitlines() if "zh:" not in line)})
    found = lock_file(project)
    assert found.state == "warning"
    assert found.found.endswith("hashicorp/random 3.6.0 for one platform only")
    assert "terraform providers lock" in str(found.remediation)


def test_a_missing_lock_file_is_a_warning(project: Path) -> None:
    (project / "infra" / ".terraform.lock.hcl").unlink()
    for code in (
        'resource "aws_s3_bucket" "x" {}\n',
        'data "aws_region" "x" {}\n',
        'provider "aws" {}\n',
        'terraform {\n  required_providers {\n    aws = { source = "hashicorp/aws" }\n  }\n}\n',
        'module "x" {\n  source = "hashicorp/x/aws"\n}\n',
        'module "x" {\n  source = "../modules/aws"\n}\n',
        'module "x" {\n  source = "../nowhere"\n}\n',
    ):
        write(project, {"infra/main.tf": code, "modules/aws/main.tf": 'resource "aws_s3_bucket" "x" {}\n'})
        found = lock_file(project)
        assert found.state == "warning", code
        assert "terraform init" in str(found.remediation)
    assert lock_files(project).providers == []


def test_without_providers_there_is_no_lock_file(project: Path) -> None:
    (project / "infra" / ".terraform.lock.hcl").unlink()
    module = 'module "x" {\n  source = "./x"\n}\n'
    state = 'data "terraform_remote_state" "x" {\n  backend = "local"\n}\n'
    source = '{ source = "terraform.io/builtin/terraform" }'
    built_in = f"terraform {{\n  required_providers {{\n    terraform = {source}\n  }}\n}}\n"
    write(
        project,
        {
            "infra/main.tf": module + built_in,
            "infra/x/main.tf": 'provider "terraform" {}\nresource "terraform_data" "x" {}\n' + state,
            "infra/x/again.tf": 'module "top" {\n  source = "../"\n}\n',
        },
    )
    assert lock_file(project).state == "ok"


def test_a_lock_file_that_is_not_committed_is_a_warning(project: Path) -> None:
    git(project, "rm", "--quiet", "--cached", "infra/.terraform.lock.hcl")
    write(project, {".gitignore": ".terraform.lock.hcl\n"})
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "Ignored")
    found = lock_file(project)
    assert found.state == "warning"
    assert "not in the commit" in found.found


def test_a_lock_file_that_cannot_be_read_and_a_missing_root_fail(project: Path) -> None:
    write(project, {"infra/.terraform.lock.hcl": "provider {"})
    assert lock_file(project).exit_code == 3
    (missing,) = lock_files(project, "nowhere").diagnoses()
    assert (missing.exit_code, missing.found.split(",")[0]) == (3, "there is no folder nowhere")


def test_a_root_without_providers_needs_no_hashes(project: Path) -> None:
    write(project, {"infra/.terraform.lock.hcl": "# Nothing\n"})
    assert lock_file(project).found == "no providers"


# This machine ---------------------------------------------------------------------------------------------------------


def machine(env: dict[str, str]) -> dict[str, Diagnosis]:
    looks = doctor_machine.machine(env, "terraform")
    return {diagnosis.name: diagnosis for look in looks for diagnosis in look()}


def test_programs_that_are_missing_fail_each_with_what_installs_it(env: dict[str, str], tmp_path: Path) -> None:
    found = machine({**env, "PATH": str(tmp_path)})
    for name in ("terraform", "tflint", "checkov"):
        assert found[name].exit_code == 6
        assert f"`orchestrate tools install {name}`" in str(found[name].remediation)


def test_opentofu_is_looked_for_and_named_where_it_is_configured(project: Path, env: dict[str, str]) -> None:
    write(project, {"envs/orchestrate.yaml": f"{PROJECT}terraform: {{program: tofu}}\n"})
    write(project, {"infra/main.tf": 'provider "aws" {}\n'})
    (project / "infra" / ".terraform.lock.hcl").unlink()
    found = {diagnosis.name: diagnosis for diagnosis in examine(DoctorOptions(project, {**env, "PATH": ""}))}
    assert "terraform" not in found
    assert "`orchestrate tools install tofu`" in str(found["tofu"].remediation)
    assert "`tofu init` and `tofu providers lock " in str(found["lock file of infra"].remediation)


def test_folders_that_cannot_be_written_to_fail(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    places = {"ORCHESTRATE_CACHE": f"{tmp_path}/file/cache", "ORCHESTRATE_WORKSPACES": f"{tmp_path}/file"}
    found = machine({**env, **places, "PATH": str(tmp_path)})
    assert "ORCHESTRATE_CACHE" in str(found["cache folder"].remediation)
    assert "ORCHESTRATE_WORKSPACES" in str(found["workspaces"].remediation)
    assert found["cache folder"].exit_code == found["workspaces"].exit_code == 6


def test_a_cache_that_others_may_write_to_fails(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache").chmod(0o777)
    assert "others may write" in machine({**env, "PATH": str(tmp_path)})["cache folder"].found


def test_a_plugin_cache_must_be_a_folder(env: dict[str, str], tmp_path: Path) -> None:
    plugins = tmp_path / "plugins"
    env = {**env, "PATH": str(tmp_path), "TF_PLUGIN_CACHE_DIR": str(plugins)}
    assert f"mkdir -p {plugins}" in str(machine(env)["plugin cache"].remediation)
    plugins.mkdir()
    assert machine(env)["plugin cache"].state == "ok"


# Roles ----------------------------------------------------------------------------------------------------------------


class _Impostor(BaseHTTPRequestHandler):
    """Answers in the place of STS: whoever asks is told to be in the tooling account."""

    def do_POST(self) -> None:
        action = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())["Action"][0]
        keys = "<AccessKeyId>a</AccessKeyId><SecretAccessKey>b</SecretAccessKey><SessionToken>c</SessionToken>"
        results = {
            "AssumeRole": f"<Credentials>{keys}<Expiration>2100-01-01T00:00:00Z</Expiration></Credentials>",
            "GetCallerIdentity": "<Account>000000000000</Account><Arn>arn:aws:iam::000000000000:root</Arn>"
            "<UserId>u</UserId>",
        }
        body = f"<{action}Response><{action}Result>{results[action]}</{action}Result></{action}Response>".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


def test_a_role_that_leads_to_another_account_fails(
    project: Path, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), _Impostor)) as port:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
        found = {diagnosis.name: diagnosis for diagnosis in examine(DoctorOptions(project, env))}
    role = found["plan role of dev/research"]
    assert role.exit_code == 6
    assert "led to account 000000000000" in role.found
    assert role.found.endswith("not to 111111111111")
    stores = found["stores of dev in us-east-1"]
    assert (stores.state, found["AWS credentials"].state) == ("failed", "ok")


# Providers ------------------------------------------------------------------------------------------------------------


def locked(host: str = "registry.terraform.io") -> list[LockedProvider]:
    return [LockedProvider(f"{host}/acme/nothing-like-it", "9.9.9", frozenset())]


def test_settings_that_the_person_has_written_are_left_alone(env: dict[str, str], tmp_path: Path) -> None:
    settings = tmp_path / "own.tfrc"
    settings.touch()
    (found,) = doctor_machine.providers({**env, "TF_CLI_CONFIG_FILE": str(settings)}, locked())
    assert (found.state, found.found.split()[1]) == ("ok", str(settings))


def test_settings_that_do_not_exist_are_a_warning(env: dict[str, str], tmp_path: Path) -> None:
    first, second = doctor_machine.providers({**env, "TF_CLI_CONFIG_FILE": str(tmp_path / "none")}, [])
    assert (first.name, first.state) == ("Terraform settings", "warning")
    assert second.state == "ok"


def test_a_provider_that_an_implied_mirror_holds_needs_no_registry(env: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "home/.terraform.d/plugins/registry.invalid/acme/nothing-like-it/9.9.9" / this_platform()
    folder.mkdir(parents=True)
    (found,) = doctor_machine.providers(env, locked("registry.invalid"))
    assert found.state == "ok"
    assert str(tmp_path / "home/.terraform.d/plugins") in found.found


def test_a_registry_that_cannot_be_reached_is_a_warning(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:  # bound, not listening: connections are refused
        taken.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{taken.getsockname()[1]}"
        without_proxies(monkeypatch)
        *_, found = doctor_machine.providers(env, locked(host))
    assert found.state == "warning"
    assert f"{host} cannot be reached" in found.found
    assert f"{host}/acme/nothing-like-it 9.9.9" in found.found


def without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A registry's host name and port, whose certificate this process trusts."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "1",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
            "-keyout",
            key,
            "-out",
            certificate,
        ],
        check=True,
        capture_output=True,
    )

    class RegistryHandler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path == "/.well-known/terraform.json"
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    without_proxies(monkeypatch)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    server = ThreadingHTTPServer(("127.0.0.1", 0), RegistryHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with serving(server) as port:
        yield f"localhost:{port}"


def test_a_registry_that_answers_is_where_providers_come_from(env: dict[str, str], registry: str) -> None:
    *_, found = doctor_machine.providers(env, locked(registry))
    assert found.state == "ok"
    assert found.found.endswith(f"from {registry}")


def test_in_a_bare_repository_the_rules_are_those_of_the_protected_branch(project: Path, env: dict[str, str]) -> None:
    bare = project.parent / "bare.git"
    git(project, "clone", "--quiet", "--bare", ".", str(bare))
    found = {diagnosis.name: diagnosis for diagnosis in examine(DoctorOptions(bare, env))}
    assert found["configuration"] == Diagnosis("configuration", "ok", f"{bare}: 1 environments, 2 targets")
    assert not [name for name in found if name.startswith("lock file")]
