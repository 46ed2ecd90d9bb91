"""What Terraform and people ask of the services around builds and pipelines; moto lacks it or answers otherwise."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import botocore.session
import pytest
from botocore.exceptions import ClientError

from orchestrate_sandbox.moto_additions.requests import Invalid, checked
from tests.support.workbench import Workbench, buildspec, code_of


def refused(call: Any, **options: Any) -> str:
    with pytest.raises(ClientError) as raised:
        call(**options)
    return code_of(raised.value)


class TestProjects:
    def test_a_project_is_kept_as_it_was_written(self, aws: Workbench) -> None:
        name = aws.project(buildspec("true"), concurrentBuildLimit=3, badgeEnabled=True)
        codebuild = aws("codebuild")
        codebuild.update_project(name=name, description="new", concurrentBuildLimit=-1)
        answer = codebuild.batch_get_projects(names=[name, "none"])
        [found] = answer["projects"]
        assert answer["projectsNotFound"] == ["none"]
        assert (found["description"], found["badge"]) == ("new", {"badgeEnabled": True})
        assert "concurrentBuildLimit" not in found
        assert codebuild.batch_get_projects(names=[found["arn"]])["projects"][0]["name"] == name
        assert name in codebuild.list_projects()["projects"]
        assert refused(lambda: aws.project(buildspec("true"), name=name)) == "ResourceAlreadyExistsException"
        codebuild.delete_project(name=found["arn"])
        assert codebuild.batch_get_projects(names=[name])["projects"] == []
        assert refused(codebuild.update_project, name=name) == "ResourceNotFoundException"

    def test_a_webhook_is_kept(self, aws: Workbench) -> None:
        name = aws.project(buildspec("true"))
        group = [{"type": "EVENT", "pattern": "PUSH"}, {"type": "HEAD_REF", "pattern": "^refs/tags/dev_"}]
        codebuild = aws("codebuild")
        made = codebuild.create_webhook(projectName=name, filterGroups=[group])["webhook"]
        assert made["filterGroups"] == [group]
        changed = codebuild.update_webhook(projectName=name, buildType="BUILD")["webhook"]
        assert (changed["url"], changed["filterGroups"]) == (made["url"], [group])
        codebuild.delete_webhook(projectName=name)
        assert "webhook" not in codebuild.batch_get_projects(names=[name])["projects"][0]

    def test_builds_are_listed_newest_first_in_pages(self, aws: Workbench) -> None:
        project = aws.project(buildspec("true"))
        ids = [aws.build(project)["id"] for _ in range(2)]
        codebuild = aws("codebuild")
        assert codebuild.list_builds_for_project(projectName=project)["ids"] == ids[::-1]
        assert codebuild.list_builds_for_project(projectName=project, sortOrder="ASCENDING")["ids"] == ids
        assert set(ids) <= set(codebuild.list_builds()["ids"])
        assert refused(codebuild.list_builds_for_project, projectName="none") == "ResourceNotFoundException"
        assert refused(codebuild.stop_build, id="none:1") == "ResourceNotFoundException"
        stopped = codebuild.stop_build(id=ids[0])["build"]
        assert stopped["buildStatus"] == "SUCCEEDED"

    def test_a_build_that_runs_is_not_retried(self, aws: Workbench) -> None:
        project = aws.project(buildspec("sleep 600"))
        running = aws("codebuild").start_build(projectName=project)["build"]["id"]
        assert refused(aws("codebuild").retry_build, id=running) == "InvalidInputException"
        aws("codebuild").stop_build(id=running)
        aws.built(running)


class TestReportGroups:
    def test_a_group_is_made_changed_and_deleted(self, aws: Workbench) -> None:
        codebuild, name = aws("codebuild"), f"group-{uuid4()}"
        made = {"name": name, "type": "TEST", "exportConfig": {"exportConfigType": "NO_EXPORT"}}
        arn = codebuild.create_report_group(**made)["reportGroup"]["arn"]
        assert refused(codebuild.create_report_group, **made) == "ResourceAlreadyExistsException"
        changed = codebuild.update_report_group(arn=arn, tags=[{"key": "k", "value": "v"}])["reportGroup"]
        assert changed["tags"] == [{"key": "k", "value": "v"}]
        none = f"{arn}-none"
        answer = codebuild.batch_get_report_groups(reportGroupArns=[arn, none])
        assert ([one["name"] for one in answer["reportGroups"]], answer["reportGroupsNotFound"]) == ([name], [none])
        assert arn in codebuild.list_report_groups()["reportGroups"]
        codebuild.delete_report_group(arn=arn)
        assert codebuild.batch_get_report_groups(reportGroupArns=[arn])["reportGroups"] == []
        assert refused(codebuild.update_report_group, arn=arn) == "ResourceNotFoundException"

    def test_one_with_reports_is_deleted_with_them_or_not_at_all(self, aws: Workbench) -> None:
        reports = {"junit": {"files": ["r.xml"]}}
        xml = "<testsuite name='s'><testcase name='a'/><testcase name='b'><error>bad</error></testcase></testsuite>"
        build = aws.build(aws.project(buildspec(f'echo "{xml}" > r.xml', reports=reports)))
        codebuild = aws("codebuild")
        [arn] = build["reportArns"]
        group = codebuild.batch_get_reports(reportArns=[arn])["reports"][0]["reportGroupArn"]
        [case] = codebuild.describe_test_cases(reportArn=arn, filter={"status": "ERROR"})["testCases"]
        assert (case["name"], case["message"], case["testSuiteName"]) == ("b", "bad", "s")
        assert refused(codebuild.delete_report_group, arn=group) == "InvalidInputException"
        codebuild.delete_report_group(arn=group, deleteReports=True)
        assert codebuild.batch_get_reports(reportArns=[arn])["reportsNotFound"] == [arn]
        assert refused(codebuild.describe_test_cases, reportArn=arn) == "ResourceNotFoundException"

    def test_what_is_no_report_is_told_in_the_log(self, aws: Workbench) -> None:
        reports = {
            "broken": {"files": ["broken.xml"]},
            "other": {"files": ["r.xml"], "file-format": "CUCUMBERJSON"},
        }
        spec = buildspec("echo '<a' > broken.xml; echo '<testsuite/>' > r.xml", reports=reports)
        log = aws.log(aws.build(aws.project(spec)))
        assert "report broken: a file is no JUnit report" in log
        assert "report other: the format CUCUMBERJSON is not in the sandbox" in log


class TestCreatingRepositories:
    def test_settings_change_and_all_are_listed(self, aws: Workbench) -> None:
        name, _ = aws.repository()
        codecommit = aws("codecommit")
        codecommit.update_default_branch(repositoryName=name, defaultBranchName="trunk")
        key = aws("kms").create_key()["KeyMetadata"]["Arn"]
        assert codecommit.update_repository_encryption_key(repositoryName=name, kmsKeyId=key)["kmsKeyId"] == key
        metadata = codecommit.get_repository(repositoryName=name)["repositoryMetadata"]
        assert (metadata["defaultBranch"], metadata["kmsKeyId"]) == ("trunk", key)
        assert name in [one["repositoryName"] for one in codecommit.list_repositories()["repositories"]]
        assert refused(codecommit.get_repository, repositoryName="none") == "RepositoryDoesNotExistException"


class TestSurroundings:
    def test_trails_are_known_by_arn_too(self, aws: Workbench) -> None:
        cloudtrail, name = aws("cloudtrail"), f"trail-{uuid4()}"
        arn = cloudtrail.create_trail(Name=name, S3BucketName=aws.store)["TrailARN"]
        cloudtrail.create_trail(Name=f"{name}-2", S3BucketName=aws.store)
        assert [one["Name"] for one in cloudtrail.describe_trails(trailNameList=[arn])["trailList"]] == [name]
        cloudtrail.delete_trail(Name=arn)
        assert cloudtrail.describe_trails(trailNameList=[arn])["trailList"] == []
        assert [one["Name"] for one in cloudtrail.describe_trails()["trailList"]] == [f"{name}-2"]
        cloudtrail.delete_trail(Name=f"{name}-2")

    def test_a_log_groups_key_changes(self, aws: Workbench) -> None:
        logs, name = aws("logs"), f"group-{uuid4()}"
        logs.create_log_group(logGroupName=name)
        key = aws("kms").create_key()["KeyMetadata"]["Arn"]
        logs.associate_kms_key(logGroupName=name, kmsKeyId=key)
        assert logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"][0]["kmsKeyId"] == key
        logs.disassociate_kms_key(logGroupName=name)
        assert "kmsKeyId" not in logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"][0]
        assert refused(logs.disassociate_kms_key, logGroupName="none") == "ResourceNotFoundException"

    def test_a_tables_encryption_changes(self, aws: Workbench) -> None:
        dynamodb, name = aws("dynamodb"), f"table-{uuid4()}"
        key = {"AttributeName": "pk", "AttributeType": "S"}
        dynamodb.create_table(
            TableName=name,
            AttributeDefinitions=[key],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        dynamodb.update_table(TableName=name, SSESpecification={"Enabled": True, "SSEType": "KMS"})
        told = dynamodb.describe_table(TableName=name)["Table"]["SSEDescription"]
        assert (told["Status"], told["KMSMasterKeyArn"][:12]) == ("ENABLED", "arn:aws:kms:")
        dynamodb.update_table(TableName=name, SSESpecification={"Enabled": False})

    def test_a_bucket_tells_whether_its_events_go_to_the_bus(self, aws: Workbench) -> None:
        s3, name = aws("s3"), f"bucket-{uuid4()}"
        s3.create_bucket(Bucket=name)
        assert "EventBridgeConfiguration" not in s3.get_bucket_notification_configuration(Bucket=name)
        s3.put_bucket_notification_configuration(
            Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
        assert s3.get_bucket_notification_configuration(Bucket=name)["EventBridgeConfiguration"] == {}

    def test_an_event_that_is_no_json_is_refused(self, aws: Workbench) -> None:
        ask = aws("events").test_event_pattern
        assert refused(ask, Event="no json", EventPattern="{}") == "ValidationException"


class TestRequestChecks:
    """The checks that the service alone makes, by botocore's model of each operation."""

    class MotoResponse:
        """As much of moto's response as the check reads."""

        def __init__(self, operation: str, body: str) -> None:
            self.boto3_service_name, self.body, self._operation = "codebuild", body, operation

        def _get_action(self) -> str:
            return self._operation

    @pytest.mark.parametrize(
        ("operation", "body", "said"),
        [
            ("StartBuild", "{}", "Value null at 'projectName'"),
            ("StartBuild", '{"projectName": 1}', "must be of type string"),
            ("StartBuild", '{"projectName": ""}', "length greater than or equal to 1"),
            ("StartBuild", '{"projectName": "p", "imageOverride": ""}', "length greater than or equal to 1"),
            ("StartBuild", '{"projectName": "p", "sourceTypeOverride": "FTP"}', "enum value set"),
            ("StartBuild", '{"projectName": "p", "timeoutInMinutesOverride": 1}', "value greater than or equal to 5"),
            ("StartBuild", '{"projectName": "p", "timeoutInMinutesOverride": true}', "must be of type integer"),
            ("StartBuild", '{"projectName": "p", "environmentVariablesOverride": [{"value": "v"}]}', "1.member.name"),
            ("BatchGetBuilds", '{"ids": []}', "length greater than or equal to 1"),
            ("CreateProject", '{"name": "a b"}', "regular expression pattern"),
            ("CreateReportGroup", '{"name": "nn"}', "2 validation errors"),
        ],
    )
    def test_what_does_not_fit_is_told(self, operation: str, body: str, said: str) -> None:
        with pytest.raises(Invalid) as raised:
            checked(self.MotoResponse(operation, body), code="InvalidInputException")
        assert said in str(raised.value.description)

    def test_what_fits_passes(self) -> None:
        assert checked(self.MotoResponse("ListBuilds", "{}")) == {}
        service = botocore.session.get_session().get_service_model("codebuild")
        assert "StartBuild" in service.operation_names
