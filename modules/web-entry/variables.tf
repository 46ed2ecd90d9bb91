variable "name" {
  description = "Name of the load balancer."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,30}[a-z0-9]$", var.name)) && !startswith(var.name, "internal-") && !startswith(var.name, "sg-")
    error_message = "name is \"${var.name}\": a load balancer's name has 2 to 32 lower-case letters, digits and hyphens, begins with a letter, does not end in a hyphen and does not begin with internal- (or sg-, which its security group may not)."
  }
}

variable "vpc_id" {
  description = "ID of the VPC that the load balancer stands in."
  type        = string
  nullable    = false
}

variable "subnet_ids" {
  description = "IDs of public subnets by availability zone, at least two."
  type        = map(string)
  nullable    = false
}

variable "page" {
  description = "What the load balancer answers: a body of at most 1,024 characters and its content type."
  type = object({
    body         = string
    content_type = optional(string, "text/html")
  })
  nullable = false

  validation {
    condition     = length(var.page.body) > 0 && length(var.page.body) <= 1024
    error_message = "page.body has ${length(var.page.body)} characters: a fixed response holds 1 to 1,024. Change its length."
  }

  validation {
    condition     = contains(["text/plain", "text/css", "text/html", "application/javascript", "application/json"], var.page.content_type)
    error_message = "page.content_type is \"${var.page.content_type}\": choose text/plain, text/css, text/html, application/javascript or application/json."
  }
}

variable "allowed_cidrs" {
  description = "IPv4 ranges that may reach the load balancer."
  type        = set(string)
  default     = ["0.0.0.0/0"]
  nullable    = false

  validation {
    condition     = length(var.allowed_cidrs) > 0 && alltrue([for cidr in var.allowed_cidrs : try(cidrhost(cidr, 0) == split("/", cidr)[0], false) && !strcontains(cidr, ":")])
    error_message = "allowed_cidrs is [${join(", ", var.allowed_cidrs)}]: name at least one IPv4 range by its first address, for example 10.0.0.0/8. Nobody could reach the entry otherwise."
  }
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete the load balancer, and Terraform to delete a log bucket that holds logs."
  type        = bool
  default     = true
  nullable    = false
}

variable "certificate" {
  description = "ACM certificate for HTTPS, and the TLS policy. With it, port 443 answers and port 80 redirects there; null: port 80 answers."
  type = object({
    arn        = string
    ssl_policy = optional(string, "ELBSecurityPolicy-TLS13-1-2-2021-06")
  })
  default = null

  validation {
    condition     = var.certificate == null || can(regex("^arn:[a-z-]+:(acm|iam):", var.certificate.arn))
    error_message = "certificate.arn is not the ARN of an ACM or IAM certificate. Give one, or null for plain HTTP."
  }

  validation {
    condition     = var.certificate == null || can(regex("^ELBSecurityPolicy-(TLS13-1-[23]|FS-1-2|TLS-1-2)-", var.certificate.ssl_policy))
    error_message = "certificate.ssl_policy allows TLS older than 1.2. Choose one that begins with ELBSecurityPolicy-TLS13-1-2 or ELBSecurityPolicy-TLS13-1-3."
  }
}

variable "web_acl" {
  description = "WAF web ACL (regional, version 2) to put before the load balancer; null: none."
  type = object({
    arn = string
  })
  default = null

  validation {
    condition     = var.web_acl == null || can(regex("^arn:[a-z-]+:wafv2:[a-z0-9-]+:[0-9]{12}:regional/webacl/", var.web_acl.arn))
    error_message = "web_acl.arn is not the ARN of a regional WAFv2 web ACL (arn:...:wafv2:...:regional/webacl/...). Give one, or null."
  }
}

variable "access_logs" {
  description = "Access logs: name of the bucket that is created for them (unique in all of AWS), and days to keep them."
  type = object({
    bucket         = string
    retention_days = optional(number, 365)
  })
  nullable = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.access_logs.bucket))
    error_message = "access_logs.bucket is \"${var.access_logs.bucket}\" (${length(var.access_logs.bucket)} characters): a bucket's name has 3 to 63 lower-case letters, digits and hyphens."
  }

  validation {
    condition     = var.access_logs.retention_days >= 1 && floor(var.access_logs.retention_days) == var.access_logs.retention_days
    error_message = "access_logs.retention_days is ${var.access_logs.retention_days}: give whole days, at least 1."
  }
}
