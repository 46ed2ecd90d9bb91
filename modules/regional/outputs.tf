output "url" {
  description = "Address of the page."
  value       = module.web_entry.url
}

output "vpc_id" {
  description = "ID of the VPC."
  value       = module.network.vpc_id
}
