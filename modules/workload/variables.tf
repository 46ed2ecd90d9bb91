variable "account" {
  description = "Number of the workload account, twelve digits. Given by the orchestrator."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account))
    error_message = "account is \"${var.account}\": write the account number as a string of twelve digits, leading zeros included."
  }
}

variable "region" {
  description = "AWS Region that the provider works in. Given by the orchestrator."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2,4}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region is \"${var.region}\", which is not the name of an AWS Region: write it as in us-east-1."
  }

  validation {
    condition     = length(var.allowed_regions) == 0 || contains(var.allowed_regions, var.region)
    error_message = "region is ${var.region}, which allowed_regions does not list (${join(", ", var.allowed_regions)}). Release to a listed Region, or add this one to allowed_regions in the variable files under envs/."
  }
}

variable "env" {
  description = "Environment, for example `dev`. Given by the orchestrator."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,15}$", var.env)) && !endswith(var.env, "-")
    error_message = "env is \"${var.env}\": use 1 to 16 lower-case letters, digits and hyphens, beginning with a letter and not ending in a hyphen."
  }
}

variable "team" {
  description = "Team that owns the workload account. Given by the orchestrator."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,31}$", var.team)) && !endswith(var.team, "-")
    error_message = "team is \"${var.team}\": use 1 to 32 lower-case letters, digits and hyphens, beginning with a letter and not ending in a hyphen."
  }
}

variable "scope" {
  description = "What this state holds: `global`, or the Region of a regional release. Given by the orchestrator."
  type        = string
  nullable    = false

  validation {
    condition     = var.scope == "global" || var.scope == var.region
    error_message = "scope is \"${var.scope}\": it is global, or the Region itself (region is \"${var.region}\")."
  }
}

variable "release" {
  description = "Version or tag that is being released, for example `1.0`. Given by the orchestrator; no resource depends on it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^([a-z0-9_-]+/[a-z0-9-]+/)?(0|[1-9][0-9]*)([.](0|[1-9][0-9]*)){1,2}(-rc[.](0|[1-9][0-9]*))?$", var.release))
    error_message = "release is \"${var.release}\": give a version such as 1.0 or 1.0.1-rc.2, or the whole tag."
  }
}

variable "greeting" {
  description = "Headline of the page, at most 150 characters."
  type        = string
  default     = "Hello"
  nullable    = false

  validation {
    condition     = length(var.greeting) > 0 && length(var.greeting) <= 150
    error_message = "greeting has ${length(var.greeting)} characters: use 1 to 150."
  }
}

variable "allowed_regions" {
  description = "Regions that this configuration may be released to; empty: any that the environment lists."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "cidr" {
  description = "IPv4 range of a Region's VPC, from /16 to /24."
  type        = string
  default     = "10.0.0.0/16"
  nullable    = false
}

variable "max_zones" {
  description = "How many of a Region's zones are used, in the order of their names; null: all of them."
  type        = number
  default     = null
}

variable "nat" {
  description = "How private subnets reach the internet: `none`, `single` or `per_zone`."
  type        = string
  default     = "none"
  nullable    = false
}

variable "allowed_cidrs" {
  description = "IPv4 ranges that may reach the load balancer."
  type        = set(string)
  default     = ["0.0.0.0/0"]
  nullable    = false
}

variable "certificate" {
  description = "ACM certificate of the Region for HTTPS, and the TLS policy; null: plain HTTP."
  type = object({
    arn        = string
    ssl_policy = optional(string, "ELBSecurityPolicy-TLS13-1-2-2021-06")
  })
  default = null
}

variable "web_acl" {
  description = "WAF web ACL of the Region to put before the load balancer; null: none."
  type = object({
    arn = string
  })
  default = null
}

variable "log_retention_days" {
  description = "Days that flow logs and access logs are kept; a value that CloudWatch Logs takes."
  type        = number
  default     = 365
  nullable    = false
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete load balancers and tables, and Terraform to delete access logs. Null: everywhere except in dev and qa."
  type        = bool
  default     = null
}

variable "role_isolation" {
  description = "How a global role's failure is kept local: `plain` (one role), `version` (roles side by side, each Region chooses) or `region` (each Region has its own)."
  type        = string
  default     = "plain"
  nullable    = false
}

variable "role_versions" {
  description = "Versions of the role that the global scope holds, with role_isolation `version`."
  type        = set(number)
  default     = [1]
  nullable    = false
}

variable "role_version" {
  description = "Version of the role that a Region uses, with role_isolation `version`."
  type        = number
  default     = 1
  nullable    = false
}

variable "permissions_boundary" {
  description = "Name of the policy in the account that bounds roles made here; deploy-roles makes it. Null only where accounts are set up without boundaries."
  type        = string
  default     = "InfraServiceBoundary"
}

variable "tables" {
  description = "DynamoDB global tables of the global scope, by the name that follows the workload's: keys, Regions of the replicas, KMS key by Region."
  type = map(object({
    hash_key        = object({ name = string, type = optional(string, "S") })
    range_key       = optional(object({ name = string, type = optional(string, "S") }))
    replica_regions = optional(set(string), [])
    kms_key_arns    = optional(map(string), {})
  }))
  default  = {}
  nullable = false
}
