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
}

resource "aws_iam_role" "plan" {
  name                 = var.plan_role_name
  description          = "Plans releases: reads configuration, never writes, never reads secret values"
  max_session_duration = 3600
  assume_role_policy   = jsonencode(local.trust.plan)
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
