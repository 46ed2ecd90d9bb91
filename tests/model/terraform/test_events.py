"""What Terraform says, captured from Terraform 1.11.4 and AWS provider 5.100.0, and what is made of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import DependencyError, InvalidInput, Locked, OrchestrateError, Refused, StageFailed
from orchestrator.model.terraform.errors import LockInfo, TerraformCommand, failure
from orchestrator.model.terraform.events import CommandOutput, Diagnostic, Export

CAPTURED = Path(__file__).parent / "terraform_output"


def said(name: str) -> tuple[CommandOutput, list[str]]:
    """All of a captured run, and what is shown of it."""
    output = CommandOutput()
    shown = [output.take(line) for line in (CAPTURED / f"{name}.jsonl").read_text().splitlines()]
    return output, [line for line in shown if line is not None]


def failed(
    name: str, code: int = 1, run: TerraformCommand | None = None, program: str = "terraform"
) -> OrchestrateError:
    return failure("the plan", said(name)[0], code, run, program=program)


@pytest.mark.parametrize(
    ("name", "error", "message", "hint"),
    [
        ("stale", Refused, "Saved plan is stale", "run `orchestrate plan` again"),
        ("wrong-account", Refused, "AWS account ID not allowed: 000000000000", "not the target's"),
        ("no-role", DependencyError, "Cannot assume IAM Role", "does it trust these credentials"),
        ("no-credentials", DependencyError, "No valid credential sources found", "Log in"),
        ("lock-file-missing", InvalidInput, "Provider dependency changes detected", "terraform providers lock"),
        ("lock-file-checksums", InvalidInput, "doesn't match any of the checksums", "terraform providers lock"),
        ("lock-file-version", InvalidInput, "does not match configured version constraint", "terraform providers lock"),
        ("provider-unreachable", DependencyError, "registry.terraform.io", "registry or mirror reachable"),
        ("no-bucket-init", DependencyError, "does not exist", "orchestrate bootstrap"),
        ("no-table-plan", DependencyError, "Requested resource not found", "orchestrate bootstrap"),
        ("unreachable", DependencyError, "connection refused", "could not be reached"),
        ("state-denied", DependencyError, "AccessDenied", "AWS refused it"),
        ("state-throttled", DependencyError, "SlowDown", "slow down"),
        ("lock-denied", DependencyError, "AccessDeniedException", "AWS refused it"),
        ("lock-throttled", DependencyError, "ThroughputExceeded", "slow down"),
        ("lockfile-denied", DependencyError, "AccessDenied", "AWS refused it"),
        ("save-failed", DependencyError, "Failed to save state", "`orchestrate recover` stores it"),
        ("provider-crash", StageFailed, "Plugin did not respond (main.tf:4)", None),
        ("syntax", StageFailed, "Invalid expression", None),
        ("missing-variable", StageFailed, 'variable "v" is not set', None),
        ("provisioner", StageFailed, "exit status 3", None),
    ],
)
def test_each_failure_has_the_class_and_hint_that_it_needs(
    name: str, error: type[OrchestrateError], message: str, hint: str | None
) -> None:
    found = failed(name)
    assert type(found) is error
    assert found.message.startswith("the plan failed: ")
    assert message in found.message
    assert (found.hint is None) if hint is None else (hint in str(found.hint))
    assert len(found.message.splitlines()) <= 16


def test_with_opentofu_it_is_opentofu_that_is_spoken_of() -> None:
    assert failed("terraform-crash", code=2, program="tofu").message.startswith("the plan failed: OpenTofu ended with")
    assert "Run `tofu init` and `tofu providers lock " in str(failed("lock-file-missing", program="tofu").hint)
    assert str(failed("provider-unreachable", program="tofu").hint).startswith("OpenTofu could not get a provider")


@pytest.mark.parametrize("name", ["locked-dynamodb", "locked-s3"])
def test_a_lock_tells_who_holds_it_and_how_to_release_it(name: str) -> None:
    found = failed(name, run=TerraformCommand(datetime(2026, 1, 1, tzinfo=UTC), "john@laptop"))
    assert isinstance(found, Locked)
    assert found.message == (
        "the state evstate/k is locked by jane@laptop since 2026-01-02 03:04:05.678 +0000 UTC (OperationTypeApply, "
        "lock 8a1b2c3d-0000-1111-2222-333344445555)"
    )
    assert "Wait until that run ends" in str(found.hint)
    assert "--lock-id 8a1b2c3d-0000-1111-2222-333344445555`" in str(found.hint)


@pytest.mark.parametrize(
    ("began", "who", "own"),
    [
        ("2026-11-21T11:22:52", "jane@laptop", True),
        ("2026-11-21T11:22:50", "jane@laptop", True),
        ("2026-11-21T11:22:53", "jane@laptop", False),
        ("2026-11-21T11:22:50", "john@laptop", False),
    ],
)
def test_a_lock_that_the_failed_command_made_itself_is_told_from_others(began: str, who: str, own: bool) -> None:
    """Captured where DynamoDB had written the lock and its answer was lost, so that the SDK asked a second time."""
    found = failed("lock-own", run=TerraformCommand(datetime.fromisoformat(f"{began}+00:00"), who))
    assert isinstance(found, Locked)
    assert ("AWS carried out one request of it twice" in str(found.hint)) == own
    assert "orchestrate unlock" in str(found.hint)


def test_a_lock_that_was_gone_when_it_was_asked_about_is_no_failure_of_the_store() -> None:
    lost = Diagnostic("error", "Error acquiring the state lock", "ConditionalCheckFailedException\nno item found")
    found = failure("the plan", CommandOutput([lost]), 1, program="terraform")
    assert isinstance(found, Locked)
    assert found.hint == "Try again."


def test_a_lock_without_names_is_unknown() -> None:
    assert LockInfo.of("Lock Info:\n  ID:  \n  Who: me") == LockInfo("unknown", "unknown", "unknown", "me", "unknown")


@pytest.mark.parametrize(
    ("text", "address", "error"),
    [
        ("dial tcp 10.0.0.1:5432: connect: connection refused", "postgresql_role.this", StageFailed),
        ("NoSuchBucket: of the workload", "aws_s3_object.this", StageFailed),
        ("api error AccessDenied", "aws_iam_role.this", StageFailed),
        ("dial tcp: no such host", 'provider["registry.terraform.io/hashicorp/aws"].west', DependencyError),
        ("dial tcp: no such host", None, DependencyError),
        ("api error ExpiredToken", "aws_iam_role.this", DependencyError),
    ],
)
def test_errors_of_a_resource_say_nothing_about_the_backend(
    text: str, address: str | None, error: type[OrchestrateError]
) -> None:
    output = CommandOutput([Diagnostic("error", "creating it", text, address=address)])
    found = failure("the apply", output, 1, program="terraform")
    assert type(found) is error


def test_a_crash_is_told_by_its_panic() -> None:
    found = failed("terraform-crash", code=2)
    assert found.message == "the plan failed: Terraform ended with exit code 2: SIGABRT: abort"
    assert said("terraform-crash")[0].panic == "SIGABRT: abort"


@pytest.mark.parametrize(
    ("lines", "code", "message"),
    [
        ([], 1, "Terraform ended with exit code 1: it gave no reason"),
        (["", "  "], 1, "Terraform ended with exit code 1: it gave no reason"),
        (["first", "exec format error", ""], 126, "Terraform ended with exit code 126: exec format error"),
        (["panic: runtime error: nil", "goroutine 1"], 11, "exit code 11: panic: runtime error: nil"),
        (["fatal error: out of memory", "panic: second"], 2, "exit code 2: fatal error: out of memory"),
        (["x" * 10_000], 1, "x" * 300),
        ([], -9, "Terraform was killed by signal 9"),
    ],
)
def test_an_end_without_diagnostics_is_explained(lines: list[str], code: int, message: str) -> None:
    output = CommandOutput()
    for line in lines:
        output.take(line)
    assert failure("the apply", output, code, program="terraform").message.endswith(message)


def test_only_the_first_errors_are_repeated() -> None:
    output = CommandOutput([Diagnostic("error", f"error {n}", "") for n in range(5)])
    message = failure("the plan", output, 1, program="terraform").message
    assert message == "the plan failed: error 0\nerror 1\nerror 2\n(and 2 more errors, shown above)"


def test_the_first_errors_are_told_by_the_failure_alone_and_the_others_as_they_come() -> None:
    output = CommandOutput()
    shown = [output.take(_error(summary=f"error {n}")) for n in range(5)]
    assert shown == [None, None, None, "Error: error 3", "Error: error 4"]


def test_secrets_are_taken_out_of_all_that_is_shown_or_kept_but_for_outputs() -> None:
    output = CommandOutput(mask=lambda text: text.replace("hunter2", "***"))
    outputs = {"a": {"sensitive": False, "type": "string", "value": "hunter2"}}
    lines = [
        _error(summary="hunter2", detail="said hunter2"),
        json.dumps({"@message": "is hunter2", "type": "apply_progress"}),
        "panic: hunter2",
        json.dumps({"@message": "Outputs: 1", "type": "outputs", "outputs": outputs}),
    ]
    assert [output.take(line) for line in lines] == [None, "is ***", "panic: ***", None]
    told = failure("the apply", output, 1, program="terraform")
    assert "hunter2" not in f"{output.errors} {output.other} {output.panic} {told}"
    assert output.outputs == outputs


def test_what_only_introduces_the_other_errors_is_left_out() -> None:
    introduction = _error(summary="Terraform encountered problems during initialisation, including problems\nwith it")
    output = CommandOutput()
    output.take(introduction)
    assert len(output.errors) == 1
    for line in (_error(summary="Missing expression"), introduction):
        output.take(line)
    assert [error.summary[:9] for error in output.errors] == ["Terraform", "Missing e"]


@pytest.mark.parametrize(
    ("told", "place"),
    [
        ("main.tf", "live/main.tf"),
        ("../shared/x.tf", "shared/x.tf"),
        ("/w/source/envs/dev.tfvars", "envs/dev.tfvars"),
        ("/w/run/orchestrate.tfvars.json", "/w/run/orchestrate.tfvars.json"),
        ("../../data/modules/x/main.tf", "../../data/modules/x/main.tf"),
    ],
)
def test_a_file_is_told_by_its_path_in_the_repository(told: str, place: str) -> None:
    output = CommandOutput(export=Export("/w/source", "/w/source/live"))
    output.take(_error(summary="s", detail="On /w/source/x.tf: y", range={"filename": told, "start": {"line": 3}}))
    assert str(output.errors[0]) == f"s ({place}:3)\n  On x.tf: y"


def _error(**fields: object) -> str:
    diagnostic = {"severity": "error", **fields}
    return json.dumps({"@message": "Error", "type": "diagnostic", "diagnostic": diagnostic})


# What is shown ------------------------------------------------------------------------------------------------------


def test_progress_is_shown_and_what_everyone_knows_is_not() -> None:
    output, shown = said("apply-ok")
    assert shown == [
        "terraform_data.a: Creating...",
        "terraform_data.a: Creation complete after 0s [id=579e9150-a745-b68b-b2fe-b75acc849e32]",
        "Apply complete! Resources: 1 added, 0 changed, 0 destroyed.",
    ]
    assert output.errors == []
    assert output.outputs == {}


def test_outputs_are_kept() -> None:
    output = CommandOutput()
    outputs = {"a": {"sensitive": False, "type": "string", "value": "x"}, "b": {"sensitive": True, "type": "string"}}
    assert output.take(json.dumps({"@message": "Outputs: 2", "type": "outputs", "outputs": outputs})) is None
    assert output.outputs == outputs


def test_warnings_are_shown_and_are_no_errors() -> None:
    output = CommandOutput()
    diagnostic = {"severity": "warning", "summary": "Old", "detail": "a\n\nb", "address": "a.b"}
    line = json.dumps({"@message": "Warning: Old", "type": "diagnostic", "diagnostic": diagnostic})
    assert output.take(line) == "Warning: Old (a.b)\n  a\n  b"
    assert output.errors == []


def test_long_details_are_cut() -> None:
    shown = str(Diagnostic("error", "s", "\n".join(["x" * 5000] * 50))).splitlines()
    assert shown[-1] == "  ..."
    assert len(shown) == 14
    assert max(len(line) for line in shown) < 700


def test_a_summary_of_several_lines_is_a_summary_and_details() -> None:
    output, _ = said("no-bucket-init")
    (error,) = output.errors
    assert error.summary == 'Failed to get existing workspaces: S3 bucket "nosuchbucket-ev" does not exist.'
    assert "\n\n" not in str(error)


def test_lines_that_are_no_events_are_shown_and_the_last_are_kept() -> None:
    output = CommandOutput()
    for line in ("{", '{"a": 1}', "[1]", "", "plain"):
        assert output.take(line) == (line or None)
    for number in range(1000):
        output.take(str(number))
    assert list(output.other)[-1] == "999"
    assert len(output.other) == 200


@given(
    st.text(max_size=50) | st.dictionaries(st.text(max_size=5), st.integers() | st.text(), max_size=4).map(json.dumps)
)
def test_no_line_is_too_strange(line: str) -> None:
    CommandOutput().take(line)
