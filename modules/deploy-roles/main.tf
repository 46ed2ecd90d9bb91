data "aws_caller_identity" "current" {
  lifecycle {
    postcondition {
      condition     = self.account_id == var.account
      error_message = "The provider's credentials belong to account ${self.account_id}, but account is ${var.account}. Use credentials of account ${var.account}, or correct account."
    }
  }
}

data "aws_partition" "current" {}

locals {
  account = data.aws_caller_identity.current.account_id
  prefix  = "arn:${data.aws_partition.current.partition}:iam::${local.account}"

  # What nothing that these roles do may change: the roles themselves and what bounds them.
  own_arns = [
    "${local.prefix}:role/${var.plan_role_name}",
    "${local.prefix}:role/${var.build_role_name}",
    "${local.prefix}:policy/${var.build_boundary_name}",
    "${local.prefix}:policy/${var.service_boundary_name}",
  ]

  strangers = [
    for arn in sort(setunion(var.plan_trusted_role_arns, var.build_trusted_role_arns)) : arn
    if !startswith(arn, "arn:${data.aws_partition.current.partition}:")
  ]

  sizes = {
    "the plan role's policy"  = { length = length(jsonencode(local.plan_policy)), limit = 10240 }
    "the build role's policy" = { length = length(jsonencode(local.build_policy)), limit = 10240 }
    "the build boundary"      = { length = length(jsonencode(local.build_boundary)), limit = 6144 }
    "the service boundary"    = { length = length(jsonencode(local.service_boundary)), limit = 6144 }
  }
}

resource "aws_iam_role" "plan" {
  name                 = var.plan_role_name
  description          = "Plans releases: reads configuration, never writes, never reads secret values"
  max_session_duration = 3600
  assume_role_policy   = jsonencode(local.trust.plan)

  lifecycle {
    precondition {
      condition     = length(local.strangers) == 0
      error_message = "${join(", ", local.strangers)}: trust ends at the partition, and this account lies in ${data.aws_partition.current.partition}. Name roles whose ARNs begin with arn:${data.aws_partition.current.partition}:."
    }

    # IAM, "IAM and AWS STS quotas": 10,240 characters for a role's inline policies, 6,144 for a managed policy.
    precondition {
      condition     = alltrue([for name, size in local.sizes : size.length <= size.limit])
      error_message = "With so many services or managed_names these policies are longer than IAM allows: ${join(", ", [for name, size in local.sizes : "${name} (${size.length} of ${size.limit} characters)" if size.length > size.limit])}. Name fewer, or shorter patterns."
    }
  }
}

resource "aws_iam_role_policy" "plan" {
  name   = "plan"
  role   = aws_iam_role.plan.id
  policy = jsonencode(local.plan_policy)
}

resource "aws_iam_role" "build" {
  name                 = var.build_role_name
  description          = "Applies approved plans, within ${var.build_boundary_name}"
  max_session_duration = 3600
  assume_role_policy   = jsonencode(local.trust.build)
  permissions_boundary = aws_iam_policy.build_boundary.arn
}

resource "aws_iam_role_policy" "build" {
  name   = "build"
  role   = aws_iam_role.build.id
  policy = jsonencode(local.build_policy)
}
