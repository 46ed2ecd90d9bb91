output "name" {
  description = "Name of the table, the same in every Region."
  value       = aws_dynamodb_table.this.name
}

output "arn" {
  description = "ARN of the table in the provider's Region."
  value       = aws_dynamodb_table.this.arn
}

output "regions" {
  description = "Every Region that holds the table."
  value       = setunion([data.aws_region.current.name], var.replica_regions)
}
