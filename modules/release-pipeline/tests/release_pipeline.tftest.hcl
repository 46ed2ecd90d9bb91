mock_provider "aws" {
  override_during = plan
  source          = "../../tests/modules/tooling/mocks"
}

variables {
  name           = "acme-tf-dev"
  env            = "dev"
  tag_prefixes   = ["dev_"]
  teams          = { research = { account = "111111111111" }, risk = { account = "222222222222" } }
  workload_roles = { plan = "InfraPlanRole", apply = "InfraBuildRole" }
  package        = { prefix = "tooling/0/", sha256 = "0000000000000000000000000000000000000000000000000000000000000000" }
  logs           = { retention_days = 365, kms_key_arn = "arn:aws:kms:us-east-1:000000000000:key/00000000-0000-0000-0000-000000000000" }

  source_repository = {
    type           = "CODECOMMIT"
    url            = "https://git-codecommit.us-east-1.amazonaws.com/v1/repos/infrastructure"
    repository_arn = "arn:aws:codecommit:us-east-1:000000000000:infrastructure"
    branch         = "main"
  }

  stores = {
    state_bucket   = "acme-tf-dev"
    lock_table     = "acme-tf-lock-dev"
    release_bucket = "acme-tf-releases-dev"
    ledger_table   = "acme-tf-ledger-dev"
    kms_key_arn    = "arn:aws:kms:us-east-1:000000000000:key/00000000-0000-0000-0000-000000000001"
  }
}

run "one_execution_for_each_tag_all_in_parallel" {
  command = plan

  assert {
    condition     = aws_codepipeline.this.execution_mode == "PARALLEL" && [for stage in aws_codepipeline.this.stage : stage.name] == ["Source", "Lint", "Scan", "Plan", "Apply", "Verify"]
    error_message = "the stages of an environment without approvals"
  }

  assert {
    condition     = alltrue([for stage in aws_codepipeline.this.stage : length(stage.before_entry) == (stage.name == "Apply" ? 1 : 0)])
    error_message = "apply is skipped where nothing changes"
  }
}

run "a_check_that_is_required_has_a_step_and_a_report_group" {
  command = plan

  variables {
    required_checks = ["test", "lint"]
  }

  assert {
    condition     = [for stage in aws_codepipeline.this.stage : stage.name] == ["Source", "Lint", "Scan", "Test", "Plan", "Apply", "Verify"] && aws_codepipeline.this.stage[4].action[0].input_artifacts == tolist(["source", "lint", "scan", "test"])
    error_message = "the plan takes the result of every check"
  }

  assert {
    condition     = keys(aws_codebuild_report_group.this) == ["lint", "scan", "test"] && strcontains(one(aws_codebuild_project.this["test"].source).buildspec, "orchestrate step test\n")
    error_message = "each check has a project and a report group"
  }

  assert {
    condition     = strcontains(aws_iam_role_policy.this["check"].policy, "/acme-tf-dev/test/*") && strcontains(aws_iam_role_policy.this["plan"].policy, "/acme-tf-dev/test/*")
    error_message = "its result is handed on"
  }
}

run "reject_a_check_that_is_called_as_another_step" {
  command = plan

  variables {
    required_checks = ["plan"]
  }

  expect_failures = [var.required_checks]
}

run "only_tags_of_this_environment_start_it" {
  command = plan

  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.this["tags"].event_pattern).detail == { event = ["referenceCreated"], referenceType = ["tag"], referenceName = [{ prefix = "dev_" }] }
    error_message = "new tags with exactly that prefix"
  }
}

run "a_release_is_asked_for_by_naming_a_tag_alone" {
  command = plan

  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.asked.event_pattern) == { source = ["orchestrate.acme-tf-dev"], "detail-type" = ["Release asked for"], detail = { tag = [{ prefix = "dev_" }] } }
    error_message = "tags of this environment, from who may ask for its releases"
  }

  assert {
    condition     = toset(keys(aws_cloudwatch_event_target.asked.input_transformer[0].input_paths)) == toset(["attempt", "rounds", "tag"])
    error_message = "nothing else of the event reaches the build"
  }
}

run "each_step_has_its_role" {
  command = plan

  assert {
    condition     = { for step, project in aws_codebuild_project.this : step => project.name } == { for step in ["apply", "lint", "plan", "scan", "verify"] : step => "acme-tf-dev-${step}" }
    error_message = "a project for each step"
  }

  assert {
    condition     = aws_codebuild_project.this["apply"].build_timeout == 300 && aws_codebuild_project.this["plan"].build_timeout == 90
    error_message = "builds outlast Terraform's own time limits"
  }
}

run "as_many_approvals_as_asked" {
  command = plan

  variables {
    approvals         = 2
    plan_expiry_hours = 48
  }

  assert {
    condition     = [for action in aws_codepipeline.this.stage[4].action : [action.name, action.timeout_in_minutes]] == [["Approve-1", 2880], ["Approve-2", 2880]]
    error_message = "two people answer while the plan holds"
  }
}

run "without_dynamodb_and_kms" {
  command = plan

  variables {
    stores = {
      state_bucket   = "acme-tf-dev"
      release_bucket = "acme-tf-releases-dev"
      ledger_table   = "acme-tf-ledger-dev"
    }
  }

  assert {
    condition     = !strcontains(aws_iam_role_policy.this["plan"].policy, "acme-tf-lock-dev") && length(one(aws_codepipeline.this.artifact_store).encryption_key) == 0
    error_message = "neither a lock table nor a key is spoken of"
  }
}

run "people_cannot_apply_where_the_pipeline_alone_may" {
  command = plan

  variables {
    apply_from = "pipeline"
  }

  assert {
    condition     = keys(aws_iam_role.people) == ["people"]
    error_message = "there is no role to apply with"
  }
}

run "who_applies_tells_of_a_broken_glass" {
  command = plan

  variables {
    break_glass_topic = "arn:aws:sns:eu-west-1:000000000000:security"
  }

  assert {
    condition     = keys(aws_iam_role_policy.tells_of_glass) == ["apply", "deploy"] && alltrue([for policy in aws_iam_role_policy.tells_of_glass : jsondecode(policy.policy).Statement[0].Resource == "arn:aws:sns:eu-west-1:000000000000:security"])
    error_message = "wherever a plan may be applied from"
  }

  assert {
    condition     = alltrue([for policy in aws_iam_policy.approver : contains([for statement in jsondecode(policy.policy).Statement : statement.Sid], "TellOfBrokenGlass")])
    error_message = "whoever answers may be the one who breaks it"
  }
}

run "reject_a_topic_that_is_none" {
  command = plan

  variables {
    break_glass_topic = "arn:aws:sqs:eu-west-1:000000000000:security"
  }

  expect_failures = [var.break_glass_topic]
}

run "a_linked_repository_calls_the_build" {
  command = plan

  variables {
    source_repository = {
      type           = "GITHUB"
      url            = "https://github.com/acme/infrastructure.git"
      connection_arn = "arn:aws:codeconnections:us-east-1:000000000000:connection/00000000-0000-0000-0000-000000000000"
      branch         = "main"
    }
  }

  assert {
    condition     = length(aws_cloudwatch_event_rule.this) == 0 && one([for filter in one(aws_codebuild_webhook.this[0].filter_group).filter : filter.pattern if filter.type == "HEAD_REF"]) == "^refs/tags/dev_"
    error_message = "a webhook with an anchored pattern"
  }
}

# Terraform asks no rule that depends on a value that is wrong itself: such a rule has a run of its own.
run "reject_values_that_no_pipeline_can_have" {
  command = plan

  variables {
    name              = "ACME-dev"
    source_repository = { type = "SVN", url = "https://example.com", branch = "main" }
    teams             = {}
    workload_roles    = { plan = "Infra", apply = "Infra" }
    approvals         = 1.5
    plan_expiry_hours = 0
    timeouts          = { plan = 0, apply = 240 }
    apply_from        = "nowhere"
    package           = { prefix = "plans/", sha256 = "0" }
    notify            = ["nobody"]
  }

  expect_failures = [
    var.name, var.source_repository, var.teams, var.workload_roles, var.approvals, var.plan_expiry_hours, var.timeouts,
    var.apply_from, var.package, var.notify,
  ]
}

run "reject_an_environment_that_the_name_does_not_end_with" {
  command = plan

  variables {
    env          = "prod"
    tag_prefixes = ["prod_"]
  }

  expect_failures = [var.env]
}

run "reject_tags_of_another_environment" {
  command = plan

  variables {
    tag_prefixes = ["prod_"]
  }

  expect_failures = [var.tag_prefixes]
}

run "one_policy_names_the_accounts_of_a_few_teams" {
  command = plan

  assert {
    condition     = keys(aws_iam_policy.accounts) == ["apply-all", "plan-all"] && keys(aws_iam_role_policy_attachment.accounts) == ["apply-apply-all", "deploy-apply-all", "deploy-plan-all", "people-plan-all", "plan-plan-all"]
    error_message = "who plans takes the plan roles, who applies the build roles, who does both takes both"
  }

  assert {
    condition     = one(jsondecode(aws_iam_policy.accounts["plan-all"].policy).Statement).Resource == ["arn:aws:iam::111111111111:role/InfraPlanRole", "arn:aws:iam::222222222222:role/InfraPlanRole"]
    error_message = "the plan roles of exactly these accounts"
  }
}

run "five_hundred_teams_fit_into_one_environment" {
  command = plan

  variables {
    teams = { for number in range(500) : format("team-number-%03d", number) => { account = format("%012d", number) } }
  }

  assert {
    condition     = alltrue([for role in ["apply", "deploy", "people", "plan"] : length([for key in keys(aws_iam_role_policy_attachment.accounts) : key if startswith(key, "${role}-")]) <= 10])
    error_message = "IAM attaches ten policies to a role"
  }

  assert {
    condition     = sort(flatten([for key, found in aws_iam_policy.accounts : one(jsondecode(found.policy).Statement).Resource if startswith(key, "apply-")])) == sort([for number in range(500) : format("arn:aws:iam::%012d:role/InfraBuildRole", number)])
    error_message = "each account in one policy, and no other account"
  }

  assert {
    condition     = alltrue([for policy in concat(values(aws_iam_role_policy.this), values(aws_iam_role_policy.people)) : length(policy.policy) <= 10240 && !strcontains(policy.policy, "team-number")])
    error_message = "the roles' own policies do not grow with the teams"
  }
}

run "reject_more_accounts_than_policies_hold" {
  command = plan

  variables {
    teams = { for number in range(700) : format("team-number-%03d", number) => { account = format("%012d", number) } }
  }

  expect_failures = [aws_iam_policy.accounts]
}
