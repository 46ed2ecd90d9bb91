"""Release settings that are of the right type and make no sense."""

from __future__ import annotations

import pytest

from orchestrator.errors import InvalidInput
from orchestrator.model.rules.config import Environment
from orchestrator.model.rules.rules import Rules

ENVIRONMENT = """\
regions: [us-east-1]
global_resource_deploy_from_region: us-east-1
teams: {{research: {{account: "{account}"}}}}
"""


def rules(**settings: str) -> Rules:
    """Environments with these lines added."""
    files = {
        "envs/orchestrate.yaml": 'state: {prefix: acme-tf, region: us-east-1}\ntooling: {account: "000000000000"}\n'
    }
    for number, (env, lines) in enumerate(settings.items(), 1):
        files[f"envs/{env}.yaml"] = ENVIRONMENT.format(account=str(number) * 12) + lines + "\n"
    return Rules.parse(files)


def refusal(**settings: str) -> str:
    with pytest.raises(InvalidInput) as error:
        rules(**settings)
    return error.value.message


WINDOW = 'windows: [{{days: [{days}], from: "{start}", to: "{end}"{more}}}]'


def window(days: str = "mon", start: str = "09:00", end: str = "16:00", more: str = "") -> str:
    return WINDOW.format(days=days, start=start, end=end, more=more)


def test_all_of_it() -> None:
    prod = """\
signature: required
signers: {gpg: envs/prod.asc}
approval: {required: true, count: 2, by: [Approvers, "arn:aws:iam::000000000000:user/al*"], separation_of_duties: true}
windows: [{days: [mon, fri], from: "22:00", to: "02:30", timezone: Europe/Zurich}]
freeze: [{from: "2026-12-20", to: "2027-01-03", timezone: Asia/Tokyo, reason: year end}]
promote_from: qa
promotion: {soak_hours: 24, verified: false, same: source}
"""
    read: Environment = rules(qa="promote_from: dev", dev="", prod=prod).environments["prod"]
    assert read.windows is not None
    assert (read.windows[0].start, read.windows[0].end, read.freeze[0].end) == ("22:00", "02:30", "2027-01-03")
    assert (read.signature, read.approval.count, read.promote_from) == ("required", 2, "qa")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (window(start="9:00"), "windows[0].from: '9:00' is not valid"),
        (window(end="25:00"), "windows[0].to: '25:00' is not valid"),
        (window(start="24:00"), 'windows[0].from: a window cannot open at "24:00"'),
        (window(end="09:00"), "windows[0].to: it closes when it opens"),
        (window(days="monday"), "windows[0].days[0]: 'monday' is not valid"),
        (window(days=""), "windows[0].days: it is empty"),
        (window(more=", timezone: Europe/Zuerich"), "Did you mean Europe/Zurich?"),
        (window(more=", timezone: Qqqq/Zzzz"), "'Qqqq/Zzzz' is not in this machine's time zone database."),
        ("windows: []", "windows: it is empty"),
        ('freeze: [{from: "2026-02-30", to: "2026-03-01"}]', "freeze[0].from: the calendar has no such day"),
        ('freeze: [{from: "2026-02-03", to: "2026-02-01"}]', "freeze[0].to: the last day is before the first"),
        ('freeze: [{from: "2026-02-03", to: "3 May"}]', "freeze[0].to: '3 May' is not valid"),
        ("approval: {count: 2}", "approval: it says how plans are approved, but not that they must be"),
        ("approval: {required: true, count: 0}", "approval.count: 0 is too small"),
        ('approval: {required: true, by: ["a b"]}', "approval.by[0]: 'a b' is not valid"),
        ("promote_from: dev", "promote_from: promotion goes in a circle: dev is promoted from itself"),
        ("promote_from: qaa", "promote_from: there is no environment 'qaa'. Did you mean qa?"),
        ("promote_from: QA", "promote_from: 'QA' is not valid"),
        ("signature: yes-please", "signature: 'yes-please' is not valid"),
        ("signers: {ssh: ../keys}", "signers.ssh: '../keys' is not valid"),
    ],
)
def test_each_mistake_is_told_with_its_key(lines: str, message: str) -> None:
    assert message in refusal(dev=lines, qa="")


def test_promotion_in_a_circle_is_told_of_each_that_stands_in_it() -> None:
    found = refusal(dev="promote_from: prod", qa="promote_from: dev", prod="promote_from: qa", other="promote_from: qa")
    assert found.count("promotion goes in a circle") == 3
    assert "envs/other.yaml" not in found


def test_an_environment_that_cannot_be_read_ends_the_way_back() -> None:
    found = refusal(dev="promote_from: qa", qa="promote_from: none")
    assert "there is no environment 'none'" in found
    assert "circle" not in found


@pytest.mark.parametrize(
    ("waves", "said"),
    [
        ("[[us-east-11]]", "no Region of this environment. Did you mean"),
        ("[[us-east-1], [us-east-1]]", "us-east-1 is in a wave already"),
        ("[[global]]", "the Region us-east-1 is in no wave"),
        ("[[eu-west-3, us-east-1]]", "'eu-west-3' is no Region of this environment"),
    ],
)
def test_waves_hold_every_region_once(waves: str, said: str) -> None:
    assert said in refusal(dev=f"waves: {waves}").replace('"', "'")


def test_waves_may_place_the_global_resources() -> None:
    assert rules(dev="waves: [[us-east-1], [global]]").environments["dev"].waves == [["us-east-1"], ["global"]]


TOPIC = "arn:aws:sns:us-east-1:000000000000:glass"


def test_who_may_break_the_glass() -> None:
    line = f'approval: {{break_glass: {{by: [OnCall], notify: "{TOPIC}"}}}}'
    approval = rules(prod=line).environments["prod"].approval
    assert approval.break_glass is not None, "windows may be closed where no approval is required"
    assert (approval.break_glass.by, approval.break_glass.notify, approval.required) == (["OnCall"], TOPIC, False)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (f'by: ["*"], notify: "{TOPIC}"', "approval.break_glass.by[0]: anybody could break the glass"),
        (f'by: [], notify: "{TOPIC}"', "approval.break_glass.by"),
        ("by: [OnCall]", "notify"),
        ('by: [OnCall], notify: "arn:aws:sqs:us-east-1:000000000000:glass"', "approval.break_glass.notify"),
    ],
)
def test_a_glass_that_anybody_breaks_or_that_makes_no_noise_is_refused(settings: str, message: str) -> None:
    assert message in refusal(prod=f"approval: {{required: true, break_glass: {{{settings}}}}}")


def test_a_pipeline_that_waits_for_nobody_gives_nobody_the_time_to_break_the_glass() -> None:
    glass = f'break_glass: {{by: [OnCall], notify: "{TOPIC}"}}'
    told = refusal(prod=f"apply_from: pipeline\napproval: {{{glass}}}")
    assert "approval.break_glass: the pipeline waits for nobody to break the glass" in told
    rules(prod=f"apply_from: pipeline\napproval: {{required: true, {glass}}}")
