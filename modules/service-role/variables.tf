variable "name" {
  description = "Name of the role."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9+=,.@_-]{1,64}$", var.name))
    error_message = "name is \"${var.name}\" (${length(var.name)} characters): an IAM role name has 1 to 64 letters, digits and +=,.@_-. Shorten it."
  }
}

variable "description" {
  description = "What the role is for, as shown by IAM."
  type        = string
}

variable "trusted_services" {
  description = "AWS services that may take the role, for example `[\"vpc-flow-logs.amazonaws.com\"]`."
  type        = list(string)

  validation {
    condition     = length(var.trusted_services) > 0
    error_message = "trusted_services is empty: name at least one service, such as vpc-flow-logs.amazonaws.com."
  }
}

variable "policy_json" {
  description = "What the role may do: an IAM policy document as JSON."
  type        = string

  validation {
    condition     = can(jsondecode(var.policy_json).Statement)
    error_message = "policy_json is not an IAM policy document: give JSON that holds a Statement, as jsonencode makes it."
  }
}
