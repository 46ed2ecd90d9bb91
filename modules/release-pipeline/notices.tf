# One topic for what people must know: approvals to give, refusals, failures.

resource "aws_sns_topic" "this" {
  name              = var.name
  display_name      = "Releases to ${var.env}"
  kms_master_key_id = var.logs.kms_key_arn
}

resource "aws_sns_topic_policy" "this" {
  arn = aws_sns_topic.this.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "EventsAndAlarms"
        Effect    = "Allow"
        Principal = { Service = ["cloudwatch.amazonaws.com", "events.amazonaws.com"] }
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.this.arn
        Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "mail" {
  for_each = var.notify

  topic_arn = aws_sns_topic.this.arn
  protocol  = "email"
  endpoint  = each.value
}

locals {
  queue = "${var.name}-undelivered"
}

# Events that could not be delivered, whatever was tried: a tag whose release has not begun.
resource "aws_sqs_queue" "undelivered" {
  name                      = local.queue
  kms_master_key_id         = var.logs.kms_key_arn
  message_retention_seconds = 1209600

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Rules"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = "arn:${local.partition}:sqs:${local.region}:${local.account}:${local.queue}"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_cloudwatch_metric_alarm" "undelivered" {
  alarm_name          = "${var.name}-undelivered"
  alarm_description   = "An event could not be delivered: see the queue ${var.name}-undelivered; `orchestrate submit --tag TAG` starts that release by hand"
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.undelivered.name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.this.arn]
}

# An execution that ends without success: people hear of it, and the submit project records it in the ledger.
resource "aws_cloudwatch_event_rule" "fails" {
  name        = "${var.name}-fails"
  description = "Executions of ${var.name} that fail or are stopped"
  event_pattern = jsonencode({
    source        = ["aws.codepipeline"]
    "detail-type" = ["CodePipeline Pipeline Execution State Change"]
    detail        = { pipeline = [var.name], state = ["FAILED", "STOPPED"] }
  })
}

resource "aws_cloudwatch_event_target" "fails_people" {
  rule      = aws_cloudwatch_event_rule.fails.name
  target_id = "people"
  arn       = aws_sns_topic.this.arn

  input_transformer {
    input_paths    = { execution = "$.detail.execution-id", state = "$.detail.state" }
    input_template = "\"A release to ${var.env} has ended: <state>. Execution <execution> of the pipeline ${var.name}.\""
  }
}

resource "aws_cloudwatch_event_target" "fails_record" {
  rule      = aws_cloudwatch_event_rule.fails.name
  target_id = "record"
  arn       = aws_codebuild_project.submit.arn
  role_arn  = aws_iam_role.this["events"].arn

  input_transformer {
    input_paths    = { execution = "$.detail.execution-id" }
    input_template = <<-EOT
      {"environmentVariablesOverride": [
        {"name": "EVENT", "type": "PLAINTEXT", "value": "executionFailed"},
        {"name": "EXECUTION_ID", "type": "PLAINTEXT", "value": <execution>}
      ]}
    EOT
  }

  dead_letter_config {
    arn = aws_sqs_queue.undelivered.arn
  }
}

# A tag that is refused ends the submit build without success; the ledger says why.
resource "aws_cloudwatch_event_rule" "unsent" {
  name        = "${var.name}-unsent"
  description = "Tags of ${var.env} whose release has not begun"
  event_pattern = jsonencode({
    source        = ["aws.codebuild"]
    "detail-type" = ["CodeBuild Build State Change"]
    detail        = { "project-name" = ["${var.name}-submit"], "build-status" = ["FAILED", "FAULT", "STOPPED", "TIMED_OUT"] }
  })
}

resource "aws_cloudwatch_event_target" "unsent_people" {
  rule      = aws_cloudwatch_event_rule.unsent.name
  target_id = "people"
  arn       = aws_sns_topic.this.arn

  input_transformer {
    input_paths    = { build = "$.detail.build-id", log = "$.detail.additional-information.logs.deep-link" }
    input_template = "\"A tag of ${var.env} was refused or could not be submitted: <build>. See <log>, or orchestrate history.\""
  }
}
