"""CodeBuild's builds, as a client of AWS sees them. All but what is the sandbox's own holds for AWS too."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.workbench import ACCOUNT, Workbench, buildspec, code_of, git, runs, zipped


def phases(build: dict[str, Any]) -> dict[str, str | None]:
    return {phase["phaseType"]: phase.get("phaseStatus") for phase in build["phases"]}


class TestCommands:
    def test_a_build_runs_its_phases_in_order_and_writes_its_log(self, aws: Workbench) -> None:
        commands = {name: {"commands": [f"echo in {name}"]} for name in ("install", "pre_build", "build", "post_build")}
        build = aws.build(aws.project(buildspec(phases=commands)))
        assert build["buildStatus"] == "SUCCEEDED"
        assert list(phases(build)) == [
            *("SUBMITTED", "QUEUED", "PROVISIONING", "DOWNLOAD_SOURCE", "INSTALL", "PRE_BUILD", "BUILD", "POST_BUILD"),
            *("UPLOAD_ARTIFACTS", "FINALIZING", "COMPLETED"),
        ]
        log = aws.log(build)
        assert [line for line in log.splitlines() if line.startswith("in ")] == [f"in {name}" for name in commands]
        assert "Running command echo in build" in log

    def test_exported_variables_and_the_folder_carry_over_from_command_to_command(self, aws: Workbench) -> None:
        commands = ["export A='two  words'", "B=lost", "mkdir -p deep && cd deep", 'echo "[$A] [$B] $(basename $PWD)"']
        log = aws.log(aws.build(aws.project(buildspec(*commands))))
        assert "[two  words] [] deep\n" in log

    @pytest.mark.parametrize("shell", ["sh", "bash"])
    def test_the_shell_is_chosen_by_the_specification(self, aws: Workbench, shell: str) -> None:
        spec = buildspec('echo "version=${BASH_VERSION:+bash}"', env={"shell": shell})
        assert f"version={'bash' if shell == 'bash' else ''}\n" in aws.log(aws.build(aws.project(spec)))

    def test_exported_variables_are_told(self, aws: Workbench) -> None:
        spec = buildspec("export DIGEST='a b'", "export OTHER=x", env={"exported-variables": ["DIGEST", "MISSING"]})
        exported = aws.build(aws.project(spec))["exportedEnvironmentVariables"]
        assert exported == [{"name": "DIGEST", "value": "a b"}, {"name": "MISSING", "value": ""}]

    def test_the_build_spec_may_be_a_file_of_the_source(self, aws: Workbench) -> None:
        aws("s3").put_object(
            Bucket=aws.store, Key="spec.zip", Body=zipped({"ci/spec.yml": buildspec("echo from a file")})
        )
        source = {"type": "S3", "location": f"{aws.store}/spec.zip"}
        assert "from a file\n" in aws.log(aws.build(aws.project("ci/spec.yml", source=source)))

    def test_a_process_that_a_build_leaves_behind_ends_with_it(self, aws: Workbench) -> None:
        leave = "(setsid sh -c 'echo $$ > $HOME/pid; exec sleep 600' &)"
        tell = "until test -s $HOME/pid; do sleep 0.01; done; echo pid=$(cat $HOME/pid)."
        build = aws.build(aws.project(buildspec(leave, tell)))
        assert build["buildStatus"] == "SUCCEEDED"
        assert not runs(aws.pid(build["id"]))


class TestFailures:
    def test_a_failed_command_fails_its_phase_and_the_rest_of_it_is_not_run(self, aws: Workbench) -> None:
        build = aws.build(aws.project(buildspec("exit 3", "echo never")))
        assert build["buildStatus"] == "FAILED"
        context = next(phase for phase in build["phases"] if phase["phaseType"] == "BUILD")["contexts"][0]
        assert context["statusCode"] == "COMMAND_EXECUTION_ERROR"
        assert context["message"].endswith("exit status 3")
        assert "never" not in aws.log(build).replace("Running command", "")

    def test_finally_and_post_build_run_after_a_failed_build_phase_and_are_told(self, aws: Workbench) -> None:
        told = 'echo "{} $CODEBUILD_BUILD_SUCCEEDING"'
        parts = {
            "build": {"commands": ["false"], "finally": [told.format("finally")]},
            "post_build": {"commands": [told.format("post")]},
        }
        build = aws.build(aws.project(buildspec(phases=parts)))
        assert phases(build)["POST_BUILD"] == "SUCCEEDED"
        assert build["buildStatus"] == "FAILED"
        log = aws.log(build)
        assert "finally 0\n" in log
        assert "post 0\n" in log

    def test_nothing_is_built_after_a_failed_install_phase(self, aws: Workbench) -> None:
        build = aws.build(aws.project(buildspec("echo built", phases={"install": {"commands": ["false"]}})))
        assert "BUILD" not in phases(build)
        assert phases(build)["FINALIZING"] == "SUCCEEDED"

    def test_on_failure_continue_goes_on(self, aws: Workbench) -> None:
        install = {"commands": ["false"], "on-failure": "CONTINUE"}
        build = aws.build(aws.project(buildspec("echo built", phases={"install": install})))
        assert phases(build)["BUILD"] == "SUCCEEDED"
        assert build["buildStatus"] == "FAILED"

    @pytest.mark.parametrize(
        "spec",
        ["version: 0.1\nphases: {}\n", "version: 0.2\n", "version: 0.2\nphases: {build: {comands: [x]}}\n", "a: [\n"],
    )
    def test_a_specification_that_is_none_fails_the_download(self, aws: Workbench, spec: str) -> None:
        build = aws.build(aws.project(spec))
        assert phases(build)["DOWNLOAD_SOURCE"] == "FAILED"

    def test_a_role_that_does_not_trust_codebuild_fails_the_build(self, aws: Workbench) -> None:
        build = aws.build(aws.project(buildspec("true"), serviceRole=aws.new_role("events.amazonaws.com")))
        provisioning = next(phase for phase in build["phases"] if phase["phaseType"] == "PROVISIONING")
        assert provisioning["contexts"][0]["statusCode"] == "ACCESS_DENIED"

    def test_a_variable_that_is_a_secret_is_refused(self, aws: Workbench) -> None:
        variable = {"name": "TOKEN", "value": "/path", "type": "PARAMETER_STORE"}
        build = aws.build(aws.project(buildspec("true")), environmentVariablesOverride=[variable])
        assert phases(build)["DOWNLOAD_SOURCE"] == "FAILED"


class TestEnvironment:
    def test_a_build_has_its_role_and_nothing_of_this_process(
        self, aws: Workbench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        spec = buildspec("python -c \"import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])\"", "env")
        build = aws.build(aws.project(spec))
        log = aws.log(build)
        session = f"AWSCodeBuild-{build['id'].partition(':')[2]}"
        assert f"arn:aws:sts::{ACCOUNT}:assumed-role/{aws.role.partition('/')[2]}/{session}\n" in log
        names = {line.partition("=")[0] for line in log.splitlines()}
        assert not names & {"AWS_PROFILE", "PYTHONPATH", "VIRTUAL_ENV", "PYTEST_CURRENT_TEST"}
        assert f"CODEBUILD_BUILD_ID={build['id']}\n" in log
        assert "AWS_REGION=us-east-1\n" in log
        assert os.environ.get("HOME", "/none") not in [
            line[5:] for line in log.splitlines() if line.startswith("HOME=")
        ]

    def test_variables_of_the_project_come_before_the_specifications_and_overrides_before_both(
        self, aws: Workbench
    ) -> None:
        spec = buildspec("echo $A $B $C", env={"variables": {"A": "spec", "B": "spec", "C": "spec"}})
        variables = [{"name": "B", "value": "project"}, {"name": "C", "value": "project"}]
        environment = {"type": "LINUX_CONTAINER", "image": "image:1", "computeType": "BUILD_GENERAL1_SMALL"}
        project = aws.project(spec, environment={**environment, "environmentVariables": variables})
        build = aws.build(project, environmentVariablesOverride=[{"name": "C", "value": "override"}])
        assert "spec project override\n" in aws.log(build)

    def test_a_variables_text_is_never_a_command(self, aws: Workbench) -> None:
        value = "$(touch owned); `touch owned` && touch owned 'x\" \n"
        variable = {"name": "TAG", "value": value, "type": "PLAINTEXT"}
        build = aws.build(
            aws.project(buildspec("true", 'printf %s "$TAG" | od -c | tail -1', "test ! -e owned")),
            environmentVariablesOverride=[variable],
        )
        assert build["buildStatus"] == "SUCCEEDED"
        assert f"{len(value):07o}\n" in aws.log(build)

    def test_what_the_sandbox_runs_on_counts_as_installed_but_orchestrate_does_not(self, aws: Workbench) -> None:
        spec = buildspec("pip list --format=json > list.json", "cat list.json; echo", "! command -v orchestrate")
        build = aws.build(aws.project(spec))
        assert build["buildStatus"] == "SUCCEEDED"
        listed = next(line for line in aws.log(build).splitlines() if line.startswith("[{"))
        names = {package["name"].lower() for package in json.loads(listed)}
        assert "boto3" in names
        assert "orchestrate" not in names

    @pytest.mark.slow
    def test_objects_are_copied_with_the_command_line_of_aws(self, aws: Workbench) -> None:
        for name in ("one.txt", "deep/two.txt"):
            aws("s3").put_object(Bucket=aws.store, Key=f"tools/{name}", Body=name.encode())
        spec = buildspec(
            f'aws s3 cp --quiet --recursive "s3://{aws.store}/tools/" "$HOME/tools/"',
            "cat $HOME/tools/one.txt $HOME/tools/deep/two.txt > both; aws s3 cp both s3://$BUCKET/both",
            "! aws s3 cp s3://$BUCKET/missing .",
        )
        build = aws.build(aws.project(spec), environmentVariablesOverride=[{"name": "BUCKET", "value": aws.store}])
        assert build["buildStatus"] == "SUCCEEDED"
        assert aws("s3").get_object(Bucket=aws.store, Key="both")["Body"].read() == b"one.txtdeep/two.txt"


class TestSources:
    def test_a_repository_is_cloned_whole_at_the_version_asked_for(self, aws: Workbench, tmp_path: Path) -> None:
        name, remote = aws.repository()
        git(tmp_path, "init", "--quiet", "--initial-branch=main", ".")
        for number in (1, 2):
            (tmp_path / "file").write_text(str(number))
            git(tmp_path, "add", ".")
            git(tmp_path, "commit", "--quiet", "--message", f"{number}")
            git(tmp_path, "tag", "--annotate", "--message", "x", f"dev_1/{number}")
        git(tmp_path, "push", "--quiet", remote, "main", "--tags")
        url = aws("codecommit").get_repository(repositoryName=name)["repositoryMetadata"]["cloneUrlHttp"]
        source = {"type": "CODECOMMIT", "location": url, "gitCloneDepth": 0}
        project = aws.project(buildspec("cat file; echo; git tag --list; git rev-list --all --count"), source=source)
        build = aws.build(project, sourceVersion="refs/tags/dev_1/1")
        assert "1\ndev_1/1\ndev_1/2\n2\n" in aws.log(build)
        assert build["resolvedSourceVersion"] == git(tmp_path, "rev-parse", "dev_1/1^{commit}").strip()
        assert "DOWNLOAD_SOURCE" in phases(build)
        missing = aws.build(project, sourceVersion="refs/tags/none")
        assert phases(missing)["DOWNLOAD_SOURCE"] == "FAILED"

    def test_what_is_no_zip_file_is_no_source(self, aws: Workbench) -> None:
        aws("s3").put_object(Bucket=aws.store, Key="broken.zip", Body=b"broken")
        source = {"type": "S3", "location": f"{aws.store}/broken.zip"}
        assert phases(aws.build(aws.project(buildspec("true"), source=source)))["DOWNLOAD_SOURCE"] == "FAILED"

    def test_projects_of_a_pipeline_are_not_started_by_hand(self, aws: Workbench) -> None:
        with pytest.raises(ClientError) as raised:
            aws("codebuild").start_build(projectName=aws.step(buildspec("true")))
        assert code_of(raised.value) == "InvalidInputException"


class TestResults:
    def test_junit_files_become_a_report(self, aws: Workbench) -> None:
        xml = (
            "<testsuites><testsuite name='lint'><testcase name='a' classname='c' time='0.25'/>"
            "<testcase name='b'><failure message='too long'/></testcase>"
            "<testcase name='d'><skipped/></testcase></testsuite></testsuites>"
        )
        reports = {"junit": {"files": ["out/*.xml"], "file-format": "JUNITXML"}}
        spec = buildspec(f'mkdir out; echo "{xml}" > out/lint.xml', "false", reports=reports)
        project = aws.project(spec)
        build = aws.build(project)
        report = aws("codebuild").batch_get_reports(reportArns=build["reportArns"])["reports"][0]
        assert report["status"] == "FAILED"
        assert report["reportGroupArn"].endswith(f":report-group/{project}-junit")
        assert report["testSummary"]["statusCounts"] == {
            "SUCCEEDED": 1, "FAILED": 1, "SKIPPED": 1, "ERROR": 0, "UNKNOWN": 0,
        }  # fmt: skip
        cases = aws("codebuild").describe_test_cases(reportArn=report["arn"])["testCases"]
        assert [(case["name"], case["status"], case["message"]) for case in cases] == [
            ("a", "SUCCEEDED", ""), ("b", "FAILED", "too long"), ("d", "SKIPPED", ""),
        ]  # fmt: skip
        listed = aws("codebuild").list_reports_for_report_group(reportGroupArn=report["reportGroupArn"])
        assert listed["reports"] == [report["arn"]]

    def test_a_report_that_is_missing_fails_no_build(self, aws: Workbench) -> None:
        reports = {"junit": {"files": ["none.xml"]}}
        build = aws.build(aws.project(buildspec("true", reports=reports)))
        assert build["buildStatus"] == "SUCCEEDED"
        assert "no matching report files" in aws.log(build)

    @pytest.mark.parametrize("packaging", ["ZIP", "NONE"])
    def test_artifacts_of_a_project_go_to_its_bucket(self, aws: Workbench, packaging: str) -> None:
        artifacts = {"type": "S3", "location": aws.store, "name": f"out-{packaging}", "packaging": packaging}
        spec = buildspec("mkdir d; echo x > d/a", artifacts={"files": ["**/*"], "base-directory": "d"})
        assert aws.build(aws.project(spec, artifacts=artifacts))["buildStatus"] == "SUCCEEDED"
        found = aws("s3").list_objects_v2(Bucket=aws.store, Prefix=f"out-{packaging}")["Contents"]
        assert [one["Key"] for one in found] == [f"out-{packaging}" + ("" if packaging == "ZIP" else "/a")]


class TestStoppingBuilds:
    def test_stop_ends_everything_that_the_build_has_started(self, aws: Workbench) -> None:
        spec = buildspec("sh -c 'echo pid=$$.; exec setsid sleep 600'", "echo never")
        started = aws("codebuild").start_build(projectName=aws.project(spec))["build"]
        pid = aws.pid(started["id"])
        aws("codebuild").stop_build(id=started["id"])
        build = aws.built(started["id"])
        assert build["buildStatus"] == "STOPPED"
        assert phases(build)["BUILD"] == "STOPPED"
        assert not runs(pid)

    @pytest.mark.slow
    def test_a_build_ends_at_its_time_limit(self, restored: Workbench) -> None:
        restored.set(minute_seconds=0.1)
        build = restored.build(restored.project(buildspec("sleep 600"), timeoutInMinutes=5))
        assert build["buildStatus"] == "TIMED_OUT"
        assert phases(build)["BUILD"] == "TIMED_OUT"

    def test_a_build_that_waits_is_stopped_where_it_is(self, restored: Workbench) -> None:
        restored.set(concurrent_builds=1)
        project = restored.project(buildspec("sleep 600"))
        ids = [restored("codebuild").start_build(projectName=project)["build"]["id"] for _ in range(2)]
        for build_id in reversed(ids):
            restored("codebuild").stop_build(id=build_id)
        assert phases(restored.built(ids[1]))["QUEUED"] == "STOPPED"
        assert restored.built(ids[0])["buildStatus"] == "STOPPED"

    def test_more_builds_of_a_project_than_it_allows_are_refused(self, aws: Workbench) -> None:
        project = aws.project(buildspec("sleep 600"), concurrentBuildLimit=1)
        started = aws("codebuild").start_build(projectName=project)["build"]["id"]
        with pytest.raises(ClientError) as raised:
            aws("codebuild").start_build(projectName=project)
        assert code_of(raised.value) == "AccountLimitExceededException"
        aws("codebuild").stop_build(id=started)
        aws.built(started)


class TestBuildRequests:
    def test_the_same_token_starts_one_build(self, aws: Workbench) -> None:
        project = aws.project(buildspec("true"))
        ids = {
            aws("codebuild").start_build(projectName=project, idempotencyToken="once")["build"]["id"] for _ in range(2)
        }
        assert len(ids) == 1
        assert aws("codebuild").list_builds_for_project(projectName=project)["ids"] == list(ids)
        aws.built(ids.pop())

    def test_a_build_is_retried_as_it_was_started(self, aws: Workbench) -> None:
        project = aws.project(buildspec("echo $TAG"))
        first = aws.build(project, environmentVariablesOverride=[{"name": "TAG", "value": "1.0"}])
        again = aws.built(aws("codebuild").retry_build(id=first["id"])["build"]["id"])
        assert "1.0\n" in aws.log(again)
        assert again["buildNumber"] == first["buildNumber"] + 1

    def test_unknown_projects_and_builds_are_told(self, aws: Workbench) -> None:
        with pytest.raises(ClientError) as raised:
            aws("codebuild").start_build(projectName="none")
        assert code_of(raised.value) == "ResourceNotFoundException"
        assert aws("codebuild").batch_get_builds(ids=["none:1"])["buildsNotFound"] == ["none:1"]

    def test_an_override_that_would_have_no_effect_is_refused(self, aws: Workbench) -> None:
        with pytest.raises(ClientError) as raised:
            aws("codebuild").start_build(projectName=aws.project(buildspec("true")), debugSessionEnabled=True)
        assert code_of(raised.value) == "NotImplemented"
