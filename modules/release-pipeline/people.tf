# For people. The roles may be taken by whoever IAM allows to in this account; the policies are attached to groups or
# named in permission sets of IAM Identity Center.

locals {
  # Where only the pipeline may apply, there is no role with which people could.
  for_people = {
    for kind, settings in {
      people = { purpose = "people plan and look", policy = concat(local.planning, local.looks, local.audits, local.asks_for_builds) }
      deploy = { purpose = "people release", policy = concat(local.releasing, local.applying, local.looks, local.audits) }
    } : kind => settings if kind != "deploy" || var.apply_from == "anywhere"
  }

  # Planning, but for what applying has too.
  releasing = [for statement in local.planning : statement if contains(["KeepReceipts", "StorePlans"], statement.Sid)]

  # What `orchestrate history --verify` reads beside the ledger.
  audits = [
    {
      Sid      = "ReadRecord"
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:GetObjectRetention", "s3:GetObjectVersion"]
      Resource = [for prefix in ["anchors", "evidence", "receipts"] : "${local.release_bucket}/${prefix}/*"]
    },
    {
      Sid       = "ListRecord"
      Effect    = "Allow"
      Action    = ["s3:ListBucketVersions"]
      Resource  = local.release_bucket
      Condition = { StringLike = { "s3:prefix" = ["anchors/*", "plans/*", "receipts/*"] } }
    },
  ]

  looks = [{
    Sid    = "LookAtThisPipeline"
    Effect = "Allow"
    Action = [
      "codepipeline:GetPipeline",
      "codepipeline:GetPipelineExecution",
      "codepipeline:GetPipelineState",
      "codepipeline:ListActionExecutions",
      "codepipeline:ListPipelineExecutions",
    ]
    Resource = local.pipeline_arn
  }]
}

resource "aws_iam_role" "people" {
  for_each = local.for_people

  name                 = "${var.name}-${each.key}"
  description          = "Releases to ${var.env}: ${each.value.purpose}"
  max_session_duration = 3600
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = ["sts:AssumeRole", "sts:SetSourceIdentity"]
      Principal = { AWS = "arn:${local.partition}:iam::${local.account}:root" }
    }]
  })
}

resource "aws_iam_role_policy" "people" {
  for_each = local.for_people

  name   = "permissions"
  role   = aws_iam_role.people[each.key].id
  policy = jsonencode({ Version = "2012-10-17", Statement = concat(each.value.policy, local.narrows[each.key]) })
}

# Who may ask for a release to this environment.
resource "aws_iam_policy" "tagger" {
  count = local.codecommit ? 1 : 0

  name        = "${var.name}-tagger"
  description = "Push tags ${join(", ", sort(var.tag_prefixes))}*, and nothing else"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Pull"
        Effect   = "Allow"
        Action   = "codecommit:GitPull"
        Resource = var.source_repository.repository_arn
      },
      # A push first asks without naming refs ("Limit pushes and merges to branches in AWS CodeCommit").
      {
        Sid       = "PushTags"
        Effect    = "Allow"
        Action    = "codecommit:GitPush"
        Resource  = var.source_repository.repository_arn
        Condition = { StringLikeIfExists = { "codecommit:References" = [for prefix in sort(var.tag_prefixes) : "refs/tags/${prefix}*"] } }
      },
    ]
  })
}

# Who may ask for the release of a tag that others have pushed, and follow it: `orchestrate release --on aws`.
resource "aws_iam_policy" "releaser" {
  name        = "${var.name}-releaser"
  description = "Ask for releases of tags of ${var.env} and follow them, and nothing else"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(local.looks, local.reads_ledger, local.asks, local.key, [
      # A submit step that breaks before it can write to the ledger.
      {
        Sid      = "LookAtSubmit"
        Effect   = "Allow"
        Action   = ["codebuild:BatchGetBuilds", "codebuild:ListBuildsForProject"]
        Resource = "${local.projects}/${var.name}-submit"
      },
    ])
  })
}

# Who may answer for it: under a key that begins with the caller's own id, so that nobody answers in another's name. With
# team-approver only for plans of the team that the session's tag `team` names.
resource "aws_iam_policy" "approver" {
  for_each = {
    approver      = { whose = "plans", key = "*", receipts = "" }
    team-approver = { whose = "plans of the team in the session tag `team`", key = "$${aws:PrincipalTag/team}", receipts = "$${aws:PrincipalTag/team}/" }
  }

  name        = "${var.name}-${each.key}"
  description = "Approve or reject ${each.value.whose} for ${var.env}"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(local.looks, [
      {
        Sid      = "AnswerInPipeline"
        Effect   = "Allow"
        Action   = "codepipeline:PutApprovalResult"
        Resource = "${local.pipeline_arn}/Approve/*"
      },
      {
        Sid      = "Answer"
        Effect   = "Allow"
        Action   = "dynamodb:PutItem"
        Resource = "${local.tables}/${var.stores.ledger_table}"
        Condition = {
          "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["approval#$${aws:userid}#${each.value.key}"] }
        }
      },
      {
        Sid      = "ReadReceipts"
        Effect   = "Allow"
        Action   = "s3:GetObject"
        Resource = "${local.release_bucket}/receipts/${each.value.receipts}*"
      },
    ], local.reads_ledger, local.looks_up_people, local.tells_of_glass, local.key)
  })
}
