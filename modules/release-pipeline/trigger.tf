# From a tag in the repository to a running execution.

locals {
  # Only tags of exactly this environment; `referenceUpdated` is a tag that was moved, which submit refuses and records.
  rules = local.codecommit ? { tags = "referenceCreated", moved = "referenceUpdated" } : {}

  # As orchestrator/model/rules/tooling.py has it.
  asked = { source = "orchestrate.${var.name}", detail_type = "Release asked for" }
}

resource "aws_cloudwatch_event_rule" "this" {
  for_each = local.rules

  name        = "${var.name}-${each.key}"
  description = "Tags ${join(", ", sort(var.tag_prefixes))}*: ${each.value}"
  event_pattern = jsonencode({
    source        = ["aws.codecommit"]
    "detail-type" = ["CodeCommit Repository State Change"]
    resources     = [var.source_repository.repository_arn]
    detail = {
      event         = [each.value]
      referenceType = ["tag"]
      referenceName = [for prefix in sort(var.tag_prefixes) : { prefix = prefix }]
    }
  })
}

resource "aws_cloudwatch_event_target" "this" {
  for_each = local.rules

  rule      = aws_cloudwatch_event_rule.this[each.key].name
  target_id = "submit"
  arn       = aws_codebuild_project.submit.arn
  role_arn  = aws_iam_role.this["events"].arn

  # Without quotation marks: EventBridge then writes the name as a JSON string, whatever characters it has.
  input_transformer {
    input_paths    = { event = "$.detail.event", tag = "$.detail.referenceName" }
    input_template = <<-EOT
      {"environmentVariablesOverride": [
        {"name": "EVENT", "type": "PLAINTEXT", "value": <event>},
        {"name": "TAG", "type": "PLAINTEXT", "value": <tag>}
      ]}
    EOT
  }

  retry_policy {
    maximum_event_age_in_seconds = 86400
    maximum_retry_attempts       = 185
  }

  dead_letter_config {
    arn = aws_sqs_queue.undelivered.arn
  }
}

# A release that a person asks for, of a tag that is there already. The event only names the tag: everything else is
# submit's to find out, as for a push. So whoever may send it can bring neither code nor rules along.
resource "aws_cloudwatch_event_rule" "asked" {
  name        = "${var.name}-asked"
  description = "Releases to ${var.env} that are asked for by `orchestrate release --on aws`"
  event_pattern = jsonencode({
    source        = [local.asked.source]
    "detail-type" = [local.asked.detail_type]
    detail        = { tag = [for prefix in sort(var.tag_prefixes) : { prefix = prefix }] }
  })
}

resource "aws_cloudwatch_event_target" "asked" {
  rule      = aws_cloudwatch_event_rule.asked.name
  target_id = "submit"
  arn       = aws_codebuild_project.submit.arn
  role_arn  = aws_iam_role.this["events"].arn

  input_transformer {
    input_paths    = { tag = "$.detail.tag", attempt = "$.detail.attempt", rounds = "$.detail.rounds" }
    input_template = <<-EOT
      {"environmentVariablesOverride": [
        {"name": "TAG", "type": "PLAINTEXT", "value": <tag>},
        {"name": "ATTEMPT", "type": "PLAINTEXT", "value": <attempt>},
        {"name": "ROUNDS", "type": "PLAINTEXT", "value": <rounds>}
      ]}
    EOT
  }

  retry_policy {
    maximum_event_age_in_seconds = 3600
    maximum_retry_attempts       = 185
  }

  dead_letter_config {
    arn = aws_sqs_queue.undelivered.arn
  }
}

# A linked repository raises no tag events: its host calls CodeBuild.
resource "aws_codebuild_webhook" "this" {
  count = local.codecommit ? 0 : 1

  project_name = aws_codebuild_project.submit.name
  build_type   = "BUILD"

  dynamic "filter_group" {
    for_each = sort(var.tag_prefixes)

    content {
      filter {
        type    = "EVENT"
        pattern = "PUSH"
      }

      filter {
        type    = "HEAD_REF"
        pattern = "^refs/tags/${filter_group.value}"
      }
    }
  }
}

resource "aws_codebuild_project" "submit" {
  name           = "${var.name}-submit"
  description    = "Resolves and verifies a tag of ${var.env} and starts its execution"
  service_role   = aws_iam_role.this["submit"].arn
  build_timeout  = 30
  queued_timeout = 480
  encryption_key = local.build_key

  source {
    type            = var.source_repository.type
    location        = var.source_repository.url
    git_clone_depth = 0
    buildspec       = file("${path.module}/../../buildspecs/submit.yml")

    dynamic "auth" {
      for_each = local.codecommit ? [] : [var.source_repository.connection_arn]

      content {
        type     = "CODECONNECTIONS"
        resource = auth.value
      }
    }
  }

  artifacts {
    type = "NO_ARTIFACTS"
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

  cache {
    type  = "LOCAL"
    modes = ["LOCAL_CUSTOM_CACHE"]
  }

  logs_config {
    cloudwatch_logs {
      group_name = aws_cloudwatch_log_group.this["submit"].name
    }
  }
}
