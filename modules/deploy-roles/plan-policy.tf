locals {
  reads = flatten([
    for service in sort(setunion(var.services, ["iam"])) : [for verb in ["BatchGet", "Describe", "Get", "List"] : "${service}:${verb}*"]
  ])

  # Begin like reads of configuration, but give out data, secrets or credentials.
  secret_values = [
    "athena:GetQueryResults*",
    "cognito-identity:Get*",
    "dynamodb:BatchGet*",
    "dynamodb:GetItem",
    "dynamodb:GetRecords",
    "ec2:GetConsole*",
    "ec2:GetPasswordData",
    "ecr:GetAuthorizationToken",
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
    "eks:GetToken",
    "kinesis:GetRecords",
    "kinesis:GetShardIterator",
    "logs:GetLog*",
    "logs:GetQueryResults",
    "rds-data:*",
    "redshift:GetClusterCredentials*",
    "s3:GetObject",
    "s3:GetObjectTorrent",
    "s3:GetObjectVersion",
    "s3:GetObjectVersionTorrent",
    "secretsmanager:BatchGetSecretValue",
    "secretsmanager:GetRandomPassword",
    "secretsmanager:GetSecretValue",
    "sts:Get*Token",
  ]

  plan_policy = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "ReadConfiguration"
        Effect   = "Allow"
        Action   = local.reads
        Resource = "*"
      },
      {
        Sid      = "NoSecretValues"
        Effect   = "Deny"
        Action   = local.secret_values
        Resource = "*"
      },
      # AWS publishes image ids and the like as parameters of its own; all others may be secrets.
      {
        Sid         = "PublicParametersOnly"
        Effect      = "Deny"
        Action      = "ssm:GetParameter*"
        NotResource = "arn:${data.aws_partition.current.partition}:ssm:*::parameter/aws/service/*"
      },
    ]
  }
}
