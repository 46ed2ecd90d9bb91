"""Signed tags, change windows and promotion through the command line."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.support.command import CommandResult as Ended
from tests.support.keys import SigningKey, ssh_key
from tests.support.projects import DEV, PROJECT, E2eProject, NewProject

pytestmark = pytest.mark.slow

DEV_FIRST, QA_FIRST, QA_SECOND = "dev_global/research/1.0", "qa_global/research/1.0", "qa_global/research/1.1"


def refused(ended: Ended, why: str) -> None:
    assert ended.code == 4, ended.err
    assert why in ended.err


# Signed tags ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[SigningKey, SigningKey]:
    folder = tmp_path_factory.mktemp("keys")
    return ssh_key(folder, "alice"), ssh_key(folder, "mallory")


def test_only_a_tag_that_an_allowed_signer_has_signed_is_released(
    new_project: NewProject, keys: tuple[SigningKey, SigningKey]
) -> None:
    alice, mallory = keys
    project = new_project("signed", "slow")
    rules = DEV + "signature: required\nfreeze: []\n"
    project.commit({"envs/dev.yaml": rules, "envs/allowed_signers": f"alice@example.com {alice.public}\n"})
    project.git(*mallory.options, "tag", "--sign", "--message", "x", DEV_FIRST)
    for command in ("show", "plan", "apply", "approve"):
        refused(project.run(command, "--tag", DEV_FIRST), "its key is not among the allowed signers")
    project.git("tag", "--delete", DEV_FIRST)
    project.tag(DEV_FIRST)
    refused(project.run("plan", "--tag", DEV_FIRST), "is not signed")
    project.git("tag", "--delete", DEV_FIRST)
    project.git(*alice.options, "tag", "--sign", "--message", "x", DEV_FIRST)
    project.ok("plan", "--tag", DEV_FIRST)
    _made_again_and_signed_once_more(project, alice)
    _under_another_name(project)


def _made_again_and_signed_once_more(project: E2eProject, alice: SigningKey) -> None:
    """Also the signer cannot move a tag: nobody would see what is released under its name."""
    first = project.git("rev-parse", DEV_FIRST)
    project.git("tag", "--delete", DEV_FIRST)
    project.git(*alice.options, "tag", "--sign", "--message", "another", DEV_FIRST)
    refused(project.run("apply", "--tag", DEV_FIRST), "has been moved: it was first seen as")
    project.git("update-ref", f"refs/tags/{DEV_FIRST}", first)
    project.ok("apply", "--tag", DEV_FIRST)


def _under_another_name(project: E2eProject) -> None:
    project.git("update-ref", "refs/tags/dev_us-east-1/risk/1.0", project.git("rev-parse", DEV_FIRST))
    refused(project.run("plan", "--tag", "dev_us-east-1/risk/1.0"), f"calls itself {DEV_FIRST}")


# Change windows -------------------------------------------------------------------------------------------------------


def test_nothing_is_applied_outside_the_windows_and_the_plan_stays(new_project: NewProject) -> None:
    project = new_project("windows", "slow")
    project.tag(DEV_FIRST)
    now = datetime.now(UTC)
    other_days = [f"{now + timedelta(days=days):%a}".lower() for days in (3, 4)]
    rules = DEV + f'windows: [{{days: [{", ".join(other_days)}], from: "09:00", to: "10:00"}}]\n'
    project.commit({"envs/dev.yaml": rules})
    project.ok("plan", "--tag", DEV_FIRST)
    refused(
        project.run("apply", "--tag", DEV_FIRST), f"the change window is closed; it is open {', '.join(other_days)}"
    )
    day, next_day = f"{now:%Y-%m-%d}", f"{now + timedelta(days=1):%Y-%m-%d}"
    frozen = DEV + f'freeze: [{{from: "{day}", to: "{next_day}", reason: an audit}}]\n'
    project.commit({"envs/dev.yaml": frozen})
    refused(project.run("apply", "--tag", DEV_FIRST), f"changes are frozen from {day} to {next_day} (UTC): an audit")
    project.commit({"envs/dev.yaml": DEV})
    project.ok("apply", "--tag", DEV_FIRST)


# Promotion ------------------------------------------------------------------------------------------------------------

QA = """\
regions: [us-east-1]
global_resource_deploy_from_region: us-east-1
teams:
  research: {{account: "333333333333"}}
checks: {{required: []}}
promote_from: dev
promotion: {{{promotion}}}
"""
WITH_PAGE = """
variable "page" {
  type = string
}

output "verify_url" {
  value = var.page
}
"""


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"it runs")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def page() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_a_version_is_promoted_when_it_was_applied_verified_and_has_soaked(new_project: NewProject, page: str) -> None:
    project = new_project("promoted", "slow", bootstrap=False)
    settings = {"envs/orchestrate.yaml": PROJECT.format(prefix="promoted", root=".")}
    qa = {"envs/qa.yaml": QA.format(promotion="soak_hours: 1")}
    variables = {f"envs/{env}.tfvars": f'page = "{page}"\n' for env in ("dev", "qa")}
    project.commit({**settings, **qa, **variables, "page.tf": WITH_PAGE})
    project.ok("bootstrap")
    promote = ("promote", "--team", "research", "--version", "1.0", "--to", "qa", "--scope", "global")
    refused(project.run(*promote), "there is no tag of version '1.0' to promote: dev_global/research/1.0")
    project.tag(DEV_FIRST)
    refused(project.run(*promote), "qa yet. dev, global: the same commit has not been applied there")
    project.ok("plan", "--tag", DEV_FIRST)
    project.ok("apply", "--tag", DEV_FIRST)
    refused(project.run(*promote), "it has run there for 0 h 00 min, and 1 h are asked for")
    project.commit({"envs/qa.yaml": QA.format(promotion="")})
    refused(
        project.run(*promote), "it has not been verified there (`orchestrate verify --tag dev_global/research/1.0`)"
    )
    project.ok("verify", "--tag", DEV_FIRST)
    made = project.ok_json(*promote)
    assert [tag["tag"] for tag in made["tags"]] == [QA_FIRST]
    assert made["tags"][0]["commit"] == project.git("rev-parse", f"{DEV_FIRST}^{{commit}}")
    refusals = project.ok_json("history", "--env", "qa")["entries"]
    told = {(each["kind"], each["tag"], each["commit"], each["detail"]["action"]) for each in refusals}
    assert told == {("refused", QA_FIRST, made["tags"][0]["commit"], "promote")}
    assert len(refusals) == 3
    project.ok("plan", "--tag", QA_FIRST)
    project.ok("apply", "--tag", QA_FIRST)
    _another_commit_is_refused_until_it_is_the_same_source(project)


def _another_commit_is_refused_until_it_is_the_same_source(project: E2eProject) -> None:
    project.commit({"envs/notes.txt": "Nothing that the root uses.\n"})
    project.tag(QA_SECOND)
    refused(project.run("plan", "--tag", QA_SECOND), "the same commit has not been applied there")
    project.commit({"envs/qa.yaml": QA.format(promotion="same: source")})
    project.ok("plan", "--tag", QA_SECOND)
    changed = (project.folder / "main.tf").read_text().replace('"one"', '"two"')
    project.commit({"main.tf": changed})
    project.tag("qa_global/research/1.2")
    refused(project.run("plan", "--tag", "qa_global/research/1.2"), "the same source has not been applied there")


def test_promotion_asks_where_to_and_from(new_project: NewProject) -> None:
    project = new_project("nowhere", "slow", bootstrap=False)
    options = ("--team", "research", "--version", "1.0")
    unknown = project.run("promote", *options, "--to", "dve")
    assert unknown.code == 3
    none = project.run("promote", *options, "--to", "dev")
    assert none.code == 3
    assert "is promoted from no other one" in none.err
