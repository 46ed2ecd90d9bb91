# One role for each kind of step. None may reach another environment's stores, accounts, projects or pipeline.

locals {
  service = { for name in ["codebuild", "codepipeline", "events"] : name => "${name}.amazonaws.com" }

  # `builds` are the projects that may use the role: no other build of this account, whoever could pass it the role.
  roles = {
    submit = { trusts = local.service.codebuild, builds = ["submit"], purpose = "submits tags", policy = local.submit }
    check  = { trusts = local.service.codebuild, builds = local.checks, purpose = "checks code", policy = local.check }
    plan   = { trusts = local.service.codebuild, builds = ["plan"], purpose = "plans", policy = concat(local.in_pipeline["plan"], local.planning) }
    apply  = { trusts = local.service.codebuild, builds = ["apply"], purpose = "applies", policy = concat(local.in_pipeline["apply"], local.applying, local.asks_pipeline) }
    verify = { trusts = local.service.codebuild, builds = ["verify"], purpose = "verifies", policy = concat(local.in_pipeline["verify"], local.reads_ledger, local.adds_to_ledger, local.key) }
    runner = { trusts = local.service.codepipeline, builds = [], purpose = "runs the pipeline", policy = local.runner }
    events = { trusts = local.service.events, builds = [], purpose = "starts submit", policy = local.events }
  }
}

resource "aws_iam_role" "this" {
  for_each = local.roles

  name                 = "${var.name}-${each.key}"
  description          = "Releases to ${var.env}: ${each.value.purpose}"
  max_session_duration = 3600
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = each.value.trusts }
      # "Cross-service confused deputy prevention", CodeBuild User Guide.
      Condition = merge(
        { StringEquals = { "aws:SourceAccount" = local.account } },
        length(each.value.builds) == 0 ? {} : { ArnEquals = { "aws:SourceArn" = [for step in each.value.builds : "${local.projects}/${var.name}-${step}"] } },
      )
      }],
      # Itself, under a session policy: Terraform's own session, which reaches one target alone.
      [for statement in [{
        Effect    = "Allow"
        Action    = "sts:AssumeRole"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account}:root" }
        Condition = { ArnEquals = { "aws:PrincipalArn" = "arn:${local.partition}:iam::${local.account}:role/${var.name}-${each.key}" } }
      }] : statement if contains(keys(local.assumes), each.key)],
    )
  })
}

resource "aws_iam_role_policy" "this" {
  for_each = local.roles

  name   = "permissions"
  role   = aws_iam_role.this[each.key].id
  policy = jsonencode({ Version = "2012-10-17", Statement = concat(each.value.policy, lookup(local.narrows, each.key, [])) })
}

locals {
  narrows = {
    for role in keys(local.assumes) : role => [{
      Sid      = "NarrowItself"
      Effect   = "Allow"
      Action   = "sts:AssumeRole"
      Resource = "arn:${local.partition}:iam::${local.account}:role/${var.name}-${role}"
    }]
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
  ], local.asks, local.key)

  # For a release of a tag that is there: submit asks itself anew where AWS has no room for another execution. "Example
  # policy: Send events to a custom bus", EventBridge User Guide, has the operators.
  asks = [{
    Sid      = "AskForReleases"
    Effect   = "Allow"
    Action   = "events:PutEvents"
    Resource = "arn:${local.partition}:events:${local.region}:${local.account}:event-bus/default"
    Condition = {
      "ForAllValues:StringEquals" = { "events:source" = [local.asked.source] }
      StringEquals                = { "events:detail-type" = [local.asked.detail_type] }
    }
  }]

  source_access = [{
    Sid      = "Clone"
    Effect   = "Allow"
    Action   = local.codecommit ? ["codecommit:GitPull"] : ["codeconnections:GetConnection", "codeconnections:GetConnectionToken", "codeconnections:UseConnection"]
    Resource = local.codecommit ? var.source_repository.repository_arn : var.source_repository.connection_arn
  }]

  # What they write is their own results: whoever could write the source could bring other rules to the later steps.
  check = concat(flatten([for check in local.checks : local.logs[check]]), local.reports, local.package, local.takes["check"], local.key, [{
    Sid      = "HandOn"
    Effect   = "Allow"
    Action   = ["s3:PutObject"]
    Resource = [for check in local.checks : "${local.handed_on}/${check}/*"]
  }])

  # What every step after the checks has, by step.
  in_pipeline = {
    for step in ["plan", "apply", "verify"] : step => concat(local.logs[step], local.package, local.takes[step])
  }

  planning = concat(local.reads_states, local.locks, local.reads_ledger, local.adds_to_ledger, [
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
      Sid      = "WriteStates"
      Effect   = "Allow"
      Action   = ["s3:PutObject"]
      Resource = [for key in local.state_keys : "${local.state_bucket}/${key}"]
    },
    {
      Sid      = "ReadPlans"
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
      Resource = [for prefix in ["evidence", "plans", "receipts", "recovered"] : "${local.release_bucket}/${prefix}/*"]
    },
    # A build's files end with the build: a state that Terraform could not save is kept in the release bucket.
    {
      Sid      = "KeepUnsavedStates"
      Effect   = "Allow"
      Action   = ["s3:PutObject"]
      Resource = "${local.release_bucket}/recovered/*"
    },
    ], local.asks_for_builds, [for statement in [
      # Beside each lock Terraform keeps the checksum of the state, under the lock's own name with `-md5`.
      {
        Sid       = "StateChecksums"
        Effect    = "Allow"
        Action    = ["dynamodb:DeleteItem", "dynamodb:PutItem"]
        Resource  = "${local.tables}/${local.lock_table}"
        Condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = [for key in local.state_keys : "${var.stores.state_bucket}/${key}-md5"] } }
      },
  ] : statement if var.stores.lock_table != null], local.key)

  # A lock that an earlier build left is taken over only when that build has ended.
  asks_for_builds = [{
    Sid      = "AskForBuilds"
    Effect   = "Allow"
    Action   = ["codebuild:BatchGetBuilds"]
    Resource = [for step in ["apply", "plan"] : "${local.projects}/${var.name}-${step}"]
  }]

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
    {
      Sid      = "HandOn"
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"]
      Resource = "${local.handed_on}/*"
    },
  ], local.tells, local.key)

  events = [{
    Sid      = "StartSubmit"
    Effect   = "Allow"
    Action   = ["codebuild:StartBuild"]
    Resource = "${local.projects}/${var.name}-submit"
  }]

  lock_table = var.stores.lock_table == null ? "" : var.stores.lock_table

  # Pieces of these ---------------------------------------------------------------------------------------------------

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

  # By role: the input artefacts of its actions, which are handed on below their names.
  takes = {
    for role, artefacts in { check = ["source"], plan = concat(["source"], local.checks), apply = ["source"], verify = ["source"] } :
    role => [{
      Sid      = "Take"
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:GetObjectVersion"]
      Resource = [for artefact in artefacts : "${local.handed_on}/${artefact}/*"]
    }]
  }

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

  # The bucket is the environment's alone. Of what is in it, these are the keys that targets have: `_accounts` and the
  # like are none of a step's business. No list of teams, so that the policies do not grow with them.
  state_keys = ["*/${var.env}/terraform.tfstate", "*/${var.env}-*/terraform.tfstate"]

  reads_states = [
    {
      Sid      = "ReadStates"
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
      Resource = [for key in local.state_keys : "${local.state_bucket}/${key}"]
    },
    # S3 says of an object that it is not there only to who may list the bucket; to others, that they may not read it.
    {
      Sid      = "ListStates"
      Effect   = "Allow"
      Action   = ["s3:ListBucket"]
      Resource = local.state_bucket
    },
  ]

  locks = concat(
    [{
      Sid      = "LockObjects"
      Effect   = "Allow"
      Action   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
      Resource = [for key in local.state_keys : "${local.state_bucket}/${key}.tflock"]
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
        Condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = [for key in local.state_keys : "${var.stores.state_bucket}/${key}"] } }
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
    # An anchor of the number to come tells that the end of the chain was cut off.
    {
      Sid       = "LookForAnchors"
      Effect    = "Allow"
      Action    = ["s3:ListBucket"]
      Resource  = local.release_bucket
      Condition = { StringLike = { "s3:prefix" = ["anchors/*"] } }
    },
    {
      Sid      = "ReadAnchors"
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
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

  # The key of the environment's stores and of the builds' output, through the services that keep them.
  key = [{
    Sid       = "UseKey"
    Effect    = "Allow"
    Action    = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
    Resource  = local.build_key
    Condition = { StringLike = { "kms:ViaService" = [for service in ["dynamodb", "s3"] : "${service}.${local.region}.*"] } }
  }]
}
