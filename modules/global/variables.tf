variable "name" {
  description = "Name of the workload, `<env>-<team>`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,50}$", var.name))
    error_message = "name is \"${var.name}\": use 1 to 51 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "account" {
  description = "Number of the account that the resources belong to, twelve digits."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account))
    error_message = "account is \"${var.account}\": write the account number as a string of twelve digits, leading zeros included."
  }
}

variable "role_isolation" {
  description = "How the flow logs role is kept apart: `plain` (one for all), `version` (one for each of role_versions) or `region` (each Region makes its own, nothing here)."
  type        = string
  default     = "plain"
  nullable    = false

  validation {
    condition     = contains(["plain", "version", "region"], var.role_isolation)
    error_message = "role_isolation is \"${var.role_isolation}\": choose plain, version or region."
  }
}

variable "role_versions" {
  description = "Versions of the role that exist side by side, with role_isolation `version`."
  type        = set(number)
  default     = [1]
  nullable    = false

  validation {
    condition     = var.role_isolation != "version" || length(var.role_versions) > 0
    error_message = "role_versions is empty, so no Region would find its role: name at least one version."
  }
}

variable "permissions_boundary" {
  description = "Name of the policy in the account that bounds roles made here; deploy-roles makes it. Null only where accounts are set up without boundaries."
  type        = string
  default     = "InfraServiceBoundary"

  validation {
    condition     = var.permissions_boundary == null || can(regex("^[A-Za-z0-9+=,.@_/-]{1,128}$", var.permissions_boundary))
    error_message = "permissions_boundary is not the name of an IAM policy: give the name, without arn:, or null."
  }
}

variable "tables" {
  description = "DynamoDB global tables, by the name that follows the workload's: keys, Regions of the replicas, KMS key by Region."
  type = map(object({
    hash_key        = object({ name = string, type = optional(string, "S") })
    range_key       = optional(object({ name = string, type = optional(string, "S") }))
    replica_regions = optional(set(string), [])
    kms_key_arns    = optional(map(string), {})
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.tables) : can(regex("^[a-z][a-z0-9-]{0,60}$", name))])
    error_message = "tables has the names ${join(", ", keys(var.tables))}: use 1 to 61 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete the tables."
  type        = bool
  default     = true
  nullable    = false
}
