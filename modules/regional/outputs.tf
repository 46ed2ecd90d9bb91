output "url" {
  description = "Address of the page."
  value       = module.web_entry.url
}

output "dns_name" {
  description = "DNS name of the load balancer."
  value       = module.web_entry.dns_name
}

output "vpc_id" {
  description = "ID of the VPC."
  value       = module.network.vpc_id
}

output "public_subnet_ids" {
  description = "IDs of the public subnets, by availability zone."
  value       = module.network.public_subnet_ids
}

output "private_subnet_ids" {
  description = "IDs of the private subnets, by availability zone."
  value       = module.network.private_subnet_ids
}

output "flow_logs_role_arn" {
  description = "ARN of the role that delivers this Region's flow logs."
  value       = local.flow_logs_role_arn
}
