output "flow_logs_role_arns" {
  description = "ARNs of the roles that deliver flow logs, by `plain` or version; empty where each Region makes its own."
  value       = { for key, role in module.flow_logs_role : key => role.arn }
}

output "table_names" {
  description = "Names of the global tables."
  value       = { for key, table in module.table : key => table.name }
}
