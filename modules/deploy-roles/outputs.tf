output "plan_role_arn" {
  description = "ARN of the role that plans."
  value       = aws_iam_role.plan.arn
}

output "build_role_arn" {
  description = "ARN of the role that applies."
  value       = aws_iam_role.build.arn
}

output "build_boundary_arn" {
  description = "ARN of the policy that bounds the build role."
  value       = aws_iam_policy.build_boundary.arn
}

output "service_boundary_arn" {
  description = "ARN of the policy that every role made by the build role carries."
  value       = aws_iam_policy.service_boundary.arn
}
