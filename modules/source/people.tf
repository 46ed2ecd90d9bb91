# For people: attach it to a group, or name it in a permission set of IAM Identity Center. Tags are pushed with the
# policies of module release-pipeline, one for each environment.
resource "aws_iam_policy" "committer" {
  count = local.codecommit && var.home ? 1 : 0

  name        = "${var.stem}-committer"
  description = "Pull from and push branches to ${var.repository}, but not the protected branch and no tags"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "Read"
        Effect = "Allow"
        Action = [
          "codecommit:BatchGet*",
          "codecommit:BatchDescribe*",
          "codecommit:Describe*",
          "codecommit:Get*",
          "codecommit:GitPull",
          "codecommit:List*",
        ]
        Resource = aws_codecommit_repository.this[0].arn
      },
      {
        Sid    = "ProposeChanges"
        Effect = "Allow"
        Action = [
          "codecommit:CreatePullRequest",
          "codecommit:PostCommentFor*",
          "codecommit:PostCommentReply",
          "codecommit:UpdatePullRequestApprovalState",
          "codecommit:UpdatePullRequestDescription",
          "codecommit:UpdatePullRequestStatus",
          "codecommit:UpdatePullRequestTitle",
        ]
        Resource = aws_codecommit_repository.this[0].arn
      },
      # A push first asks without naming refs ("Limit pushes and merges to branches in AWS CodeCommit").
      {
        Sid      = "PushBranches"
        Effect   = "Allow"
        Action   = "codecommit:GitPush"
        Resource = aws_codecommit_repository.this[0].arn
        Condition = {
          StringLikeIfExists    = { "codecommit:References" = ["refs/heads/*"] }
          StringNotLikeIfExists = { "codecommit:References" = ["refs/heads/${var.branch}"] }
        }
      },
    ]
  })
}
