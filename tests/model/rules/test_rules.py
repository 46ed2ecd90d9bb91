"""The rules as a whole: every mutation that makes them wrong is reported with file, line and key."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import InvalidInput
from orchestrator.model.rules.rules import PROJECT_FILE, Rules, env_of, store_regions
from orchestrator.model.rules.tag import ENV_RULE

PROJECT = """\
# the project
state:
  prefix: acme-tf
  region: us-east-1
  layout: central
  locking: both
  encryption: kms
tooling:
  account: "000000000000"
workload:
  root: modules/workload
  roles: {plan: InfraPlanRole, apply: InfraBuildRole}
  session_name: INFRA_BUILD
  external_id: acme
  variables: {env: environment}
  unmanaged_providers: [aws.legacy]
terraform:
  program: terraform
  plan_timeout_minutes: 60
  pass_env: [TF_VAR_x]
"""
DEV = """\
# dev
regions:
  - us-east-1
  - eu-central-1
global_resource_deploy_from_region: us-east-1
teams:
  research:
    account: "111111111111"
  risk:
    account: "222222222222"
    regions: [us-east-1]
    root: teams/risk
approval: {required: false}
checks: {required: [lint, scan]}
plans: {expire_after_hours: 24}
allow_lightweight_tags: false
"""
PROD = """\
regions: [us-east-1]
global_resource_deploy_from_region: us-east-1
teams:
  research: {account: "333333333333"}
"""
DEV_FILE, PROD_FILE = "envs/dev.yaml", "envs/prod.yaml"
FILES = {PROJECT_FILE: PROJECT, DEV_FILE: DEV, PROD_FILE: PROD}


def problems(files: dict[str, str]) -> list[str]:
    """The lines of the error, without its head."""
    with pytest.raises(InvalidInput) as error:
        Rules.parse(files)
    head, *lines = error.value.message.split("\n")
    assert head == (
        "the configuration has an error" if len(lines) == 1 else f"the configuration has {len(lines)} errors"
    )
    return [line.removeprefix("  ") for line in lines]


def changed(file: str, old: str, new: str) -> dict[str, str]:
    assert FILES[file].count(old) == 1, old
    return FILES | {file: FILES[file].replace(old, new)}


def test_the_rules_are_read() -> None:
    rules = Rules.parse(FILES)
    assert list(rules.environments) == ["dev", "prod"]
    assert rules.project.workload.variables == {"env": "environment"}
    assert rules.environments["dev"].teams["risk"].root == "teams/risk"
    assert rules.environments["prod"].checks.required == ["lint", "scan"]
    assert rules.project.workload.external_id == "acme"


def test_env_of_a_file() -> None:
    assert env_of("envs/dev.yaml") == "dev"


def test_store_regions() -> None:
    rules = Rules.parse(changed(PROJECT_FILE, "layout: central", "layout: regional"))
    assert store_regions(rules.project.state, rules.environments["dev"]) == ("us-east-1", "eu-central-1")
    central = Rules.parse(FILES)
    assert store_regions(central.project.state, central.environments["dev"]) == ("us-east-1",)


INVALID = [
    # file, old text, new text, what is reported (exactly one line)
    (
        PROJECT_FILE,
        "prefix: acme-tf",
        "prefix: Acme",
        "3: state.prefix: 'Acme' is not valid. The beginning of all bucket",
    ),
    (
        PROJECT_FILE,
        "region: us-east-1",
        "region: us-east-11",
        "4: state.region: there is no AWS Region 'us-east-11'. Did you",
    ),
    (
        PROJECT_FILE,
        "layout: central",
        "layout: centrl",
        "5: state.layout: 'centrl' is not valid. Did you mean central?",
    ),
    (
        PROJECT_FILE,
        "locking: both",
        "locking: none",
        "6: state.locking: 'none' is not valid. Known: both, dynamodb, s3.",
    ),
    (PROJECT_FILE, "locking: both", "lokcing: both", "6: state.lokcing: unknown key. Did you mean locking?"),
    (PROJECT_FILE, "  region: us-east-1\n", "", "2: state.region: this key is missing"),
    (PROJECT_FILE, '"000000000000"', '"00000000000"', "9: tooling.account: '00000000000' is not valid. An AWS account"),
    (PROJECT_FILE, '"000000000000"', "123456789012", "9: tooling.account: it must be text. An AWS account number"),
    (
        PROJECT_FILE,
        '"000000000000"',
        "000000000000",
        "9: tooling.account: YAML readers take '000000000000' for different",
    ),
    (
        PROJECT_FILE,
        "root: modules/workload",
        "root: ../elsewhere",
        "11: workload.root: '../elsewhere' is not valid. A folder",
    ),
    (PROJECT_FILE, "root: modules/workload", "root: /etc", "11: workload.root: '/etc' is not valid. A folder"),
    (
        PROJECT_FILE,
        "plan: InfraPlanRole",
        "plan: a/b",
        "12: workload.roles.plan: 'a/b' is not valid. The name of an IAM",
    ),
    (PROJECT_FILE, "INFRA_BUILD", '"a b"', "13: workload.session_name: 'a b' is not valid. The session name"),
    (PROJECT_FILE, "external_id: acme", "external_id: 12", "14: workload.external_id: it must be text"),
    (
        PROJECT_FILE,
        "external_id: acme",
        "external_id: x",
        "14: workload.external_id: 'x' is not valid. The external id",
    ),
    (
        PROJECT_FILE,
        "{env: environment}",
        "{envv: x}",
        "15: workload.variables.envv: this name is not valid here. Did you",
    ),
    (
        PROJECT_FILE,
        "{env: environment}",
        '{env: "a b"}',
        "15: workload.variables.env: 'a b' is not valid. It must match",
    ),
    (PROJECT_FILE, "[aws.legacy]", "[9gcp]", "16: workload.unmanaged_providers[0]: '9gcp' is not valid. It must match"),
    (PROJECT_FILE, "[aws.legacy]", "aws", "16: workload.unmanaged_providers: it must be a list"),
    (PROJECT_FILE, "minutes: 60", "minutes: 0", "19: terraform.plan_timeout_minutes: 0 is too small, the least is 1"),
    (
        PROJECT_FILE,
        "minutes: 60",
        "minutes: 9999",
        "19: terraform.plan_timeout_minutes: 9999 is too large, the most is",
    ),
    (PROJECT_FILE, "minutes: 60", "minutes: 60.0", "19: terraform.plan_timeout_minutes: it must be a whole number"),
    (PROJECT_FILE, "minutes: 60", "minutes: true", "19: terraform.plan_timeout_minutes: it must be a whole number"),
    (PROJECT_FILE, "[TF_VAR_x]", "[PATH]", "20: terraform.pass_env[0]: 'PATH' is not valid. It must match"),
    (
        DEV_FILE,
        "  - eu-central-1",
        "  - eu-centrl-1",
        "4: regions[1]: there is no AWS Region 'eu-centrl-1'. Did you mean eu-c",
    ),
    (DEV_FILE, "  - eu-central-1", "  - us-east-1", "4: regions[1]: 'us-east-1' stands twice"),
    (
        DEV_FILE,
        "  - eu-central-1",
        "  - cn-north-1",
        "4: regions[1]: cn-north-1 is in another partition (aws-cn) than us-e",
    ),
    (DEV_FILE, "  - eu-central-1", "  - 5", "4: regions[1]: it must be text. The name of an AWS Region."),
    (
        DEV_FILE,
        "region: us-east-1\n",
        "region: x\n",
        "5: global_resource_deploy_from_region: there is no AWS Region 'x'.",
    ),
    (
        DEV_FILE,
        "region: us-east-1\n",
        "region: us-gov-west-1\n",
        "5: global_resource_deploy_from_region: us-gov-west-1 is in",
    ),
    (DEV_FILE, "  research:", "  Research:", "7: teams.Research: this name is not valid here. The name of a team"),
    (DEV_FILE, '"111111111111"', '"11111111111"', "8: teams.research.account: '11111111111' is not valid. An AWS acc"),
    (DEV_FILE, '"111111111111"', "012345678901", "8: teams.research.account: YAML readers take '012345678901' for"),
    (DEV_FILE, 'account: "111111111111"', "{}", "7: teams.research.account: this key is missing"),
    (DEV_FILE, "  risk:", "  research:", "9: teams.research: this key stands twice, first in line 7"),
    (
        DEV_FILE,
        "regions: [us-east-1]",
        "regions: [us-west-2]",
        "11: teams.risk.regions[0]: 'us-west-2' is not one of the env",
    ),
    (DEV_FILE, "regions: [us-east-1]", "regions: []", "11: teams.risk.regions: it is empty; leave the key out"),
    (
        DEV_FILE,
        "regions: [us-east-1]",
        "regions: us-east-1",
        "11: teams.risk.regions: it must be a list. The Regions of",
    ),
    (
        DEV_FILE,
        "regions: [us-east-1]",
        "regions: [us-east-1, us-east-1]",
        "11: teams.risk.regions[1]: 'us-east-1' stands tw",
    ),
    (
        DEV_FILE,
        "{required: false}",
        "{required: yes}",
        "13: approval.required: YAML readers take 'yes' for different val",
    ),
    (
        DEV_FILE,
        "{required: false}",
        '{required: "no"}',
        "13: approval.required: it must be true or false. True: apply r",
    ),
    (DEV_FILE, "{required: false}", "true", "13: approval: it must be a mapping (keys and values)"),
    (DEV_FILE, "[lint, scan]", "[lint, scna]", "14: checks.required[1]: 'scna' is not valid. Did you mean scan?"),
    (
        DEV_FILE,
        "expire_after_hours: 24",
        "expire_after_hours: 10:30",
        "15: plans.expire_after_hours: YAML readers take '10:30'",
    ),
    (
        DEV_FILE,
        "allow_lightweight_tags",
        "allow_lightweight_tag",
        "16: allow_lightweight_tag: unknown key. Did you mean allow_",
    ),
    (PROD_FILE, "[us-east-1]", "[]", "1: regions: it is empty. The Regions that may be deployed to."),
]


@pytest.mark.parametrize(("file", "old", "new", "expected"), INVALID)
def test_a_mistake_is_reported_with_file_line_and_key(file: str, old: str, new: str, expected: str) -> None:
    (line,) = problems(changed(file, old, new))
    assert line.startswith(f"{file}:{expected}")


def test_no_teams() -> None:
    files = FILES | {PROD_FILE: PROD.partition("teams")[0] + "teams: {}\n"}
    assert problems(files) == ["envs/prod.yaml:3: teams: it is empty. The teams, by name."]


def test_an_account_stands_in_one_environment_only() -> None:
    found = problems(changed(PROD_FILE, "333333333333", "222222222222"))
    assert found == [
        "envs/dev.yaml:10: teams.risk.account: account 222222222222 is also in envs/prod.yaml; "
        "it may stand in one environment only",
        "envs/prod.yaml:4: teams.research.account: account 222222222222 is also in envs/dev.yaml; "
        "it may stand in one environment only",
    ]


def test_the_tooling_account_is_nobodys_workload_account() -> None:
    assert problems(changed(PROD_FILE, "333333333333", "000000000000")) == [
        "envs/prod.yaml:4: teams.research.account: account 000000000000 is the tooling account, whose states and "
        "record its releases could change"
    ]


def test_an_account_in_three_environments() -> None:
    found = problems(FILES | {"envs/qa.yaml": PROD, "envs/uat.yaml": PROD})
    assert "account 333333333333 is also in envs/qa.yaml and envs/uat.yaml" in found[0]
    assert len(found) == 3


def test_the_name_of_another_file_is_shown_on_one_line() -> None:
    found = problems({"envs/o\nx.yaml": DEV, "envs/dev.yaml": DEV})
    assert any(r"is also in envs/o\nx.yaml; it may" in problem for problem in found)


def test_two_teams_share_an_account_only_where_both_say_so() -> None:
    shared = changed(DEV_FILE, "222222222222", "111111111111")
    assert [line.partition(";")[0] for line in problems(shared)] == [
        "envs/dev.yaml:8: teams.research.account: team risk has the same account",
        "envs/dev.yaml:10: teams.risk.account: team research has the same account",
    ]
    one = shared[DEV_FILE].replace("    root: teams/risk", "    root: teams/risk\n    shared_account: true")
    assert len(problems(shared | {DEV_FILE: one})) == 1
    both = one.replace(
        '    account: "111111111111"\n  risk', '    account: "111111111111"\n    shared_account: true\n  risk'
    )
    assert Rules.parse(shared | {DEV_FILE: both})


def test_all_errors_of_all_files_are_reported_at_once() -> None:
    files = {
        PROJECT_FILE: PROJECT.replace("both", "none")
        .replace("root: modules", "rot: modules")
        .replace("us-east-1", "us-est-1"),
        DEV_FILE: DEV.replace("  - eu-central-1", "  - eu-centrl-1").replace("false}", "10:30}").replace("scan]", "x]"),
        PROD_FILE: PROD.replace('"333333333333"', '"222222222222"').replace("teams:", "teems: 1\nteams:"),
        "envs/qa.yaml": "regions: [\n",
        "envs/UAT.yaml": PROD.replace("3", "4"),
    }
    assert [line.partition(": ")[0] + " " + line.split(": ")[1] for line in problems(files)] == [
        f"envs/UAT.yaml:1 'UAT' is not a name for an environment ({ENV_RULE})",
        "envs/dev.yaml:4 regions[1]",
        "envs/dev.yaml:10 teams.risk.account",
        "envs/dev.yaml:13 approval.required",
        "envs/dev.yaml:14 checks.required[1]",
        "envs/orchestrate.yaml:4 state.region",
        "envs/orchestrate.yaml:6 state.locking",
        "envs/orchestrate.yaml:11 workload.rot",
        "envs/prod.yaml:3 teems",
        "envs/prod.yaml:5 teams.research.account",
        "envs/qa.yaml:2 this is not YAML",
    ]


def test_a_wrong_account_hides_no_wrong_region_of_the_same_team() -> None:
    wrong = DEV.replace('"222222222222"', '"2222"').replace("regions: [us-east-1]", "regions: [us-est-1]")
    assert [line.split(": ")[1] for line in problems({PROJECT_FILE: PROJECT, DEV_FILE: wrong})] == [
        "teams.risk.account",
        "teams.risk.regions[0]",
    ]


def test_missing_files() -> None:
    assert problems({}) == [
        "envs/:1: there is no environment: an environment is a file envs/<env>.yaml",
        "envs/orchestrate.yaml:1: this file is missing: it holds the project's settings",
    ]
    assert "this file is missing" in problems({DEV_FILE: DEV})[0]
    assert "there is no environment" in problems({PROJECT_FILE: PROJECT})[0]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("envs/qa.yml", "the name of a rules file ends in .yaml: rename it"),
        ("envs/qa.YAML", "the name of a rules file ends in .yaml: rename it"),
        ("envs/q_a.yaml", "'q_a' is not a name for an environment"),
        ("envs/qa-.yaml", "'qa-' is not a name for an environment"),
        ("envs/.yaml", "'' is not a name for an environment"),
        ("envs/q\x1b[31m.yaml", r"'q\x1b[31m' is not a name for an environment"),
        ("envs/releases-x.yaml", "an environment may not begin with releases-: names of stores would collide"),
        ("envs/lock-dev.yaml", "an environment may not begin with lock-"),
        ("envs/ledger-dev.yaml", "an environment may not begin with ledger-"),
        ("envs/tooling.yaml", "an environment may not be called tooling"),
    ],
)
def test_names_of_environment_files(name: str, expected: str) -> None:
    (line,) = problems(FILES | {name: PROD.replace("3", "4")})
    assert expected in line
    assert line.isprintable()


@pytest.mark.parametrize(
    ("prefix", "env", "expected"),
    [
        ("xn--acme", "dev", "begins with xn--, which S3 reserves"),
        ("sthree-acme", "dev", "begins with sthree-, which S3 reserves"),
        ("amzn-s3-demo-acme", "dev", "begins with amzn-s3-demo-, which S3 reserves"),
        ("acme", "x-s3alias", "ends with -s3alias, which S3 reserves"),
        ("acme-", "ol-s3", "ends with --ol-s3, which S3 reserves"),
        ("acme-", "x-s3", "ends with --x-s3, which S3 reserves"),
        ("a" * 40, "e" * 16, "has 66 characters, S3 allows 63"),
    ],
)
def test_bucket_names_that_s3_would_refuse(prefix: str, env: str, expected: str) -> None:
    files = {PROJECT_FILE: PROJECT.replace("acme-tf", prefix), f"envs/{env}.yaml": PROD}
    lines = problems(files)
    assert any(expected in line and f"(environment {env})" in line for line in lines)
    assert all(line.startswith("envs/orchestrate.yaml:3: state.prefix: ") for line in lines)


def test_short_names_that_collide_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.model.rules.backend.short_name", lambda region: "one")
    monkeypatch.setattr("orchestrator.model.rules.rule_checks.short_name", lambda region: "one")
    (line,) = problems(changed(PROJECT_FILE, "layout: central", "layout: regional"))
    assert "dev in us-east-1 and dev in eu-central-1 would share the bucket acme-tf-one-" in line


def test_a_type_that_jsonschema_accepts_and_msgspec_does_not_is_still_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.model.rules.conversion._errors", lambda value, kind: [])
    (line,) = problems(changed(DEV_FILE, "{required: false}", "{required: 3}"))
    assert line == "envs/dev.yaml:13: approval.required: Expected `bool`, got `int`"


def test_the_text_of_a_mistake_is_shown_safely() -> None:
    (line,) = problems(changed(DEV_FILE, "allow_lightweight_tags", r'"a\e[31mb"'))
    assert line.isprintable()
    assert len(problems(changed(DEV_FILE, '"111111111111"', f'"{"9" * 5000}"'))[0]) < 400


# Every place of the configuration, spoilt in every way.

PLAIN: dict[str, Any] = {name: yaml.safe_load(text) for name, text in FILES.items()}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for part in path:
        value = value[part]
    return value


def wrong_type(value: Any) -> Any:
    return 7.5 if isinstance(value, dict | list | str) else "text"


def unknown_key(value: Any) -> Any:
    return {**value, "colour": "red"} if isinstance(value, dict) else {"colour": "red"}


ALL_PLACES = [(file, path) for file, content in PLAIN.items() for path in places(content)]
SPOILERS: list[Callable[[Any], Any]] = [wrong_type, unknown_key]


@pytest.mark.slow
@given(st.sampled_from(ALL_PLACES), st.sampled_from(SPOILERS))
def test_a_spoilt_place_is_always_reported_in_its_file(
    place: tuple[str, tuple[Any, ...]], spoil: Callable[[Any], Any]
) -> None:
    file, path = place
    files = copy.deepcopy(PLAIN)
    at(files[file], path[:-1])[path[-1]] = spoil(at(files[file], path))
    found = problems({name: yaml.safe_dump(content) for name, content in files.items()})
    keys = [part for part in path if isinstance(part, str)]
    assert any(line.startswith(f"{file}:") and ".".join(keys) in line for line in found)


@pytest.mark.slow
@given(st.lists(st.sampled_from([place for place in ALL_PLACES if len(place[1]) == 1]), min_size=1, unique=True))
def test_files_with_many_errors_report_each(found: list[tuple[str, tuple[Any, ...]]]) -> None:
    files = copy.deepcopy(PLAIN)
    for file, path in found:
        files[file][path[0]] = wrong_type(files[file][path[0]])
    lines = problems({name: yaml.safe_dump(content) for name, content in files.items()})
    for file, path in found:
        assert any(line.startswith(f"{file}:") and f": {path[0]}: " in line for line in lines)


@given(st.dictionaries(st.sampled_from([*FILES, "envs/x.yaml"]), st.text(max_size=30)))
def test_texts_that_are_no_rules_are_invalid_input(files: dict[str, str]) -> None:
    assert problems(files)
