output "repository_url" {
  description = "Address that the repository is cloned from and tags are pushed to."
  value       = module.source.url
}

output "connection_arn" {
  description = "ARN of the connection that a person must complete once; null for CodeCommit."
  value       = module.source.connection_arn
}

output "committer_policy_arn" {
  description = "ARN of the policy for people who push branches; null where there is none."
  value       = module.source.committer_policy_arn
}

output "pipelines" {
  description = "By environment: ARNs of the pipeline, its topic, its roles, and the policies for people."
  value = {
    for env, pipeline in module.pipeline : env => {
      pipeline = pipeline.pipeline_arn
      topic    = pipeline.topic_arn
      roles    = pipeline.role_arns
      tagger   = pipeline.tagger_policy_arn
      releaser = pipeline.releaser_policy_arn
      approver = pipeline.approver_policy_arns
    }
  }
}
