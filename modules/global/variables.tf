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
