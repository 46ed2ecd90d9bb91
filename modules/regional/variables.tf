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

variable "region" {
  description = "AWS Region of the resources; the provider works in it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2,4}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region is \"${var.region}\", which is not the name of an AWS Region: write it as in us-east-1."
  }
}

variable "cidr" {
  description = "IPv4 range of the VPC, from /16 to /24. Sixteen equal subnets divide it: eight public, eight private, by the zones' letters."
  type        = string
  default     = "10.0.0.0/16"
  nullable    = false

  validation {
    condition     = try(cidrhost(var.cidr, 0) == split("/", var.cidr)[0] && tonumber(split("/", var.cidr)[1]) >= 16 && tonumber(split("/", var.cidr)[1]) <= 24, false) && !strcontains(var.cidr, ":")
    error_message = "cidr is \"${var.cidr}\": give an IPv4 range from /16 to /24 by its first address, so that each of sixteen subnets gets at least a /28."
  }
}

variable "max_zones" {
  description = "How many of the Region's zones are used, in the order of their names; null: all of them."
  type        = number
  default     = null

  validation {
    condition     = var.max_zones == null ? true : var.max_zones >= 2 && floor(var.max_zones) == var.max_zones
    error_message = "max_zones is ${coalesce(var.max_zones, 0)}: a load balancer needs two zones, so give a whole number of at least 2, or null for all."
  }
}

variable "nat" {
  description = "How private subnets reach the internet: `none`, `single` or `per_zone`."
  type        = string
  default     = "none"
  nullable    = false

  validation {
    condition     = contains(["none", "single", "per_zone"], var.nat)
    error_message = "nat is \"${var.nat}\": choose none, single or per_zone."
  }
}

variable "page" {
  description = "HTML page that the load balancer answers with, at most 1,024 characters."
  type        = string
  nullable    = false

  validation {
    condition     = length(var.page) > 0 && length(var.page) <= 1024
    error_message = "page has ${length(var.page)} characters: a load balancer's fixed response holds 1 to 1,024. Change its length."
  }
}

variable "allowed_cidrs" {
  description = "IPv4 ranges that may reach the load balancer."
  type        = set(string)
  default     = ["0.0.0.0/0"]
  nullable    = false
}

variable "certificate" {
  description = "ACM certificate for HTTPS, and the TLS policy; null: plain HTTP."
  type = object({
    arn        = string
    ssl_policy = optional(string, "ELBSecurityPolicy-TLS13-1-2-2021-06")
  })
  default = null
}

variable "web_acl" {
  description = "WAF web ACL to put before the load balancer; null: none."
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

  validation {
    # CloudWatch Logs, PutRetentionPolicy: the values it takes; 0 would keep logs for ever.
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days is ${var.log_retention_days}: CloudWatch Logs takes 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete the load balancer, and Terraform to delete its access logs."
  type        = bool
  default     = true
  nullable    = false
}

variable "role_isolation" {
  description = "Where the flow logs role comes from: `plain` and `version` from the global scope, `region` from here."
  type        = string
  default     = "plain"
  nullable    = false

  validation {
    condition     = contains(["plain", "version", "region"], var.role_isolation)
    error_message = "role_isolation is \"${var.role_isolation}\": choose plain, version or region."
  }
}

variable "role_version" {
  description = "Version of the role that this Region uses, with role_isolation `version`."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.role_version >= 1 && floor(var.role_version) == var.role_version
    error_message = "role_version is ${var.role_version}: give a whole number, at least 1."
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

variable "global_hint" {
  description = "What to do where a global resource is missing, as the end of a sentence."
  type        = string
  default     = "apply the global composition first."
  nullable    = false
}
