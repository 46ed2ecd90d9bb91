variable "account" {
  description = "Number of the workload account, twelve digits. Given by the orchestrator."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account))
    error_message = "account is \"${var.account}\": write the account number as a string of twelve digits, leading zeros included."
  }
}

variable "region" {
  description = "AWS Region that the provider works in. Given by the orchestrator."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2,4}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region is \"${var.region}\", which is not the name of an AWS Region: write it as in us-east-1."
  }
}

variable "env" {
  description = "Environment, for example `dev`. Given by the orchestrator."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,15}$", var.env)) && !endswith(var.env, "-")
    error_message = "env is \"${var.env}\": use 1 to 16 lower-case letters, digits and hyphens, beginning with a letter and not ending in a hyphen."
  }
}

variable "team" {
  description = "Team that owns the workload account. Given by the orchestrator."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,31}$", var.team)) && !endswith(var.team, "-")
    error_message = "team is \"${var.team}\": use 1 to 32 lower-case letters, digits and hyphens, beginning with a letter and not ending in a hyphen."
  }
}

variable "scope" {
  description = "What this state holds: `global`, or the Region of a regional release. Given by the orchestrator."
  type        = string

  validation {
    condition     = var.scope == "global" || var.scope == var.region
    error_message = "scope is \"${var.scope}\": it is global, or the Region itself (region is \"${var.region}\")."
  }
}

variable "release" {
  description = "Version or tag that is being released, for example `1.0`. Given by the orchestrator; no resource depends on it."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9_-]+/[a-z0-9-]+/)?(0|[1-9][0-9]*)([.](0|[1-9][0-9]*)){1,2}(-rc[.](0|[1-9][0-9]*))?$", var.release))
    error_message = "release is \"${var.release}\": give a version such as 1.0 or 1.0.1-rc.2, or the whole tag."
  }
}

variable "greeting" {
  description = "Headline of the page, at most 200 characters."
  type        = string
  default     = "Hello"

  validation {
    condition     = length(var.greeting) > 0 && length(var.greeting) <= 200
    error_message = "greeting has ${length(var.greeting)} characters: use 1 to 200."
  }
}

variable "cidr" {
  description = "IPv4 range of a Region's VPC, from /16 to /24."
  type        = string
  default     = "10.0.0.0/16"
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete the load balancer. Null: everywhere except in dev and qa."
  type        = bool
  default     = null
}
