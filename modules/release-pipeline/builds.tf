# One project for each step. What it does is fixed here: a release cannot change its own pipeline.

locals {
  buildspecs = "${path.module}/../../buildspecs"

  # Where S3 manages the stores' keys, builds still name one of ours.
  build_key = coalesce(var.stores.kms_key_arn, var.logs.kms_key_arn)

  # Those of every release, and what the environment requires besides.
  checks = distinct(concat(["lint", "scan"], sort(var.required_checks)))

  # Beyond Terraform's own limits there is time to install the tools and to store the result.
  steps = merge({ for check in local.checks : check => { role = "check", minutes = 60 } }, {
    plan   = { role = "plan", minutes = var.timeouts.plan + 30 }
    apply  = { role = "apply", minutes = var.timeouts.apply + 60 }
    verify = { role = "verify", minutes = 30 }
  })
}

resource "aws_codebuild_project" "this" {
  for_each = local.steps

  name           = "${var.name}-${each.key}"
  description    = "The step ${each.key} of releases to ${var.env}"
  service_role   = aws_iam_role.this[each.value.role].arn
  build_timeout  = each.value.minutes
  queued_timeout = 480
  encryption_key = local.build_key

  source {
    type      = "CODEPIPELINE"
    buildspec = each.value.role == "check" ? templatefile("${local.buildspecs}/check.yml", { check = each.key }) : file("${local.buildspecs}/${each.key}.yml")
  }

  artifacts {
    type = "CODEPIPELINE"
  }

  environment {
    type         = "LINUX_CONTAINER"
    image        = var.build.image
    compute_type = var.build.compute_type

    dynamic "environment_variable" {
      for_each = local.told

      content {
        name  = environment_variable.key
        value = environment_variable.value
      }
    }
  }

  # On the build host alone: a cache in S3 would let one release leave files for another's.
  cache {
    type  = "LOCAL"
    modes = ["LOCAL_CUSTOM_CACHE"]
  }

  logs_config {
    cloudwatch_logs {
      group_name = aws_cloudwatch_log_group.this[each.key].name
    }
  }
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = toset(concat(["submit"], keys(local.steps)))

  name              = "/orchestrate/${var.name}/${each.key}"
  retention_in_days = var.logs.retention_days
  kms_key_id        = var.logs.kms_key_arn
}

# CodeBuild finds them by name: `<project>-<name of the report in the buildspec>`.
resource "aws_codebuild_report_group" "this" {
  for_each = toset(local.checks)

  name           = "${var.name}-${each.key}-junit"
  type           = "TEST"
  delete_reports = true

  export_config {
    type = "NO_EXPORT"
  }
}
