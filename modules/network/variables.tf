variable "name" {
  description = "Name of the network; its resources carry it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,62}$", var.name))
    error_message = "name is \"${var.name}\": use 1 to 63 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "cidr" {
  description = "IPv4 range of the VPC, from /16 to /28, for example `10.20.0.0/16`."
  type        = string

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && try(cidrhost(var.cidr, 0) == split("/", var.cidr)[0], false)
    error_message = "cidr is \"${var.cidr}\": write an IPv4 range by its first address, for example 10.20.0.0/16."
  }
}

variable "zones" {
  description = "Subnets by availability zone: the zone's name, and the IPv4 range of its public and of its private subnet."
  type = map(object({
    public  = string
    private = string
  }))

  validation {
    condition     = length(var.zones) > 0
    error_message = "zones is empty: name at least one availability zone (two, where a load balancer stands in the network)."
  }
}

variable "flow_logs" {
  description = "Flow logs: the role that delivers them, days to keep, and which traffic (`ALL`, `ACCEPT`, `REJECT`)."
  type = object({
    role_arn       = string
    retention_days = optional(number, 365)
    traffic        = optional(string, "ALL")
  })
}
