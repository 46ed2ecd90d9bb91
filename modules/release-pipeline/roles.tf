# One role for each kind of step. None may reach another environment's stores, accounts, projects or pipeline.

locals {
  service = { for name in ["codebuild", "codepipeline", "events"] : name => "${name}.amazonaws.com" }

  roles = {
    submit = { trusts = local.service.codebuild, purpose = "submits tags", policy = local.submit }
    check  = { trusts = local.service.codebuild, purpose = "lints and scans", policy = local.check }
    plan   = { trusts = local.service.codebuild, purpose = "plans", policy = concat(local.in_pipeline["plan"], local.planning) }
    apply  = { trusts = local.service.codebuild, purpose = "applies", policy = concat(local.in_pipeline["apply"], local.applying, local.asks_pipeline) }
    verify = { trusts = local.service.codebuild, purpose = "verifies", policy = concat(local.in_pipeline["verify"], local.reads_ledger, local.adds_to_ledger, local.key) }
    runner = { trusts = local.service.codepipeline, purpose = "runs the pipeline", policy = local.runner }
    events = { trusts = local.service.events, purpose = "starts submit", policy = local.events }
  }
}

resource "aws_iam_role" "this" {
  for_each = local.roles

  name                 = "${var.name}-${each.key}"
  description          = "Releases to ${var.env}: ${each.value.purpose}"
  max_session_duration = 3600
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = each.value.trusts }
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  for_each = local.roles

  name   = "permissions"
  role   = aws_iam_role.this[each.key].id
  policy = jsonencode({ Version = "2012-10-17", Statement = each.value.policy })

  # "IAM and AWS STS quotas": inline policies of a role, without white space; the quota is fixed.
  lifecycle {
    precondition {
      condition     = length(jsonencode({ Version = "2012-10-17", Statement = each.value.policy })) <= 10240
      error_message = "The policy of ${var.name}-${each.key} has ${length(jsonencode({ Version = "2012-10-17", Statement = each.value.policy }))} characters with the ${length(var.teams)} teams of ${var.env}; IAM allows 10,240. Divide the environment into several (docs/quotas-and-costs.md says how many teams fit)."
    }
  }
}

# What the roles may do, in pieces -----------------------------------------------------------------------------------

locals {
  submit = concat(local.logs["submit"], local.package, local.reads_ledger, local.adds_to_ledger, local.source_access, [
    {
      Sid      = "KeepSources"
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"]
      Resource = "${local.release_bucket}/sources/*"
    },
    {
      Sid      = "StartThisPipeline"
      Effect   = "Allow"
      Action   = ["codepipeline:GetPipelineExecution", "codepipeline:ListActionExecutions", "codepipeline:ListPipelineExecutions", "codepipeline:StartPipelineExecution"]
      Resource = local.pipeline_arn
    },
  ], local.key)

  source_access = [{
    Sid      = "Clone"
    Effect   = "Allow"
    Action   = local.codecommit ? ["codecommit:GitPull"] : ["codeconnections:GetConnection", "codeconnections:GetConnectionToken", "codeconnections:UseConnection"]
    Resource = local.codecommit ? var.source_repository.repository_arn : var.source_repository.connection_arn
  }]

  check = concat(local.logs["lint"], local.logs["scan"], local.reports, local.package, local.hands_on, local.key)

  # What every step after the checks has, by step.
  in_pipeline = {
    for step in ["plan", "apply", "verify"] : step => concat(local.logs[step], local.package, local.hands_on)
  }

  planning = concat(local.reads_states, local.locks, local.reads_ledger, local.adds_to_ledger, [
    {
      Sid      = "AssumePlanRoles"
      Effect   = "Allow"
      Action   = ["sts:AssumeRole", "sts:TagSession"]
      Resource = local.workload_arns.plan
    },
    {
      Sid      = "StorePlans"
      Effect   = "Allow"
      Action   = ["s3:PutObject"]
      Resource = [for prefix in ["evidence", "plans", "receipts"] : "${local.release_bucket}/${prefix}/*"]
    },
    {
      Sid      = "KeepReceipts"
      Effect   = "Allow"
      Action   = ["s3:PutObjectRetention"]
      Resource = [for prefix in ["evidence", "receipts"] : "${local.release_bucket}/${prefix}/*"]
    },
    {
      Sid      = "ReadReceipts"
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
      Resource = [for prefix in ["evidence", "receipts"] : "${local.release_bucket}/${prefix}/*"]
    },
  ], local.key)

  applying = concat(local.reads_states, local.locks, local.reads_ledger, local.adds_to_ledger, local.looks_up_people, [
    {
      Sid      = "AssumeBuildRoles"
      Effect   = "Allow"
      Action   = ["sts:AssumeRole", "sts:TagSession"]
      Resource = local.workload_arns.apply
    },
    {
      Sid      = "WriteStates"
      Effect   = "Allow"
      Action   = ["s3:PutObject"]
      Resource = [for team in sort(keys(var.teams)) : "${local.state_bucket}/${team}/*"]
    },
    {
      Sid      = "ReadPlans"
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
      Resource = [for prefix in ["evidence", "plans", "receipts"] : "${local.release_bucket}/${prefix}/*"]
    },
    # A build's files end with the build: a state that Terraform could not save is kept in the release bucket.
    {
      Sid      = "KeepUnsavedStates"
      Effect   = "Allow"
      Action   = ["s3:PutObject"]
      Resource = "${local.release_bucket}/recovered/*"
    },
    # A lock that an earlier build left is taken over only when that build has ended.
    {
      Sid      = "AskForBuilds"
      Effect   = "Allow"
      Action   = ["codebuild:BatchGetBuilds"]
      Resource = "${local.projects}/${var.name}-apply"
    },
    ], [for statement in [
      # Beside each lock Terraform keeps the checksum of the state, under the lock's own name with `-md5`.
      {
        Sid       = "StateChecksums"
        Effect    = "Allow"
        Action    = ["dynamodb:DeleteItem", "dynamodb:PutItem"]
        Resource  = "${local.tables}/${local.lock_table}"
        Condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["${var.stores.state_bucket}/*.tfstate-md5"] } }
      },
  ] : statement if var.stores.lock_table != null], local.key)

  # Who answered the approvals of an execution.
  asks_pipeline = [{
    Sid      = "AskThisPipeline"
    Effect   = "Allow"
    Action   = ["codepipeline:GetPipelineExecution", "codepipeline:ListActionExecutions"]
    Resource = local.pipeline_arn
  }]

  runner = concat([
    {
      Sid      = "ReadSources"
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:GetObjectVersion"]
      Resource = "${local.release_bucket}/sources/*"
    },
    {
      Sid      = "LookAtTheBucket"
      Effect   = "Allow"
      Action   = ["s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketVersioning"]
      Resource = local.release_bucket
    },
    {
      Sid      = "Build"
      Effect   = "Allow"
      Action   = ["codebuild:BatchGetBuilds", "codebuild:StartBuild", "codebuild:StopBuild"]
      Resource = [for step in sort(keys(local.steps)) : "${local.projects}/${var.name}-${step}"]
    },
  ], local.hands_on, local.tells, local.key)

  events = [{
    Sid      = "StartSubmit"
    Effect   = "Allow"
    Action   = ["codebuild:StartBuild"]
    Resource = "${local.projects}/${var.name}-submit"
  }]

  lock_table = var.stores.lock_table == null ? "" : var.stores.lock_table

  # Pieces of these ---------------------------------------------------------------------------------------------------

  workload_arns = {
    for kind, role in var.workload_roles :
    kind => sort(distinct([for team in var.teams : "arn:${local.partition}:iam::${team.account}:role/${role}"]))
  }

  logs = {
    for step in concat(["submit"], keys(local.steps)) : step => [{
      Sid      = "Log${title(step)}"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:/orchestrate/${var.name}/${step}:*"
    }]
  }

  reports = [{
    Sid      = "Report"
    Effect   = "Allow"
    Action   = ["codebuild:BatchPutTestCases", "codebuild:CreateReport", "codebuild:UpdateReport"]
    Resource = [for group in aws_codebuild_report_group.this : group.arn]
  }]

  package = [{
    Sid      = "Install"
    Effect   = "Allow"
    Action   = ["s3:GetObject"]
    Resource = "${local.release_bucket}/tooling/*"
    }, {
    Sid       = "ListThePackage"
    Effect    = "Allow"
    Action    = ["s3:ListBucket"]
    Resource  = local.release_bucket
    Condition = { StringLike = { "s3:prefix" = ["tooling/*"] } }
  }]

  hands_on = [{
    Sid      = "HandOn"
    Effect   = "Allow"
    Action   = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"]
    Resource = local.handed_on
  }]

  tells = [
    { Sid = "Tell", Effect = "Allow", Action = ["sns:Publish"], Resource = aws_sns_topic.this.arn },
    {
      Sid       = "TellEncrypted"
      Effect    = "Allow"
      Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
      Resource  = var.logs.kms_key_arn
      Condition = { StringLike = { "kms:ViaService" = "sns.${local.region}.*" } }
    },
  ]

  # Only keys that teams can have: `_accounts` and the like are none of a step's business.
  reads_states = [
    {
      Sid      = "ReadStates"
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
      Resource = [for team in sort(keys(var.teams)) : "${local.state_bucket}/${team}/*"]
    },
    {
      Sid       = "ListStates"
      Effect    = "Allow"
      Action    = ["s3:ListBucket"]
      Resource  = local.state_bucket
      Condition = { StringLike = { "s3:prefix" = [for team in sort(keys(var.teams)) : "${team}/*"] } }
    },
  ]

  locks = concat(
    [{
      Sid      = "LockObjects"
      Effect   = "Allow"
      Action   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
      Resource = [for team in sort(keys(var.teams)) : "${local.state_bucket}/${team}/*.tflock"]
    }],
    [for statement in [
      {
        Sid      = "ReadLocks"
        Effect   = "Allow"
        Action   = ["dynamodb:DescribeTable", "dynamodb:GetItem"]
        Resource = "${local.tables}/${local.lock_table}"
      },
      {
        Sid       = "TakeLocks"
        Effect    = "Allow"
        Action    = ["dynamodb:DeleteItem", "dynamodb:PutItem"]
        Resource  = "${local.tables}/${local.lock_table}"
        Condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["${var.stores.state_bucket}/*.tfstate"] } }
      },
    ] : statement if var.stores.lock_table != null],
  )

  reads_ledger = [{
    Sid      = "ReadLedger"
    Effect   = "Allow"
    Action   = ["dynamodb:GetItem", "dynamodb:Query"]
    Resource = ["${local.tables}/${var.stores.ledger_table}", "${local.tables}/${var.stores.ledger_table}/index/answers"]
  }]

  # Entries are added and never changed or deleted; only the lease of a target is renewed. Answers of people to plans
  # (approval#...) are theirs alone to give.
  adds_to_ledger = [
    {
      Sid       = "AddToLedger"
      Effect    = "Allow"
      Action    = ["dynamodb:ConditionCheckItem", "dynamodb:PutItem"]
      Resource  = "${local.tables}/${var.stores.ledger_table}"
      Condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["lease#*", "tag#*", "target#*"] } }
    },
    {
      Sid       = "RenewLeases"
      Effect    = "Allow"
      Action    = ["dynamodb:UpdateItem"]
      Resource  = "${local.tables}/${var.stores.ledger_table}"
      Condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["lease#*"] } }
    },
    # A copy of each entry; what is there can be neither replaced nor released from its lock.
    {
      Sid       = "Anchor"
      Effect    = "Allow"
      Action    = ["s3:PutObject"]
      Resource  = "${local.release_bucket}/anchors/*"
      Condition = { Null = { "s3:if-none-match" = "false" } }
    },
    {
      Sid      = "KeepAnchors"
      Effect   = "Allow"
      Action   = ["s3:PutObjectRetention"]
      Resource = "${local.release_bucket}/anchors/*"
    },
  ]

  # An answer names its author's role or user; whether IAM knows that name under the author's id is asked here.
  looks_up_people = [{
    Sid      = "LookUpPeople"
    Effect   = "Allow"
    Action   = ["iam:GetRole", "iam:GetUser"]
    Resource = [for kind in ["role", "user"] : "arn:${local.partition}:iam::${local.account}:${kind}/*"]
  }]

  # The environment's key, through the services that keep its stores.
  key = [for statement in [{
    Sid       = "UseKey"
    Effect    = "Allow"
    Action    = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
    Resource  = var.stores.kms_key_arn
    Condition = { StringLike = { "kms:ViaService" = [for service in ["dynamodb", "s3"] : "${service}.${local.region}.*"] } }
  }] : statement if var.stores.kms_key_arn != null]
}
