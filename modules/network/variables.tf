variable "name" {
  description = "Name of the network; its resources carry it, and the log group `/<name>/flow-logs`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,62}$", var.name))
    error_message = "name is \"${var.name}\": use 1 to 63 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "cidr" {
  description = "IPv4 range of the VPC, from /16 to /27, for example `10.20.0.0/16`."
  type        = string
  nullable    = false

  validation {
    condition     = try(cidrhost(var.cidr, 0) == split("/", var.cidr)[0], false) && !strcontains(var.cidr, ":")
    error_message = "cidr is \"${var.cidr}\": write an IPv4 range by its first address, for example 10.20.0.0/16."
  }

  validation {
    # AWS, "VPC CIDR blocks": /16 to /28; a /28 has no room for two subnets.
    condition     = try(contains(range(16, 28), tonumber(split("/", var.cidr)[1])), true)
    error_message = "cidr is \"${var.cidr}\": a VPC's range lies between /16 and /27. Choose a prefix length in between."
  }
}

variable "zones" {
  description = "Subnets by availability zone: the zone's name, and the IPv4 range (at least /28) of its public and of its private subnet."
  type = map(object({
    public  = string
    private = string
  }))
  nullable = false

  validation {
    condition     = length(var.zones) > 0
    error_message = "zones is empty: name at least one availability zone (two, where a load balancer stands in the network)."
  }

  validation {
    condition = alltrue(flatten([
      for subnets in var.zones : [
        for cidr in values(subnets) : try(cidrhost(cidr, 0) == split("/", cidr)[0], false) && !strcontains(cidr, ":")
      ]
    ]))
    error_message = "zones holds what is no IPv4 range written by its first address: ${join(", ", flatten([
      for zone, subnets in var.zones : [
        for kind, cidr in subnets : "${zone} ${kind} ${cidr}"
        if !try(cidrhost(cidr, 0) == split("/", cidr)[0], false) || strcontains(cidr, ":")
      ]
    ]))}. Write it as in 10.20.0.0/20."
  }

  validation {
    # AWS, "VPC CIDR blocks": a subnet has at least 16 addresses.
    condition = alltrue(flatten([
      for subnets in var.zones : [for cidr in values(subnets) : try(tonumber(split("/", cidr)[1]) <= 28, true)]
    ]))
    error_message = "zones holds subnets smaller than /28, the smallest that AWS makes: ${join(", ", flatten([
      for zone, subnets in var.zones : [
        for kind, cidr in subnets : "${zone} ${kind} ${cidr}" if !try(tonumber(split("/", cidr)[1]) <= 28, true)
      ]
    ]))}. Give them more addresses, or the VPC a larger cidr."
  }
}

variable "nat" {
  description = "How private subnets reach the internet: `none`, `single` (one NAT gateway, in the first zone by name) or `per_zone`."
  type        = string
  default     = "none"
  nullable    = false

  validation {
    condition     = contains(["none", "single", "per_zone"], var.nat)
    error_message = "nat is \"${var.nat}\": choose none, single or per_zone."
  }
}

variable "gateway_endpoints" {
  description = "Services reached through gateway endpoints: `s3`, `dynamodb`."
  type        = set(string)
  default     = ["s3", "dynamodb"]
  nullable    = false

  validation {
    condition     = length(setsubtract(var.gateway_endpoints, ["s3", "dynamodb"])) == 0
    error_message = "gateway_endpoints holds ${join(", ", setsubtract(var.gateway_endpoints, ["s3", "dynamodb"]))}: AWS has gateway endpoints for s3 and dynamodb only."
  }
}

variable "flow_logs" {
  description = "Flow logs: ARN of the role that delivers them, days to keep them, which traffic (`ALL`, `ACCEPT`, `REJECT`), and ARN of the KMS key that encrypts them (null: CloudWatch's own)."
  type = object({
    role_arn       = string
    retention_days = optional(number, 365)
    traffic        = optional(string, "ALL")
    kms_key_arn    = optional(string)
  })
  nullable = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/", var.flow_logs.role_arn))
    error_message = "flow_logs.role_arn is \"${var.flow_logs.role_arn}\": give the ARN of an IAM role."
  }

  validation {
    # CloudWatch Logs, PutRetentionPolicy: the values it takes; 0 would keep logs for ever.
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.flow_logs.retention_days)
    error_message = "flow_logs.retention_days is ${var.flow_logs.retention_days}: CloudWatch Logs takes 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }

  validation {
    condition     = contains(["ALL", "ACCEPT", "REJECT"], var.flow_logs.traffic)
    error_message = "flow_logs.traffic is \"${var.flow_logs.traffic}\": choose ALL, ACCEPT or REJECT."
  }
}
