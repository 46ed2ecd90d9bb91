output "flow_logs_role_arn" {
  description = "ARN of the role that delivers flow logs."
  value       = module.flow_logs_role.arn
}
