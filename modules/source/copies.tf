# CodeCommit does not copy repositories between Regions by itself.

locals {
  copies     = length(var.replicas) > 0 ? { this = "${var.stem}-tooling-copy" } : {}
  repository = "arn:${local.partition}:codecommit:%s:${local.account}:${var.repository}"
  clone_url  = "https://git-codecommit.%s.${data.aws_partition.current.dns_suffix}/v1/repos/${var.repository}"
}

resource "aws_cloudwatch_log_group" "copy" {
  for_each = local.copies

  name              = "/orchestrate/${var.stem}-tooling/copy"
  retention_in_days = var.logs.retention_days
  kms_key_id        = var.logs.kms_key_arn
}

resource "aws_codebuild_project" "copy" {
  for_each = local.copies

  name           = each.value
  description    = "Copies ${var.repository} to ${join(", ", sort(var.replicas))}"
  service_role   = aws_iam_role.copier[each.key].arn
  build_timeout  = 60
  encryption_key = var.logs.kms_key_arn

  source {
    type      = "NO_SOURCE"
    buildspec = file("${path.module}/../../buildspecs/copy.yml")
  }

  artifacts {
    type = "NO_ARTIFACTS"
  }

  environment {
    type         = "LINUX_CONTAINER"
    image        = var.build.image
    compute_type = var.build.compute_type

    environment_variable {
      name  = "SOURCE_URL"
      value = format(local.clone_url, local.region)
    }

    environment_variable {
      name  = "REPLICA_URLS"
      value = join(" ", [for region in sort(var.replicas) : format(local.clone_url, region)])
    }
  }

  logs_config {
    cloudwatch_logs {
      group_name = aws_cloudwatch_log_group.copy[each.key].name
    }
  }
}

resource "aws_iam_role" "copier" {
  for_each = local.copies

  name        = "${var.stem}-tooling-copier"
  description = "Copies ${var.repository} to other Regions"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "codebuild.amazonaws.com" }
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        ArnEquals    = { "aws:SourceArn" = "arn:${local.partition}:codebuild:${local.region}:${local.account}:project/${each.value}" }
      }
    }]
  })
}

resource "aws_iam_role_policy" "copier" {
  for_each = local.copies

  name = "permissions"
  role = aws_iam_role.copier[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Sid = "Read", Effect = "Allow", Action = "codecommit:GitPull", Resource = format(local.repository, local.region) },
      {
        Sid      = "Write"
        Effect   = "Allow"
        Action   = "codecommit:GitPush"
        Resource = [for region in sort(var.replicas) : format(local.repository, region)]
      },
      {
        Sid      = "Log"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${aws_cloudwatch_log_group.copy[each.key].arn}:*"
      },
    ]
  })
}

resource "aws_cloudwatch_event_rule" "copy" {
  for_each = local.copies

  name        = each.value
  description = "Every push to ${var.repository}"
  event_pattern = jsonencode({
    source        = ["aws.codecommit"]
    "detail-type" = ["CodeCommit Repository State Change"]
    resources     = [aws_codecommit_repository.this[0].arn]
  })
}

resource "aws_cloudwatch_event_target" "copy" {
  for_each = local.copies

  rule     = aws_cloudwatch_event_rule.copy[each.key].name
  arn      = aws_codebuild_project.copy[each.key].arn
  role_arn = aws_iam_role.copy_events[each.key].arn
}

resource "aws_iam_role" "copy_events" {
  for_each = local.copies

  name        = "${var.stem}-tooling-events"
  description = "Starts ${each.value}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "events.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_iam_role_policy" "copy_events" {
  for_each = local.copies

  name = "permissions"
  role = aws_iam_role.copy_events[each.key].id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "codebuild:StartBuild", Resource = aws_codebuild_project.copy[each.key].arn }]
  })
}
