data "aws_caller_identity" "current" {
  lifecycle {
    postcondition {
      condition     = self.account_id == var.account
      error_message = "The provider's credentials belong to account ${self.account_id}, but account is ${var.account}. Release with the role of account ${var.account}, or correct the team's account in envs/."
    }
  }
}

data "aws_region" "current" {
  lifecycle {
    postcondition {
      condition     = self.name == var.region
      error_message = "The provider works in ${self.name}, but region is ${var.region}. Give the provider region = var.region."
    }
  }
}

# Local zones and Wavelength zones have to be opted into: they are not part of the Region's own zones.
data "aws_availability_zones" "available" {
  state = "available"

  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

# Looked up as a list, because a list may be empty: a missing role is then explained instead of "not found".
data "aws_iam_roles" "flow_logs" {
  name_regex = "^${local.flow_logs_role}$"

  lifecycle {
    postcondition {
      condition     = length(self.arns) == 1
      error_message = "The role ${local.flow_logs_role} is not there yet. It belongs to the global scope: ${var.global_hint}"
    }
  }
}

locals {
  flow_logs_role = "${var.name}-flow-logs"

  # A zone's letter gives its place in the address plan, so that a zone that comes or goes never moves another's subnets.
  letters = "abcdefgh"
  places = {
    for zone in data.aws_availability_zones.available.names : zone =>
    index(split("", local.letters), substr(zone, length(zone) - 1, 1))
  }
  zones = {
    for zone, place in local.places : zone => {
      public  = cidrsubnet(var.cidr, 4, place)
      private = cidrsubnet(var.cidr, 4, place + length(local.letters))
    }
  }
}

module "names" {
  source = "../names"

  name   = var.name
  region = var.region
}

module "network" {
  source = "../network"

  name      = var.name
  cidr      = var.cidr
  zones     = local.zones
  flow_logs = { role_arn = one(data.aws_iam_roles.flow_logs.arns) }
}

module "web_entry" {
  source = "../web-entry"

  name                = module.names.name_32
  vpc_id              = module.network.vpc_id
  subnet_ids          = module.network.public_subnet_ids
  page                = { body = var.page }
  deletion_protection = var.deletion_protection
}
