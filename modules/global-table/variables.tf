variable "name" {
  description = "Name of the table, the same in every Region."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]{3,255}$", var.name))
    error_message = "name is \"${var.name}\": a table's name has 3 to 255 letters, digits and _.-."
  }
}

variable "hash_key" {
  description = "Partition key: name and type (`S`, `N` or `B`)."
  type = object({
    name = string
    type = optional(string, "S")
  })
  nullable = false

  validation {
    condition     = contains(["S", "N", "B"], var.hash_key.type) && length(var.hash_key.name) > 0
    error_message = "hash_key is ${jsonencode(var.hash_key)}: give a name, and S, N or B as type."
  }
}

variable "range_key" {
  description = "Sort key: name and type (`S`, `N` or `B`); null: none."
  type = object({
    name = string
    type = optional(string, "S")
  })
  default = null

  validation {
    condition     = var.range_key == null ? true : contains(["S", "N", "B"], var.range_key.type) && var.range_key.name != var.hash_key.name
    error_message = "range_key is ${jsonencode(var.range_key)}: give a name other than the hash_key's, and S, N or B as type."
  }
}

variable "replica_regions" {
  description = "Regions that hold a replica, besides the provider's own."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for region in var.replica_regions : can(regex("^[a-z]{2,4}(-[a-z]+)+-[0-9]$", region))])
    error_message = "replica_regions is [${join(", ", var.replica_regions)}]: write each Region as in eu-central-1."
  }
}

variable "kms_key_arns" {
  description = "KMS key by Region, for the table's Region and every replica's; empty: DynamoDB's own keys."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for region, arn in var.kms_key_arns : can(regex("^arn:[a-z-]+:kms:${region}:[0-9]{12}:key/", arn))])
    error_message = "kms_key_arns must give, for each Region, the ARN of a KMS key of that Region (arn:...:kms:<region>:...:key/...)."
  }
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete the table."
  type        = bool
  default     = true
  nullable    = false
}
