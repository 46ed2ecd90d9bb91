variable "name" {
  description = "Name of the load balancer."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,30}[a-z0-9]$", var.name)) && !startswith(var.name, "internal-")
    error_message = "name is \"${var.name}\": a load balancer's name has 2 to 32 lower-case letters, digits and hyphens, begins with a letter, does not end in a hyphen and does not begin with internal-."
  }
}

variable "vpc_id" {
  description = "ID of the VPC that the load balancer stands in."
  type        = string
}

variable "subnet_ids" {
  description = "IDs of public subnets by availability zone, at least two."
  type        = map(string)
}

variable "page" {
  description = "What the load balancer answers: a body of at most 1,024 characters and its content type."
  type = object({
    body         = string
    content_type = optional(string, "text/html")
  })

  validation {
    condition     = length(var.page.body) > 0 && length(var.page.body) <= 1024
    error_message = "page.body has ${length(var.page.body)} characters: a fixed response holds 1 to 1,024. Shorten it."
  }
}

variable "allowed_cidrs" {
  description = "IPv4 ranges that may reach the load balancer."
  type        = set(string)
  default     = ["0.0.0.0/0"]

  validation {
    condition     = length(var.allowed_cidrs) > 0 && alltrue([for cidr in var.allowed_cidrs : can(cidrhost(cidr, 0))])
    error_message = "allowed_cidrs must name at least one IPv4 range, each like 10.0.0.0/8; nobody could reach the entry otherwise."
  }
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete the load balancer."
  type        = bool
  default     = true
}
