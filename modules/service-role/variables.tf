variable "name" {
  description = "Name of the role, before the suffix that region or role_version adds."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9+=,.@_-]+$", var.name))
    error_message = "name is \"${var.name}\": an IAM role's name holds letters, digits and +=,.@_- only."
  }

  validation {
    condition     = length("${var.name}${local.suffix}") <= 64
    error_message = "The role's name \"${var.name}${local.suffix}\" has ${length("${var.name}${local.suffix}")} characters, and IAM allows 64. Shorten name."
  }
}

variable "region" {
  description = "One role for each Region: the Region, whose short name ends the role's (`<name>-use1`). Null: not by Region."
  type        = string
  default     = null
}

variable "role_version" {
  description = "One role for each version: a number that ends the role's name (`<name>-v2`). Null: not by version."
  type        = number
  default     = null

  validation {
    condition     = var.role_version == null ? true : var.role_version >= 1 && floor(var.role_version) == var.role_version
    error_message = "role_version is ${coalesce(var.role_version, 0)}: give a whole number, at least 1."
  }

  validation {
    condition     = var.role_version == null || var.region == null
    error_message = "region and role_version are both given: a role is kept apart by Region or by version, not by both. Set one of them to null."
  }
}

variable "description" {
  description = "What the role is for, as shown by IAM."
  type        = string
  nullable    = false
}

variable "trusted_services" {
  description = "AWS services that may take the role, for example `[\"vpc-flow-logs.amazonaws.com\"]`."
  type        = set(string)
  nullable    = false

  validation {
    condition     = length(var.trusted_services) > 0 && alltrue([for service in var.trusted_services : can(regex("^[a-z0-9-]+[.]([a-z0-9-]+[.])*(amazonaws[.](com([.]cn)?|eu)|s?c2s[.](ic|sgov)[.]gov|csp[.]hci[.]ic[.]gov|cloud[.]adc-e[.]uk)$", service))])
    error_message = "trusted_services is [${join(", ", var.trusted_services)}]: name at least one service, such as vpc-flow-logs.amazonaws.com."
  }
}

variable "source_account" {
  description = "Account that the services must act for (`aws:SourceAccount`). Null for services that do not send it."
  type        = string
  default     = null

  validation {
    condition     = var.source_account == null || can(regex("^[0-9]{12}$", var.source_account))
    error_message = "source_account is not an account number: write twelve digits as a string, or null."
  }
}

variable "policies" {
  description = "What the role may do: IAM policy documents as JSON, by policy name."
  type        = map(string)
  nullable    = false

  validation {
    condition     = length(var.policies) > 0 && alltrue([for name, policy in var.policies : can(jsondecode(policy).Statement)])
    error_message = "policies must hold at least one IAM policy document, each as JSON with a Statement, as jsonencode makes it."
  }
}

variable "permissions_boundary_arn" {
  description = "ARN of the policy that bounds what the role can ever do. Null only where accounts are set up without boundaries."
  type        = string

  validation {
    condition     = var.permissions_boundary_arn == null || can(regex("^arn:[a-z-]+:iam::([0-9]{12}|aws):policy/", var.permissions_boundary_arn))
    error_message = "permissions_boundary_arn is not the ARN of an IAM policy (arn:...:iam::...:policy/...)."
  }
}
