variable "name" {
  description = "Name of the workload, `<env>-<team>`."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,50}$", var.name))
    error_message = "name is \"${var.name}\": use 1 to 51 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "account" {
  description = "Number of the account that the resources belong to, twelve digits."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account))
    error_message = "account is \"${var.account}\": write the account number as a string of twelve digits, leading zeros included."
  }
}

variable "region" {
  description = "AWS Region of the resources."
  type        = string
}

variable "cidr" {
  description = "IPv4 range of the VPC, from /16 to /24."
  type        = string
  default     = "10.0.0.0/16"

  validation {
    condition     = try(tonumber(split("/", var.cidr)[1]) >= 16 && tonumber(split("/", var.cidr)[1]) <= 24, false) && can(cidrhost(var.cidr, 0))
    error_message = "cidr is \"${var.cidr}\": give an IPv4 range from /16 to /24, so that each of sixteen subnets gets at least a /28."
  }
}

variable "page" {
  description = "HTML page that the load balancer answers with, at most 1,024 characters."
  type        = string
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete the load balancer."
  type        = bool
  default     = true
}

variable "global_hint" {
  description = "What to do where a global resource is missing, as the end of a sentence."
  type        = string
  default     = "apply the global composition first."
}
