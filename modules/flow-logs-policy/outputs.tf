output "policies" {
  description = "What the role may do, as the `policies` of module service-role."
  value       = { permissions = jsonencode(local.policy) }
}

output "trusted_services" {
  description = "Who may take the role, as the `trusted_services` of module service-role."
  value       = ["vpc-flow-logs.amazonaws.com"]
}
