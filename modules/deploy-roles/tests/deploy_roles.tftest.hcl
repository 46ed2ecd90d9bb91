mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = {
      account_id = "111111111111"
    }
  }

  mock_data "aws_partition" {
    defaults = {
      partition  = "aws"
      dns_suffix = "amazonaws.com"
    }
  }

  mock_resource "aws_iam_policy" {
    defaults = {
      arn = "arn:aws:iam::111111111111:policy/mocked"
    }
  }
}

variables {
  account                 = "111111111111"
  tooling_account         = "000000000000"
  plan_trusted_role_arns  = ["arn:aws:iam::000000000000:role/acme-plan-dev"]
  build_trusted_role_arns = ["arn:aws:iam::000000000000:role/acme-apply-dev"]
  managed_names           = ["dev-research-*"]
  external_id             = "acme"
}

run "trust_names_roles_and_external_id" {
  command = plan

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_role.plan.assume_role_policy).Statement :
      statement.Principal == { AWS = ["arn:aws:iam::000000000000:role/acme-plan-dev"] }
    ])
    error_message = "only the named roles may plan"
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_role.build.assume_role_policy).Statement :
      statement.Principal == { AWS = ["arn:aws:iam::000000000000:role/acme-apply-dev"] }
    ])
    error_message = "only the named roles may apply: planning ones may not"
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_role.build.assume_role_policy).Statement :
      statement.Condition.StringEquals["sts:ExternalId"] == "acme" if statement.Action == "sts:AssumeRole"
    ])
    error_message = "the external id is required"
  }

  assert {
    condition     = contains([for statement in jsondecode(aws_iam_role.build.assume_role_policy).Statement : statement.Action], "sts:TagSession")
    error_message = "session tags may be passed"
  }
}

run "source_identity_and_listed_tags_alone_may_be_passed" {
  command = plan

  assert {
    condition = {
      for statement in jsondecode(aws_iam_role.plan.assume_role_policy).Statement : statement.Action => try(statement.Condition, {})
      } == {
      "sts:AssumeRole"        = { StringEquals = { "sts:ExternalId" = "acme" } }
      "sts:TagSession"        = { "ForAllValues:StringEquals" = { "aws:TagKeys" = ["env", "scope", "tag", "team"] } }
      "sts:SetSourceIdentity" = {}
    }
    error_message = "a session keeps its source identity and passes the listed tags, nothing else"
  }
}

run "other_partition" {
  command = plan

  override_data {
    target = data.aws_partition.current
    values = { partition = "aws-cn" }
  }

  variables {
    plan_trusted_role_arns  = ["arn:aws-cn:iam::000000000000:role/acme-plan-dev"]
    build_trusted_role_arns = ["arn:aws-cn:iam::000000000000:role/acme-apply-dev"]
  }

  assert {
    condition = !strcontains(join("", [
      aws_iam_role_policy.plan.policy, aws_iam_role_policy.build.policy, aws_iam_policy.build_boundary.policy,
      aws_iam_policy.service_boundary.policy,
    ]), "arn:aws:")
    error_message = "every ARN lies in the account's own partition"
  }
}

run "plan_role_never_writes" {
  command = plan

  assert {
    condition = alltrue(flatten([
      for statement in jsondecode(aws_iam_role_policy.plan.policy).Statement : [
        for action in flatten([statement.Action]) : can(regex("^[a-z0-9-]+:(BatchGet|Describe|Get|List)[*]$", action))
      ] if statement.Effect == "Allow"
    ]))
    error_message = "every allowed action must be a read"
  }

  assert {
    condition = length(setsubtract(
      ["secretsmanager:GetSecretValue", "s3:GetObject", "dynamodb:GetItem", "ec2:GetPasswordData"],
      flatten([for statement in jsondecode(aws_iam_role_policy.plan.policy).Statement : statement.Action if statement.Effect == "Deny"]),
    )) == 0
    error_message = "values of secrets and data are denied"
  }
}

run "build_role_cannot_change_itself" {
  assert {
    condition     = aws_iam_role.build.permissions_boundary == aws_iam_policy.build_boundary.arn
    error_message = "the build role carries its boundary"
  }

  assert {
    condition = anytrue([
      for statement in jsondecode(aws_iam_policy.build_boundary.policy).Statement :
      statement.Effect == "Deny" && try(statement.NotAction, null) == ["iam:Get*", "iam:List*"] && length(setsubtract([
        "arn:aws:iam::111111111111:role/InfraPlanRole",
        "arn:aws:iam::111111111111:role/InfraBuildRole",
        "arn:aws:iam::111111111111:policy/InfraBuildBoundary",
        "arn:aws:iam::111111111111:policy/InfraServiceBoundary",
      ], flatten([statement.Resource]))) == 0
    ])
    error_message = "its own roles and boundaries are out of reach"
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_role_policy.build.policy).Statement :
      statement.Condition.StringEquals["iam:PermissionsBoundary"] == "arn:aws:iam::111111111111:policy/InfraServiceBoundary"
      if contains(flatten([statement.Action]), "iam:CreateRole")
    ])
    error_message = "roles that it makes carry the service boundary"
  }

  assert {
    condition = alltrue(flatten([
      for statement in jsondecode(aws_iam_role_policy.build.policy).Statement : [
        for arn in flatten([statement.Resource]) : strcontains(arn, "/dev-research-")
      ] if contains(flatten([statement.Action]), "iam:PassRole") || contains(flatten([statement.Action]), "iam:CreateRole")
    ]))
    error_message = "it makes and passes roles of the managed names only"
  }
}

run "policies_fit" {
  command = plan

  # IAM, "IAM and AWS STS quotas": 6,144 characters a managed policy, 10,240 for a role's inline policies.
  assert {
    condition     = length(aws_iam_policy.build_boundary.policy) <= 6144 && length(aws_iam_policy.service_boundary.policy) <= 6144
    error_message = "a boundary is too long for IAM"
  }

  assert {
    condition     = length(aws_iam_role_policy.plan.policy) <= 10240 && length(aws_iam_role_policy.build.policy) <= 10240
    error_message = "a role's policy is too long for IAM"
  }
}

run "without_external_id" {
  command = plan

  variables {
    external_id = null
  }

  assert {
    condition     = !strcontains(aws_iam_role.plan.assume_role_policy, "ExternalId")
    error_message = "no external id, no condition"
  }
}

run "reject_account" {
  command = plan
  variables {
    account = "11111111111"
  }
  expect_failures = [var.account]
}

run "reject_account_mismatch" {
  command = plan
  variables {
    account = "222222222222"
  }
  expect_failures = [data.aws_caller_identity.current]
}

run "reject_tooling_account" {
  command = plan
  variables {
    tooling_account = "tooling"
  }
  expect_failures = [var.tooling_account]
}

run "reject_tooling_account_as_a_workload_account" {
  command = plan
  variables {
    tooling_account         = "111111111111"
    plan_trusted_role_arns  = ["arn:aws:iam::111111111111:role/acme-plan-dev"]
    build_trusted_role_arns = ["arn:aws:iam::111111111111:role/acme-apply-dev"]
  }
  expect_failures = [var.tooling_account]
}

run "reject_roles_of_another_partition" {
  command = plan
  variables {
    plan_trusted_role_arns = ["arn:aws-cn:iam::000000000000:role/acme-plan-dev"]
  }
  expect_failures = [aws_iam_role.plan]
}

run "reject_more_services_than_a_policy_holds" {
  command = plan
  variables {
    services = [for number in range(200) : "some-service-${number}"]
  }
  expect_failures = [aws_iam_role.plan]
}

run "reject_trust_in_a_whole_account" {
  command = plan
  variables {
    plan_trusted_role_arns = ["arn:aws:iam::000000000000:root"]
  }
  expect_failures = [var.plan_trusted_role_arns]
}

run "reject_trust_in_another_account" {
  command = plan
  variables {
    build_trusted_role_arns = ["arn:aws:iam::333333333333:role/acme-apply-dev"]
  }
  expect_failures = [var.build_trusted_role_arns]
}

run "reject_names_of_nearly_every_role" {
  command = plan
  variables {
    managed_names = ["de*"]
  }
  expect_failures = [var.managed_names]
}

run "reject_own_roles" {
  command = plan
  variables {
    managed_names = ["Infra*"]
  }
  expect_failures = [var.managed_names]
}

run "reject_role_of_the_organization" {
  command = plan
  variables {
    managed_names = ["Organization*"]
  }
  expect_failures = [var.managed_names]
}

run "reject_paths_of_aws" {
  command = plan
  variables {
    managed_names = ["aws-reserved/*"]
  }
  expect_failures = [var.managed_names]
}

run "reject_services_with_wildcard" {
  command = plan
  variables {
    services = ["*"]
  }
  expect_failures = [var.services]
}

run "reject_services_that_raise_rights" {
  command = plan
  variables {
    services = ["ec2", "organizations"]
  }
  expect_failures = [var.services]
}

run "reject_external_id" {
  command = plan
  variables {
    external_id = "a b"
  }
  expect_failures = [var.external_id]
}

run "reject_session_tag_keys" {
  command = plan
  variables {
    session_tag_keys = []
  }
  expect_failures = [var.session_tag_keys]
}

run "reject_plan_role_name_too_long" {
  command = plan
  variables {
    plan_role_name = "A-role-name-of-sixty-five-characters-is-one-more-than-IAM-allows-"
  }
  expect_failures = [var.plan_role_name]
}

run "reject_same_role_twice" {
  command = plan
  variables {
    build_role_name = "InfraPlanRole"
  }
  expect_failures = [var.build_role_name]
}

run "reject_build_boundary_name" {
  command = plan
  variables {
    build_boundary_name = "a b"
  }
  expect_failures = [var.build_boundary_name]
}

run "reject_same_boundary_twice" {
  command = plan
  variables {
    service_boundary_name = "InfraBuildBoundary"
  }
  expect_failures = [var.service_boundary_name]
}
