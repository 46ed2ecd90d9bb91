variable "name" {
  description = "Name of the network, whose log group is `/<name>/flow-logs`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,62}$", var.name))
    error_message = "name is \"${var.name}\": use 1 to 63 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "account" {
  description = "Number of the account that holds the log group, twelve digits."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account))
    error_message = "account is \"${var.account}\": write the account number as a string of twelve digits, leading zeros included."
  }
}

variable "partition" {
  description = "Partition of the account: `aws`, `aws-cn`, `aws-us-gov`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^aws(-[a-z]+)*$", var.partition))
    error_message = "partition is \"${var.partition}\": use what the data source aws_partition says, for example aws."
  }
}
