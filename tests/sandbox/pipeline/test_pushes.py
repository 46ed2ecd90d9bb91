"""From a push to what the rules of the event bus start, by git and the AWS API alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.workbench import ACCOUNT, REGION, Workbench, buildspec, code_of, git, until

CREATED = {
    "source": ["aws.codecommit"],
    "detail-type": ["CodeCommit Repository State Change"],
    "detail": {"event": ["referenceCreated"], "referenceType": ["tag"], "referenceName": [{"prefix": "dev_"}]},
}


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A repository with one commit."""
    git(tmp_path, "init", "--quiet", "--initial-branch=main", ".")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "--message", "A change")
    return tmp_path


def tag(folder: Path, *names: str) -> None:
    for name in names:
        git(folder, "tag", "--annotate", "--message", "A release", name)


class Listener:
    """A rule for one repository that tells a queue."""

    def __init__(self, aws: Workbench, pattern: dict[str, Any], **target: Any) -> None:
        self.aws = aws
        self.repository, self.remote = aws.repository()
        self.url, self.queue = aws.queue()
        self.rule = self.repository
        arn = f"arn:aws:codecommit:{REGION}:{ACCOUNT}:{self.repository}"
        aws("events").put_rule(Name=self.rule, EventPattern=json.dumps({"resources": [arn], **pattern}))
        self.target(Arn=self.queue, **target)

    def target(self, **target: Any) -> None:
        answer = self.aws("events").put_targets(Rule=self.rule, Targets=[{"Id": "one", **target}])
        assert answer["FailedEntryCount"] == 0

    def heard(self, count: int = 1) -> list[Any]:
        return [json.loads(message["Body"]) for message in self.aws.received(self.url, count)]


class TestEvents:
    @pytest.mark.slow
    def test_a_pushed_tag_raises_codecommits_event(self, aws: Workbench, work: Path) -> None:
        listener = Listener(aws, CREATED)
        tag(work, "dev_us-east-1/research/1.0")
        said = git(work, "push", listener.remote, "main", "--tags")
        [event] = listener.heard()
        commit = git(work, "rev-parse", "HEAD").strip()
        assert event["detail"] == {
            "event": "referenceCreated",
            "repositoryName": listener.repository,
            "repositoryId": event["detail"]["repositoryId"],
            "referenceType": "tag",
            "referenceName": "dev_us-east-1/research/1.0",
            "referenceFullName": "refs/tags/dev_us-east-1/research/1.0",
            "commitId": commit,
            "callerUserArn": event["detail"]["callerUserArn"],
        }
        assert (event["source"], event["account"], event["region"]) == ("aws.codecommit", ACCOUNT, REGION)
        assert event["time"].endswith("Z")
        assert f"referenceCreated refs/tags/dev_us-east-1/research/1.0; rules: {listener.rule}" in said
        assert "referenceCreated refs/heads/main; no rule is for it" in said

    def test_a_moved_tag_is_an_update_and_a_deleted_one_a_deletion(self, aws: Workbench, work: Path) -> None:
        listener = Listener(aws, {"detail": {"referenceType": ["tag"]}})
        tag(work, "dev_1")
        git(work, "push", listener.remote, "dev_1")
        first = git(work, "rev-parse", "HEAD").strip()
        git(work, "commit", "--quiet", "--allow-empty", "--message", "Another")
        git(work, "tag", "--force", "--annotate", "--message", "moved", "dev_1")
        git(work, "push", "--force", listener.remote, "dev_1")
        git(work, "push", "--delete", listener.remote, "dev_1")
        second = git(work, "rev-parse", "HEAD").strip()
        heard = {event["detail"]["event"]: event["detail"] for event in listener.heard(3)}
        assert heard["referenceUpdated"]["oldCommitId"] == first
        assert heard["referenceUpdated"]["commitId"] == second
        assert heard["referenceDeleted"]["commitId"] == second

    @pytest.mark.slow
    def test_fifty_tags_in_one_push_are_fifty_events(self, aws: Workbench, work: Path) -> None:
        listener = Listener(aws, CREATED)
        names = [f"dev_us-east-1/team{number}/1.0" for number in range(50)]
        tag(work, *names)
        git(work, "push", listener.remote, "--tags")
        heard = listener.heard(50)
        assert {event["detail"]["referenceName"] for event in heard} == set(names)
        assert len({event["id"] for event in heard}) == 50

    @pytest.mark.parametrize("name", ["prod_us-east-1/research/1.0", "dev2_us-east-1/research/1.0", "development_1"])
    def test_other_prefixes_are_none_of_its_business(self, aws: Workbench, work: Path, name: str) -> None:
        listener = Listener(aws, CREATED)
        tag(work, name)
        assert "no rule is for it" in git(work, "push", listener.remote, "--tags")

    def test_a_branch_named_like_a_tag_is_a_branch(self, aws: Workbench, work: Path) -> None:
        listener = Listener(aws, CREATED)
        git(work, "branch", "dev_us-east-1/research/1.0")
        assert "no rule is for it" in git(work, "push", listener.remote, "--all")

    def test_a_disabled_rule_hears_nothing(self, aws: Workbench, work: Path) -> None:
        listener = Listener(aws, CREATED)
        aws("events").disable_rule(Name=listener.rule)
        tag(work, "dev_1")
        assert "no rule is for it" in git(work, "push", listener.remote, "--tags")

    def test_patterns_are_tried_without_an_event(self, aws: Workbench) -> None:
        event = {"source": "aws.codecommit", "detail-type": "x", "detail": {"referenceName": "dev_1"}}
        names: list[Any] = [[{"prefix": "dev_"}], [{"anything-but": {"prefix": "dev_"}}]]
        results = [
            aws("events").test_event_pattern(
                Event=json.dumps(event), EventPattern=json.dumps({"detail": {"referenceName": name}})
            )["Result"]
            for name in names
        ]
        assert results == [True, False]


class TestRepositories:
    def test_a_deleted_repository_is_no_remote_any_more(self, aws: Workbench, work: Path) -> None:
        name, remote = aws.repository()
        git(work, "push", remote, "main")
        assert aws("codecommit").get_repository(repositoryName=name)["repositoryMetadata"]["defaultBranch"] == "main"
        aws("codecommit").delete_repository(repositoryName=name)
        assert not Path(remote).exists()

    def test_tags_and_descriptions_change(self, aws: Workbench) -> None:
        name, _ = aws.repository()
        codecommit = aws("codecommit")
        arn = codecommit.get_repository(repositoryName=name)["repositoryMetadata"]["Arn"]
        codecommit.tag_resource(resourceArn=arn, tags={"a": "1", "b": "2"})
        codecommit.untag_resource(resourceArn=arn, tagKeys=["a"])
        assert codecommit.list_tags_for_resource(resourceArn=arn)["tags"] == {"b": "2"}
        codecommit.update_repository_description(repositoryName=name, repositoryDescription="new")
        assert codecommit.get_repository(repositoryName=name)["repositoryMetadata"]["repositoryDescription"] == "new"

    def test_a_name_that_aws_refuses_is_refused(self, aws: Workbench) -> None:
        with pytest.raises(ClientError) as raised:
            aws("codecommit").create_repository(repositoryName="../outside")
        assert code_of(raised.value) == "ValidationException"


class TestTargets:
    def test_a_build_gets_the_transformed_event_as_its_overrides(self, aws: Workbench, work: Path) -> None:
        project = aws.project(buildspec("printf '[%s]' \"$TAG\"; echo"))
        listener = Listener(aws, CREATED)
        arn = aws("codebuild").batch_get_projects(names=[project])["projects"][0]["arn"]
        template = '{"environmentVariablesOverride": [{"name": "TAG", "type": "PLAINTEXT", "value": <tag>}]}'
        transformer = {"InputPathsMap": {"tag": "$.detail.referenceName"}, "InputTemplate": template}
        listener.target(Arn=arn, RoleArn=aws.role, InputTransformer=transformer)
        name = "dev_$(touch${IFS}x)/\"quoted\";'single'"
        git(work, "update-ref", f"refs/tags/{name}", "HEAD")
        git(work, "push", listener.remote, "--tags")
        [build_id] = until(lambda: aws("codebuild").list_builds_for_project(projectName=project)["ids"])
        build = aws.built(build_id)
        assert f"[{name}]\n" in aws.log(build)
        assert build["initiator"] == f"assumed-role/{aws.role.partition('/')[2]}/{listener.rule}"

    def test_people_are_told_by_a_topic(self, aws: Workbench, work: Path) -> None:
        topic = aws("sns").create_topic(Name="notices")["TopicArn"]
        listener = Listener(aws, CREATED)
        aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=listener.queue)
        transformer = {"InputPathsMap": {"tag": "$.detail.referenceName"}, "InputTemplate": '"Tag <tag> was pushed"'}
        listener.target(Arn=topic, InputTransformer=transformer)
        tag(work, "dev_1")
        git(work, "push", listener.remote, "--tags")
        assert listener.heard()[0]["Message"] == '"Tag dev_1 was pushed"'

    def test_what_cannot_be_delivered_goes_to_the_dead_letter_queue(self, aws: Workbench, work: Path) -> None:
        listener = Listener(aws, CREATED)
        url, queue = aws.queue()
        arn = f"arn:aws:codebuild:{REGION}:{ACCOUNT}:project/none"
        listener.target(Arn=arn, RoleArn=aws.role, DeadLetterConfig={"Arn": queue})
        tag(work, "dev_1")
        git(work, "push", listener.remote, "--tags")
        [message] = aws.received(url)
        told = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
        assert (told["TARGET_ARN"], told["ERROR_CODE"], told["RETRY_ATTEMPTS"]) == (
            arn,
            "ResourceNotFoundException",
            "0",
        )
        assert json.loads(message["Body"])["detail"]["referenceName"] == "dev_1"

    def test_a_role_that_does_not_trust_events_is_told(self, aws: Workbench, work: Path) -> None:
        listener = Listener(aws, CREATED)
        url, queue = aws.queue()
        project = aws.project(buildspec("true"))
        arn = f"arn:aws:codebuild:{REGION}:{ACCOUNT}:project/{project}"
        role = aws.new_role("codebuild.amazonaws.com")
        listener.target(Arn=arn, RoleArn=role, DeadLetterConfig={"Arn": queue})
        tag(work, "dev_1")
        git(work, "push", listener.remote, "--tags")
        [message] = aws.received(url)
        assert message["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "NO_PERMISSIONS"

    @pytest.mark.slow
    def test_a_throttled_delivery_is_tried_again_until_it_succeeds(self, aws: Workbench, work: Path) -> None:
        project = aws.project(buildspec('test -z "$HOLD" || sleep 600'), concurrentBuildLimit=1)
        hold = [{"name": "HOLD", "value": "yes"}]
        first = aws("codebuild").start_build(projectName=project, environmentVariablesOverride=hold)["build"]["id"]
        listener = Listener(aws, CREATED)
        arn = f"arn:aws:codebuild:{REGION}:{ACCOUNT}:project/{project}"
        listener.target(Arn=arn, RoleArn=aws.role)
        tag(work, "dev_1")
        git(work, "push", listener.remote, "--tags")
        aws("codebuild").stop_build(id=first)
        ids = until(
            lambda: len(found := aws("codebuild").list_builds_for_project(projectName=project)["ids"]) == 2 and found
        )
        assert aws.built(ids[0])["buildStatus"] == "SUCCEEDED"

    @pytest.mark.slow
    def test_retries_end_where_the_policy_says(self, aws: Workbench, work: Path) -> None:
        project = aws.project(buildspec("sleep 600"), concurrentBuildLimit=1)
        first = aws("codebuild").start_build(projectName=project)["build"]["id"]
        listener = Listener(aws, CREATED)
        url, queue = aws.queue()
        arn = f"arn:aws:codebuild:{REGION}:{ACCOUNT}:project/{project}"
        policy = {"MaximumRetryAttempts": 1, "MaximumEventAgeInSeconds": 60}
        listener.target(Arn=arn, RoleArn=aws.role, RetryPolicy=policy, DeadLetterConfig={"Arn": queue})
        tag(work, "dev_1")
        git(work, "push", listener.remote, "--tags")
        [message] = aws.received(url)
        told = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
        assert (told["EXHAUSTED_RETRY_CONDITION"], told["RETRY_ATTEMPTS"]) == ("MaximumRetryAttempts", "1")
        aws("codebuild").stop_build(id=first)
        aws.built(first)

    def test_the_end_of_a_build_is_an_event(self, aws: Workbench) -> None:
        url, queue = aws.queue()
        project = aws.project(buildspec("false"))
        pattern = {"source": ["aws.codebuild"], "detail": {"project-name": [project], "build-status": ["FAILED"]}}
        aws("events").put_rule(Name=project, EventPattern=json.dumps(pattern))
        aws("events").put_targets(Rule=project, Targets=[{"Id": "one", "Arn": queue}])
        build = aws.build(project)
        [message] = aws.received(url)
        assert json.loads(message["Body"])["detail"]["build-id"] == build["arn"]
