locals {
  reads = flatten([
    for service in sort(setunion(var.services, ["iam"])) : [for verb in ["BatchGet", "Describe", "Get", "List"] : "${service}:${verb}*"]
  ])

  # Begin like reads of configuration, but give out data, secrets or credentials.
  secret_values = [
    "appconfig:GetConfiguration",
    "athena:GetQueryResults*",
    "codecommit:GetBlob",
    "codecommit:GetFile",
    "codepipeline:GetJobDetails",
    "cognito-identity:GetCredentialsForIdentity",
    "cognito-identity:GetOpenIdToken*",
    "connect:GetFederationToken",
    "dynamodb:BatchGet*",
    "dynamodb:GetItem",
    "dynamodb:GetRecords",
    "ec2:GetConsole*",
    "ec2:GetPasswordData",
    "ecr:BatchGetImage",
    "ecr:GetAuthorizationToken",
    "ecr:GetDownloadUrlForLayer",
    "glue:GetConnection*",
    "kinesis:GetRecords",
    "kinesis:GetShardIterator",
    "lightsail:GetInstanceAccessDetails",
    "logs:GetLogEvents",
    "logs:GetLogObject",
    "logs:GetLogRecord",
    "logs:GetQueryResults",
    "redshift-serverless:GetCredentials",
    "redshift:GetClusterCredentials*",
    "s3:GetObject",
    "s3:GetObjectTorrent",
    "s3:GetObjectVersion",
    "s3:GetObjectVersionTorrent",
    "secretsmanager:BatchGetSecretValue",
    "secretsmanager:GetSecretValue",
    "snowball:GetJobUnlockCode",
    "storagegateway:DescribeChapCredentials",
    "wafv2:GetSampledRequests",
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
