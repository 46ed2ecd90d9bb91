locals {
  reads = flatten([
    for service in sort(setunion(var.services, ["iam"])) : [for verb in ["BatchGet", "Describe", "Get", "List"] : "${service}:${verb}*"]
  ])

  # What gives out data, secrets or credentials: what begins like a read of configuration, and what a bucket, key, table,
  # queue or role could allow this role by a policy of its own.
  secret_values = [
    "appconfig:GetConfiguration",
    "appconfigdata:GetLatestConfiguration",
    "appsync:ListApiKeys",
    "athena:GetQueryResults*",
    "cloudfront-keyvaluestore:Get*",
    "codeartifact:GetAuthorizationToken",
    "codecommit:GetBlob",
    "codecommit:GetFile",
    "codeconnections:GetConnectionToken",
    "codepipeline:GetJobDetails",
    "codepipeline:GetThirdPartyJobDetails",
    "cognito-identity:GetCredentialsForIdentity",
    "cognito-identity:GetOpenIdToken*",
    "connect:GetFederationToken",
    "datazone:GetEnvironmentCredentials",
    "dax:BatchGetItem",
    "dax:GetItem",
    "dynamodb:BatchGet*",
    "dynamodb:GetItem",
    "dynamodb:GetRecords",
    "dynamodb:PartiQL*",
    "dynamodb:Query",
    "dynamodb:Scan",
    "ebs:GetSnapshotBlock",
    "ec2:GetConsole*",
    "ec2:GetPasswordData",
    "ec2:GetVpnConnectionDeviceSampleConfiguration",
    "ecr-public:GetAuthorizationToken",
    "ecr:BatchGetImage",
    "ecr:GetAuthorizationToken",
    "ecr:GetDownloadUrlForLayer",
    "elasticmapreduce:GetClusterSessionCredentials",
    "gamelift:GetComputeAuthToken",
    "gamelift:GetInstanceAccess",
    "glue:GetConnection*",
    "kinesis:GetRecords",
    "kinesis:GetShardIterator",
    "kms:Decrypt",
    "kms:ReEncryptFrom",
    "lakeformation:GetDataAccess",
    "lakeformation:GetTemporary*",
    "license-manager:GetAccessToken",
    "lightsail:GetBucketAccessKeys",
    "lightsail:GetInstanceAccessDetails",
    "lightsail:GetRelationalDatabaseMasterUserPassword",
    "logs:FilterLogEvents",
    "logs:GetLogEvents",
    "logs:GetLogObject",
    "logs:GetLogRecord",
    "logs:GetQueryResults",
    "logs:StartLiveTail",
    "logs:StartQuery",
    "logs:Unmask",
    "redshift-data:GetStatementResult*",
    "redshift-serverless:GetCredentials",
    "redshift:GetClusterCredentials*",
    "s3-object-lambda:GetObject*",
    "s3-outposts:GetObject*",
    "s3:GetDataAccess",
    "s3:GetObject",
    "s3:GetObjectTorrent",
    "s3:GetObjectVersion",
    "s3:GetObjectVersionForReplication",
    "s3:GetObjectVersionTorrent",
    "sagemaker:BatchGetRecord",
    "sagemaker:GetRecord",
    "sdb:GetAttributes",
    "secretsmanager:BatchGetSecretValue",
    "secretsmanager:GetSecretValue",
    "snowball:GetJobUnlockCode",
    "sqs:ReceiveMessage",
    "ssm:GetAccessToken",
    "ssm:GetCommandInvocation",
    "states:GetActivityTask",
    "states:GetExecutionHistory",
    "storagegateway:DescribeChapCredentials",
    "sts:AssumeRole*",
    "wafv2:GetDecryptedAPIKey",
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
