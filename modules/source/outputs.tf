output "type" {
  description = "Source type of CodeBuild projects that read the repository."
  value       = upper(var.kind)
}

output "url" {
  description = "Address that the repository is cloned from."
  value       = local.codecommit ? format(local.clone_url, local.region) : "https://${local.hosts[var.kind]}/${var.repository}.git"
}

output "repository_arn" {
  description = "ARN of the repository in CodeCommit; null where it is linked."
  value       = one(aws_codecommit_repository.this[*].arn)
}

output "connection_arn" {
  description = "ARN of the connection, which a person must complete once; null for CodeCommit."
  value       = one(aws_codeconnections_connection.this[*].arn)
}

output "committer_policy_arn" {
  description = "ARN of the policy for people who push branches; null where there is none."
  value       = one(aws_iam_policy.committer[*].arn)
}
