"""CodePipeline's executions, as a client of AWS sees them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orchestrate_sandbox.pipeline import execution_views
from orchestrate_sandbox.pipeline.definition import Action
from orchestrate_sandbox.pipeline.execution import ActionRun
from orchestrator.model.text import decoding
from tests.support.workbench import (
    ACCOUNT,
    BUILD,
    REGION,
    SOURCE,
    Workbench,
    action,
    approval,
    build_action,
    buildspec,
    code_of,
    only_if,
    runs,
    stage,
    until,
)


def refused(call: Any, **options: Any) -> str:
    with pytest.raises(ClientError) as raised:
        call(**options)
    return code_of(raised.value)


class TestActions:
    def test_artifacts_and_variables_travel_from_action_to_action(self, aws: Workbench) -> None:
        artifacts = {"files": ["made.txt"]}
        made = buildspec(
            'cat file.txt > made.txt; echo "$TAG" >> made.txt; export DIGEST=abc',
            env={"exported-variables": ["DIGEST"]},
            artifacts=artifacts,
        )
        used = buildspec("cat made.txt; cat $CODEBUILD_SRC_DIR_source/file.txt; echo $DIGEST")
        told = json.dumps([{"name": "DIGEST", "value": "#{first.DIGEST}"}])
        pipeline = aws.pipeline(
            stage("Make", build_action("Make", aws.step(made), outputs=["made"], namespace="first")),
            stage(
                "Use",
                build_action(
                    "Use",
                    aws.step(used),
                    inputs=["source", "made"],
                    configuration={"PrimarySource": "made", "EnvironmentVariables": told},
                ),
            ),
        )
        version = aws.source({"file.txt": "content\n"})
        execution = aws.start(pipeline, TAG="dev_1")
        assert aws.ended(pipeline, execution) == "Succeeded"
        found = aws.actions(pipeline, execution)
        assert found["Source"]["output"]["executionResult"]["externalExecutionId"] == version
        assert found["Source"]["output"]["outputVariables"]["ObjectKey"] == "source.zip"
        assert found["Make"]["output"]["outputVariables"] == {"DIGEST": "abc"}
        assert found["Make"]["input"]["resolvedConfiguration"]["EnvironmentVariables"].count("dev_1") == 1
        build = aws.built(found["Use"]["output"]["executionResult"]["externalExecutionId"])
        assert "content\ndev_1\ncontent\nabc\n" in aws.log(build)
        assert build["initiator"] == f"codepipeline/{pipeline}"
        revision = aws.execution(pipeline, execution)["artifactRevisions"][0]
        assert (revision["name"], revision["revisionId"]) == ("source", version)

    def test_a_source_is_the_object_and_version_that_the_execution_was_started_with(self, aws: Workbench) -> None:
        aws.source()
        version = aws.source({"file.txt": "first"}, key="other.zip")
        aws.source({"file.txt": "second"}, key="other.zip")
        pipeline = aws.pipeline(stage("Show", build_action("Show", aws.step(buildspec("cat file.txt; echo")))))
        revisions = [
            {"actionName": "Source", "revisionType": "S3_OBJECT_KEY", "revisionValue": "other.zip"},
            {"actionName": "Source", "revisionType": "S3_OBJECT_VERSION_ID", "revisionValue": version},
        ]
        start = aws("codepipeline").start_pipeline_execution
        execution = start(name=pipeline, sourceRevisions=revisions)["pipelineExecutionId"]
        assert aws.ended(pipeline, execution) == "Succeeded"
        shown = aws.actions(pipeline, execution)["Show"]["output"]["executionResult"]["externalExecutionId"]
        assert "first\n" in aws.log(aws.built(shown))

    def test_a_failed_action_fails_the_execution_and_what_it_says_is_told(self, aws: Workbench) -> None:
        aws.source()
        failing = build_action("Break", aws.step(buildspec("exit 4")))
        pipeline = aws.pipeline(stage("Break", failing), stage("Never", approval()))
        execution = aws.start(pipeline)
        assert aws.ended(pipeline, execution) == "Failed"
        found = aws.actions(pipeline, execution)
        assert "exit status 4" in found["Break"]["output"]["executionResult"]["errorDetails"]["message"]
        assert "Approve" not in found

    @pytest.mark.parametrize(
        ("made", "code"),
        [
            (action("Odd", {**BUILD, "provider": "Jenkins"}), "ConfigurationError"),
            (action("Odd", BUILD, {"ProjectName": "none"}, inputs=["source"]), "ConfigurationError"),
            (action("Odd", BUILD, {"ProjectName": "#{none.NAME}"}, inputs=["source"]), "ConfigurationError"),
            (
                action("Odd", BUILD, {"ProjectName": "p", "BatchEnabled": "true"}, inputs=["source"]),
                "ConfigurationError",
            ),
            (approval("Odd", configuration={"CustomData": "x" * 513}), "ConfigurationError"),
            (action("Odd", SOURCE, {"S3Bucket": "none-such", "S3ObjectKey": "k"}, outputs=["more"]), "JobFailed"),
        ],
    )
    def test_an_action_that_cannot_be_done_says_why(self, aws: Workbench, made: dict[str, Any], code: str) -> None:
        aws.source()
        if made["configuration"].get("ProjectName") == "p":
            made = {**made, "configuration": {**made["configuration"], "ProjectName": aws.step(buildspec("true"))}}
        pipeline = aws.pipeline(stage("Odd", made))
        execution = aws.start(pipeline)
        assert aws.ended(pipeline, execution) == "Failed"
        assert aws.actions(pipeline, execution)["Odd"]["output"]["executionResult"]["errorDetails"]["code"] == code

    def test_an_action_acts_under_its_own_role(self, aws: Workbench) -> None:
        aws.source()
        role = aws.new_role("events.amazonaws.com")
        pipeline = aws.pipeline(stage("Build", build_action("Build", aws.step(buildspec("true")), roleArn=role)))
        execution = aws.start(pipeline)
        assert aws.ended(pipeline, execution) == "Failed"
        error = aws.actions(pipeline, execution)["Build"]["output"]["executionResult"]["errorDetails"]
        assert error["code"] == "PermissionError"

    def test_more_builds_than_a_project_allows_fail_the_action(self, aws: Workbench) -> None:
        aws.source()
        project = aws.step(buildspec("sleep 600"), concurrentBuildLimit=1)
        pipeline = aws.pipeline(stage("Build", build_action("Build", project)))
        first = aws.start(pipeline)
        aws.build_of(pipeline, first, "Build")
        second = aws.start(pipeline)
        assert aws.ended(pipeline, second) == "Failed"
        aws("codepipeline").stop_pipeline_execution(pipelineName=pipeline, pipelineExecutionId=first, abandon=True)
        assert aws.ended(pipeline, first) == "Stopped"


class TestApprovals:
    def test_whoever_sees_that_one_waits_has_what_answers_it(self) -> None:
        """From the moment on that it is there, before anything has been done for it."""
        run = ActionRun(decoding.convert(approval(), Action), "Approve")
        told = execution_views._output(run)["executionResult"]["externalExecutionId"]
        assert (run.status, told) == ("InProgress", run.token)

    def test_people_are_told_and_their_answer_is_known(self, aws: Workbench) -> None:
        aws.source()
        topic = aws("sns").create_topic(Name="approvals")["TopicArn"]
        url, queue = aws.queue()
        aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
        configuration = {
            "NotificationArn": topic,
            "CustomData": "#{variables.TAG}: 1 to add",
            "ExternalEntityLink": "l",
        }
        pipeline = aws.pipeline(stage("Approve", approval(configuration=configuration)))
        execution = aws.start(pipeline, TAG="dev_1")
        waiting = aws.waiting(pipeline, execution)
        [message] = aws.received(url)
        told = json.loads(json.loads(message["Body"])["Message"])["approval"]
        assert (told["customData"], told["externalEntityLink"]) == ("dev_1: 1 to add", "l")
        assert told["token"] == waiting["output"]["executionResult"]["externalExecutionId"]
        aws.answer(pipeline, waiting)
        assert aws.ended(pipeline, execution) == "Succeeded"
        answered = aws.actions(pipeline, execution)["Approve"]
        assert (answered["status"], answered["updatedBy"]) == ("Succeeded", f"arn:aws:sts::{ACCOUNT}:user/moto")
        assert answered["output"]["executionResult"]["externalExecutionSummary"] == "as reviewed"
        assert refused(lambda: aws.answer(pipeline, waiting)) == "ApprovalAlreadyCompletedException"

    def test_a_rejection_fails_the_execution(self, aws: Workbench) -> None:
        aws.source()
        pipeline = aws.pipeline(stage("Approve", approval()))
        execution = aws.start(pipeline)
        aws.answer(pipeline, aws.waiting(pipeline, execution), "Rejected")
        assert aws.ended(pipeline, execution) == "Failed"

    def test_one_that_nobody_answers_ends_in_time(self, restored: Workbench) -> None:
        restored.source()
        restored.set(minute_seconds=0.05)
        pipeline = restored.pipeline(stage("Approve", approval(timeoutInMinutes=5)))
        execution = restored.start(pipeline)
        waiting = restored.waiting(pipeline, execution)
        assert restored.ended(pipeline, execution) == "Failed"
        error = restored.actions(pipeline, execution)["Approve"]["output"]["executionResult"]["errorDetails"]
        assert "within 5 minutes" in error["message"]
        assert refused(lambda: restored.answer(pipeline, waiting)) == "ApprovalAlreadyCompletedException"

    @pytest.mark.parametrize(
        ("wrong", "code"),
        [
            ({"token": "00000000-0000-0000-0000-000000000000"}, "InvalidApprovalTokenException"),
            ({"stageName": "None"}, "StageNotFoundException"),
            ({"actionName": "None"}, "ActionNotFoundException"),
            ({"pipelineName": "None"}, "PipelineNotFoundException"),
        ],
    )
    def test_an_answer_to_nothing_is_refused(self, aws: Workbench, wrong: dict[str, str], code: str) -> None:
        aws.source()
        pipeline = aws.pipeline(stage("Approve", approval()))
        execution = aws.start(pipeline)
        waiting = aws.waiting(pipeline, execution)
        assert refused(lambda: aws.answer(pipeline, waiting, **wrong)) == code

    def test_all_approvals_of_a_stage_are_waited_for_at_once(self, aws: Workbench) -> None:
        aws.source()
        pipeline = aws.pipeline(stage("Approve", approval("A"), approval("B")))
        execution = aws.start(pipeline)
        first, second = (aws.waiting(pipeline, execution, name) for name in "AB")
        aws.answer(pipeline, first)
        until(lambda: aws.actions(pipeline, execution)["A"]["status"] == "Succeeded")
        assert aws.status(pipeline, execution) == "InProgress"
        aws.answer(pipeline, second)
        assert aws.ended(pipeline, execution) == "Succeeded"


class TestConditions:
    @pytest.mark.parametrize(
        ("value", "result", "status", "asked"),
        [
            ("yes", "SKIP", "Succeeded", True),
            ("no", "SKIP", "Succeeded", False),
            ("no", "FAIL", "Failed", False),
        ],
    )
    def test_a_stage_is_entered_skipped_or_failed(
        self, aws: Workbench, value: str, result: str, status: str, asked: bool
    ) -> None:
        aws.source()
        condition = only_if("#{variables.TAG}", "yes", result)
        pipeline = aws.pipeline(stage("Approve", approval(), beforeEntry=condition))
        execution = aws.start(pipeline, TAG=value)
        if asked:
            aws.answer(pipeline, aws.waiting(pipeline, execution))
        assert aws.ended(pipeline, execution) == status
        assert ("Approve" in aws.actions(pipeline, execution)) is asked
        if status == "Failed":
            assert "no EQ yes does not hold" in aws.execution(pipeline, execution)["statusSummary"]

    def test_a_condition_on_success_may_fail_a_stage(self, aws: Workbench) -> None:
        aws.source()
        condition = only_if("#{Source.ObjectKey}", "other.zip", "FAIL")
        pipeline = aws.pipeline(
            stage("Build", build_action("Build", aws.step(buildspec("true"))), onSuccess=condition),
        )
        execution = aws.start(pipeline)
        assert aws.ended(pipeline, execution) == "Failed"

    def test_a_stage_may_be_tried_again_by_itself_once(self, aws: Workbench) -> None:
        aws.source()
        again = {"result": "RETRY", "retryConfiguration": {"retryMode": "ALL_ACTIONS"}}
        pipeline = aws.pipeline(
            stage("Build", build_action("Build", aws.step(buildspec("false"))), onFailure=again),
        )
        execution = aws.start(pipeline)
        assert aws.ended(pipeline, execution) == "Failed"
        listed = aws("codepipeline").list_action_executions(
            pipelineName=pipeline, filter={"pipelineExecutionId": execution}
        )["actionExecutionDetails"]
        assert [one["actionName"] for one in listed] == ["Build", "Build", "Source"]


class TestModes:
    def test_parallel_executions_do_not_wait_for_each_other(self, aws: Workbench) -> None:
        aws.source()
        pipeline = aws.pipeline(stage("Approve", approval()))
        first, second = aws.start(pipeline, TAG="1"), aws.start(pipeline, TAG="2")
        aws.answer(pipeline, aws.waiting(pipeline, second))
        assert aws.ended(pipeline, second) == "Succeeded"
        assert aws.status(pipeline, first) == "InProgress"
        state = aws("codepipeline").get_pipeline_state(name=pipeline)["stageStates"]
        assert all("latestExecution" not in one for one in state)
        aws.answer(pipeline, aws.waiting(pipeline, first))
        assert aws.ended(pipeline, first) == "Succeeded"

    def test_in_a_queue_the_first_goes_first(self, aws: Workbench) -> None:
        aws.source()
        pipeline = aws.pipeline(stage("Approve", approval()), executionMode="QUEUED")
        first = aws.start(pipeline)
        waiting = aws.waiting(pipeline, first)
        second = aws.start(pipeline)
        state = until(lambda: self._stage(aws, pipeline, "Approve").get("inboundExecutions"))
        assert state[0] == {"pipelineExecutionId": second, "status": "InProgress"}
        assert self._stage(aws, pipeline, "Approve")["latestExecution"]["pipelineExecutionId"] == first
        assert self._stage(aws, pipeline, "Approve")["actionStates"][0]["latestExecution"]["token"]
        third = aws.start(pipeline)
        aws.answer(pipeline, waiting)
        for execution in (second, third):
            aws.answer(pipeline, aws.waiting(pipeline, execution))
            assert aws.ended(pipeline, execution) == "Succeeded"

    def test_a_later_execution_takes_the_place_of_one_that_waits(self, aws: Workbench) -> None:
        aws.source()
        pipeline = aws.pipeline(stage("Approve", approval()), executionMode="SUPERSEDED")
        first = aws.start(pipeline)
        waiting = aws.waiting(pipeline, first)
        second = aws.start(pipeline)
        until(lambda: self._stage(aws, pipeline, "Approve").get("inboundExecution"))
        third = aws.start(pipeline)
        assert aws.ended(pipeline, second) == "Superseded"
        aws.answer(pipeline, waiting)
        aws.answer(pipeline, aws.waiting(pipeline, third))
        assert aws.ended(pipeline, third) == "Succeeded"

    def test_more_at_a_time_than_the_quota_are_refused(self, restored: Workbench) -> None:
        restored.source()
        restored.set(concurrent_executions=1)
        pipeline = restored.pipeline(stage("Approve", approval()))
        first = restored.start(pipeline)
        assert refused(restored.start, pipeline=pipeline) == "ConcurrentPipelineExecutionsLimitExceededException"
        restored.answer(pipeline, restored.waiting(pipeline, first))
        assert restored.ended(pipeline, first) == "Succeeded"
        assert restored.start(pipeline)

    @pytest.mark.slow
    def test_a_transition_that_is_shut_holds_executions_until_it_opens(self, aws: Workbench) -> None:
        aws.source()
        pipeline = aws.pipeline(stage("Build", build_action("Build", aws.step(buildspec("true")))))
        place = {"pipelineName": pipeline, "stageName": "Build", "transitionType": "Inbound"}
        aws("codepipeline").disable_stage_transition(**place, reason="freeze")
        execution = aws.start(pipeline)
        until(lambda: aws.actions(pipeline, execution).get("Source", {}).get("status") == "Succeeded")
        assert self._stage(aws, pipeline, "Build")["inboundTransitionState"]["disabledReason"] == "freeze"
        assert aws.status(pipeline, execution) == "InProgress"
        aws("codepipeline").enable_stage_transition(**place)
        assert aws.ended(pipeline, execution) == "Succeeded"
        wrong = {**place, "stageName": "None"}
        assert refused(aws("codepipeline").enable_stage_transition, **wrong) == "StageNotFoundException"

    @staticmethod
    def _stage(aws: Workbench, pipeline: str, name: str) -> dict[str, Any]:
        stages = aws("codepipeline").get_pipeline_state(name=pipeline)["stageStates"]
        found: dict[str, Any] = next(one for one in stages if one["stageName"] == name)
        return found


class TestStopping:
    @pytest.mark.parametrize("abandon", [True, False])
    def test_a_stop_waits_for_what_runs_or_abandons_it(self, aws: Workbench, abandon: bool) -> None:
        aws.source()
        pipeline = aws.pipeline(stage("Approve", approval()), stage("Never", approval("Never")))
        execution = aws.start(pipeline)
        waiting = aws.waiting(pipeline, execution)
        place = {"pipelineName": pipeline, "pipelineExecutionId": execution}
        stop = aws("codepipeline").stop_pipeline_execution
        stop(**place, abandon=abandon, reason="enough")
        if not abandon:
            assert aws.status(pipeline, execution) == "Stopping"
            assert refused(stop, **place) == "DuplicatedStopRequestException"
            aws.answer(pipeline, waiting)
        assert aws.ended(pipeline, execution) == "Stopped"
        found = aws.actions(pipeline, execution)
        assert found["Approve"]["status"] == ("Abandoned" if abandon else "Succeeded")
        assert "Never" not in found
        assert refused(stop, **place) == "PipelineExecutionNotStoppableException"
        listed = aws("codepipeline").list_pipeline_executions(pipelineName=pipeline)["pipelineExecutionSummaries"]
        assert listed[0]["stopTrigger"] == {"reason": "enough"}

    def test_a_stop_between_stages_enters_no_more(self, aws: Workbench) -> None:
        aws.source()
        pipeline = aws.pipeline(stage("Build", build_action("Build", aws.step(buildspec("sleep 600")))))
        execution = aws.start(pipeline)
        build = aws.build_of(pipeline, execution, "Build")
        aws("codepipeline").stop_pipeline_execution(pipelineName=pipeline, pipelineExecutionId=execution)
        aws("codebuild").stop_build(id=build)
        assert aws.ended(pipeline, execution) == "Stopped"

    def _build_of_apply(self, aws: Workbench, pipeline: str, execution: str) -> Any:
        """The id of the build, which the action tells a moment after it began."""
        result = aws.actions(pipeline, execution)["Apply"].get("output", {}).get("executionResult", {})
        return result.get("externalExecutionId")

    def test_a_build_that_is_stopped_fails_its_action_and_the_stage_is_tried_again(self, aws: Workbench) -> None:
        aws.source()
        spec = buildspec("test $CODEBUILD_BUILD_NUMBER -gt 1 || (sh -c 'echo pid=$$.; exec sleep 600')")
        pipeline = aws.pipeline(stage("Apply", build_action("Apply", aws.step(spec)), approval("Side")))
        execution = aws.start(pipeline)
        aws.answer(pipeline, aws.waiting(pipeline, execution, "Side"))
        build = until(lambda: self._build_of_apply(aws, pipeline, execution))
        pid = aws.pid(build)
        aws("codebuild").stop_build(id=build)
        assert aws.ended(pipeline, execution) == "Failed"
        error = aws.actions(pipeline, execution)["Apply"]["output"]["executionResult"]["errorDetails"]
        assert "STOPPED" in error["message"]
        assert not runs(pid)
        retry = aws("codepipeline").retry_stage_execution
        place = {"pipelineName": pipeline, "pipelineExecutionId": execution, "stageName": "Apply"}
        retry(**place, retryMode="FAILED_ACTIONS")
        assert aws.ended(pipeline, execution) == "Succeeded"
        assert refused(retry, **place, retryMode="ALL_ACTIONS") == "StageNotRetryableException"
        assert refused(retry, **{**place, "stageName": "None"}, retryMode="ALL_ACTIONS") == "StageNotFoundException"


class TestExecutionEvents:
    def test_executions_stages_and_actions_raise_events(self, aws: Workbench) -> None:
        aws.source()
        url, queue = aws.queue()
        pipeline = aws.pipeline(stage("Break", build_action("Break", aws.step(buildspec("false")))))
        pattern = {"source": ["aws.codepipeline"], "detail": {"pipeline": [pipeline], "state": ["STARTED", "FAILED"]}}
        aws("events").put_rule(Name=pipeline, EventPattern=json.dumps(pattern))
        aws("events").put_targets(Rule=pipeline, Targets=[{"Id": "one", "Arn": queue}])
        execution = aws.start(pipeline)
        assert aws.ended(pipeline, execution) == "Failed"
        heard = [json.loads(message["Body"]) for message in aws.received(url, 8)]
        kinds = {(event["detail-type"].split()[1], event["detail"]["state"]) for event in heard}
        assert kinds == {(what, state) for what in ("Pipeline", "Stage", "Action") for state in ("STARTED", "FAILED")}
        assert {event["detail"]["execution-id"] for event in heard} == {execution}
        failed = [event["detail"] for event in heard if event["detail"].get("action") == "Break"][-1]
        assert failed["type"]["provider"] == "CodeBuild"

    def test_a_rule_may_start_a_pipeline_with_its_variables(self, aws: Workbench) -> None:
        aws.source()
        pipeline = aws.pipeline(stage("Approve", approval()))
        arn = f"arn:aws:codepipeline:{REGION}:{ACCOUNT}:{pipeline}"
        given = json.dumps({"variables": [{"name": "TAG", "value": "of the rule"}]})
        aws("events").put_rule(Name=pipeline, EventPattern=json.dumps({"source": [pipeline]}))
        aws("events").put_targets(
            Rule=pipeline, Targets=[{"Id": "one", "Arn": arn, "RoleArn": aws.role, "Input": given}]
        )
        entry = {"Source": pipeline, "DetailType": "x", "Detail": "{}"}
        aws("events").put_events(Entries=[entry])
        listed = aws("codepipeline").list_pipeline_executions
        [found] = until(lambda: listed(pipelineName=pipeline)["pipelineExecutionSummaries"])
        execution = aws.execution(pipeline, found["pipelineExecutionId"])
        assert execution["variables"] == [{"name": "TAG", "resolvedValue": "of the rule"}]
        assert found["trigger"]["triggerDetail"].endswith(f"/{pipeline}"[:65])


class TestPipelineRequests:
    def test_the_same_token_starts_one_execution(self, aws: Workbench) -> None:
        aws.source()
        pipeline = aws.pipeline(stage("Approve", approval()))
        start = aws("codepipeline").start_pipeline_execution
        ids = {start(name=pipeline, clientRequestToken="once")["pipelineExecutionId"] for _ in range(3)}
        assert len(ids) == 1

    @pytest.mark.parametrize(
        "wrong",
        [
            {"variables": [{"name": "NONE", "value": "x"}]},
            {"sourceRevisions": [{"actionName": "None", "revisionType": "S3_OBJECT_KEY", "revisionValue": "k"}]},
        ],
    )
    def test_what_the_pipeline_has_not_is_refused(self, aws: Workbench, wrong: dict[str, Any]) -> None:
        pipeline = aws.pipeline(stage("Approve", approval()))
        assert refused(aws("codepipeline").start_pipeline_execution, name=pipeline, **wrong) == "ValidationException"

    def test_a_variable_without_default_needs_a_value(self, aws: Workbench) -> None:
        pipeline = aws.pipeline(stage("Approve", approval()), variables=[{"name": "TAG"}])
        assert refused(aws("codepipeline").start_pipeline_execution, name=pipeline) == "ValidationException"

    def test_an_object_is_named_only_where_the_source_allows_it(self, aws: Workbench) -> None:
        source = action("Source", SOURCE, {"S3Bucket": aws.store, "S3ObjectKey": "k"}, outputs=["source"])
        pipeline = aws.pipeline(stages=[stage("Source", source), stage("Approve", approval())])
        revision = {"actionName": "Source", "revisionType": "S3_OBJECT_KEY", "revisionValue": "k"}
        start = aws("codepipeline").start_pipeline_execution
        assert refused(start, name=pipeline, sourceRevisions=[revision]) == "ValidationException"

    def test_unknown_pipelines_and_executions_are_told(self, aws: Workbench) -> None:
        pipeline = aws.pipeline(stage("Approve", approval()))
        none = "00000000-0000-0000-0000-000000000000"
        place = {"pipelineName": pipeline, "pipelineExecutionId": none}
        codepipeline = aws("codepipeline")
        assert refused(codepipeline.get_pipeline_execution, **place) == "PipelineExecutionNotFoundException"
        assert refused(codepipeline.stop_pipeline_execution, **place) == "PipelineExecutionNotStoppableException"
        assert refused(codepipeline.get_pipeline_state, name="none") == "PipelineNotFoundException"
        wanted = {"pipelineName": pipeline, "filter": {"pipelineExecutionId": none}}
        assert refused(codepipeline.list_action_executions, **wanted) == "PipelineExecutionNotFoundException"

    def test_lists_come_in_pages_newest_first(self, aws: Workbench) -> None:
        aws.source()
        pipeline = aws.pipeline(stage("Approve", approval()))
        ids = [aws.start(pipeline) for _ in range(3)]
        paginator = aws("codepipeline").get_paginator("list_pipeline_executions")
        pages = list(paginator.paginate(pipelineName=pipeline, PaginationConfig={"PageSize": 2}))
        assert [len(page["pipelineExecutionSummaries"]) for page in pages] == [2, 1]
        found = [one["pipelineExecutionId"] for page in pages for one in page["pipelineExecutionSummaries"]]
        assert found == ids[::-1]
        succeeded = {"succeededInStage": {"stageName": "Approve"}}
        until(lambda: aws.actions(pipeline, ids[0]).get("Approve"))
        listed = aws("codepipeline").list_pipeline_executions(pipelineName=pipeline, filter=succeeded)
        assert listed["pipelineExecutionSummaries"] == []


class TestDefinitions:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"stages": []},
            {"pipelineType": "V1"},
            {"roleArn": f"arn:aws:iam::{ACCOUNT}:role/none"},
        ],
    )
    def test_one_that_aws_refuses_is_refused(self, aws: Workbench, wrong: dict[str, Any]) -> None:
        code = refused(lambda: aws.pipeline(stage("Approve", approval()), **wrong))
        assert code in ("InvalidStructureException", "ValidationException")

    def test_an_input_is_the_output_of_an_action_before(self, aws: Workbench) -> None:
        unknown = build_action("Build", "project", inputs=["none"])
        assert refused(lambda: aws.pipeline(stage("Build", unknown))) == "InvalidStructureException"

    def test_a_change_concerns_later_executions(self, aws: Workbench) -> None:
        aws.source()
        pipeline = aws.pipeline(stage("Approve", approval()))
        first = aws.start(pipeline)
        waiting = aws.waiting(pipeline, first)
        found = aws("codepipeline").get_pipeline(name=pipeline)
        changed = {**found["pipeline"], "executionMode": "QUEUED"}
        updated = aws("codepipeline").update_pipeline(pipeline=changed)["pipeline"]
        assert updated["version"] == found["pipeline"]["version"] + 1
        aws.answer(pipeline, waiting)
        assert aws.ended(pipeline, first) == "Succeeded"
        assert aws.execution(pipeline, first)["executionMode"] == "PARALLEL"
        assert pipeline in [one["name"] for one in aws("codepipeline").list_pipelines()["pipelines"]]
        assert (
            refused(lambda: aws.pipeline(stage("Approve", approval()), name=pipeline)) == "PipelineNameInUseException"
        )

    def test_artifacts_are_encrypted_with_the_stores_key(self, aws: Workbench) -> None:
        aws.source()
        key = aws("kms").create_key()["KeyMetadata"]["Arn"]
        store = {"type": "S3", "location": aws.store, "encryptionKey": {"id": key, "type": "KMS"}}
        spec = buildspec("echo x > made", artifacts={"files": ["made"]})
        pipeline = aws.pipeline(
            stage("Make", build_action("Make", aws.step(spec), outputs=["made"])),
            artifactStore=store,
        )
        execution = aws.start(pipeline)
        assert aws.ended(pipeline, execution) == "Succeeded"
        place = aws.actions(pipeline, execution)["Make"]["output"]["outputArtifacts"][0]["s3location"]
        head = aws("s3").head_object(Bucket=place["bucket"], Key=place["key"])
        assert head["SSEKMSKeyId"] == key

    def test_several_outputs_are_the_secondary_artifacts_of_their_names(self, aws: Workbench) -> None:
        aws.source()
        artifacts = {
            "secondary-artifacts": {"one": {"files": ["a"]}, "two": {"files": ["**/*"], "discard-paths": "yes"}}
        }
        spec = buildspec("mkdir d; touch a d/b", artifacts=artifacts)
        pipeline = aws.pipeline(stage("Make", build_action("Make", aws.step(spec), outputs=["one", "two"])))
        execution = aws.start(pipeline)
        assert aws.ended(pipeline, execution) == "Succeeded"
        found = aws.actions(pipeline, execution)["Make"]["output"]["outputArtifacts"]
        assert [one["name"] for one in found] == ["one", "two"]

    def test_an_artifact_that_a_build_has_not_made_fails_it(self, aws: Workbench) -> None:
        aws.source()
        for files in (["none"], []):
            spec = buildspec("true", artifacts={"files": files})
            pipeline = aws.pipeline(stage("Make", build_action("Make", aws.step(spec), outputs=["made"])))
            assert aws.ended(pipeline, aws.start(pipeline)) == "Failed"
