data "aws_caller_identity" "current" {
  lifecycle {
    postcondition {
      condition     = self.account_id == var.account
      error_message = "The provider's credentials belong to account ${self.account_id}, but account is ${var.account}. Release with the role of account ${var.account}, or correct the team's account in envs/."
    }
  }
}

data "aws_partition" "current" {}

# The role that every Region's flow logs are delivered with. Regions find it by its name.
module "flow_logs_role" {
  source = "../service-role"

  name             = "${var.name}-flow-logs"
  description      = "Delivers VPC flow logs of ${var.name} to CloudWatch Logs"
  trusted_services = ["vpc-flow-logs.amazonaws.com"]

  policy_json = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow"
      Action = [
        "logs:CreateLogStream",
        "logs:DescribeLogGroups",
        "logs:DescribeLogStreams",
        "logs:PutLogEvents",
      ]
      Resource = "arn:${data.aws_partition.current.partition}:logs:*:${data.aws_caller_identity.current.account_id}:log-group:/${var.name}/flow-logs*"
    }]
  })
}
