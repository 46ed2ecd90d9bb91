output "region_short" {
  description = "The Region's short name: `use1` for us-east-1, `euc1` for eu-central-1, `apse1` for ap-southeast-1."
  value       = local.region_short
}

output "name_24" {
  description = "The name in at most 24 characters."
  value       = local.limited[24]
}

output "name_32" {
  description = "The name in at most 32 characters, the limit of load balancers."
  value       = local.limited[32]
}
