variable "name" {
  description = "Name of the thing that owns the resources, for example `dev-research`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,61}[a-z0-9]$", var.name)) && !strcontains(var.name, "--")
    error_message = "name is \"${var.name}\": use 2 to 63 lower-case letters, digits and single hyphens, beginning with a letter and not ending in a hyphen."
  }
}

variable "region" {
  description = "AWS Region, for example `us-east-1`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2,4}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region is \"${var.region}\", which is not the name of an AWS Region: write it as in us-east-1."
  }
}
