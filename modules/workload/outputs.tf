output "verify_url" {
  description = "Address that answers once a regional release works; null for the global scope."
  value       = one(module.regional[*].url)
}

output "verify_text" {
  description = "Text that the page at verify_url holds; null for the global scope."
  value       = var.scope == "global" ? null : local.region
}
