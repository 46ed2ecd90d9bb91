locals {
  # VPC, "IAM role for publishing flow logs to CloudWatch Logs", less logs:CreateLogGroup: Terraform makes the group.
  policy = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "Deliver"
        Effect = "Allow"
        Action = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        Resource = [
          "arn:${var.partition}:logs:*:${var.account}:log-group:/${var.name}/flow-logs",
          "arn:${var.partition}:logs:*:${var.account}:log-group:/${var.name}/flow-logs:*",
        ]
      },
      {
        Sid      = "Find"
        Effect   = "Allow"
        Action   = "logs:DescribeLogGroups"
        Resource = "arn:${var.partition}:logs:*:${var.account}:log-group:*"
      },
    ]
  }
}
