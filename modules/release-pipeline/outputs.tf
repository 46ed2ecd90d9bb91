output "pipeline_arn" {
  description = "ARN of the pipeline."
  value       = aws_codepipeline.this.arn
}

output "role_arns" {
  description = "ARNs of the roles, by kind: of the steps, and of people."
  value = merge(
    { for kind, role in aws_iam_role.this : kind => role.arn },
    { for kind, role in aws_iam_role.people : kind => role.arn },
  )
}

output "topic_arn" {
  description = "ARN of the topic that tells of approvals to give and of failures."
  value       = aws_sns_topic.this.arn
}

output "tagger_policy_arn" {
  description = "ARN of the policy for people who ask for releases; null for a linked repository."
  value       = one(aws_iam_policy.tagger[*].arn)
}

output "releaser_policy_arn" {
  description = "ARN of the policy for people who ask for the release of tags that are there already."
  value       = aws_iam_policy.releaser.arn
}

output "approver_policy_arns" {
  description = "ARNs of the policies for people who approve plans: of all teams, or of their session's team."
  value       = { for kind, policy in aws_iam_policy.approver : kind => policy.arn }
}
